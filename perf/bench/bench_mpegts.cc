// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What looking into a transport stream costs, per payload of seven packets: once per packet that
// comes in, whatever the fan-out. Beside it the naive way, looking for a start code at every byte
// of every packet, and the ceiling, reading the seven sync bytes.

#include "bench.h"

extern "C" {
#include "proto/mpegts.h"
}

#include <array>

namespace
{

constexpr size_t kPackets = 7;
constexpr uint16_t kVideo = 0x100, kPmt = 0x1000;
constexpr uint8_t kH264 = 0x1b;

using payload = std::array<uint8_t, kPackets * MPEGTS_PACKET>;

payload video(bool start)
{
	payload p = {};

	p.fill(0x5a);
	for (size_t i = 0; i < kPackets; i++) {
		uint8_t *ts = &p[i * MPEGTS_PACKET];

		ts[0] = MPEGTS_SYNC;
		ts[1] = (uint8_t)(kVideo >> 8 | (start ? 0x40 : 0));
		ts[2] = (uint8_t)kVideo;
		ts[3] = 0x10;
	}
	return p;
}

struct mpegts_scan known(bool flagged)
{
	struct mpegts_scan s = {};

	s.pmt_pid = kPmt;
	s.video.pid = kVideo;
	s.video.stream_type = kH264;
	s.known = true;
	s.flagged = flagged;
	return s;
}

void scan(benchmark::State &state, const payload &p, bool flagged)
{
	struct mpegts_scan s = known(flagged);
	meter m(state);

	for (auto _ : state) {
		benchmark::DoNotOptimize(mpegts_looks_like(p.data(), p.size()));
		benchmark::DoNotOptimize(mpegts_scan(&s, p.data(), p.size()));
	}
	m.packets((uint64_t)state.iterations());
}

// What nearly all payloads are: a picture goes on.
void goes_on(benchmark::State &state)
{
	scan(state, video(false), true);
}

// A picture begins in each packet and the multiplexer flags none: the worst, every byte is read.
void begins_unflagged(benchmark::State &state)
{
	scan(state, video(true), false);
}

bool has_key_picture(const payload &p)
{
	for (size_t i = 0; i + 4 < p.size(); i++)
		if (!p[i] && !p[i + 1] && p[i + 2] == 1 && (p[i + 3] & 0x1f) == 5)
			return true;
	return false;
}

void every_byte(benchmark::State &state)
{
	payload p = video(false);
	meter m(state);

	for (auto _ : state) {
		benchmark::DoNotOptimize(p.data());
		benchmark::ClobberMemory();
		benchmark::DoNotOptimize(has_key_picture(p));
	}
	m.packets((uint64_t)state.iterations());
}

void sync_only(benchmark::State &state)
{
	payload p = video(false);
	meter m(state);

	for (auto _ : state) {
		benchmark::DoNotOptimize(p.data());
		benchmark::ClobberMemory();
		benchmark::DoNotOptimize(mpegts_looks_like(p.data(), p.size()));
	}
	m.packets((uint64_t)state.iterations());
}

BENCHMARK(goes_on);
BENCHMARK(begins_unflagged);
BENCHMARK(every_byte);
BENCHMARK(sync_only);

} // namespace

BENCHMARK_MAIN();
