// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// tx_fanout on port mem: a descriptor ring with 64-byte header slots and shared payloads. Beside
// it, what a port would do that copies: the same ring with header and payload in one frame.

extern "C" {
#include "io/port_mem.h"
}

#include <benchmark/benchmark.h>

#include <vector>

namespace
{

constexpr unsigned kRing = 4096;
constexpr size_t kPayload = 1316;

std::vector<line> lines_of(size_t n)
{
	std::vector<line> lines(n);

	for (size_t i = 0; i < n; i++) {
		line_udp u = {};
		line_srt s = {};

		u.local = endpoint_of_v4(0x0a000001, 9000);
		u.peer = endpoint_of_v4(0x0a010000 + (uint32_t)i, 40000);
		s.dst_id = (uint32_t)i;
		line_build_srt(&lines[i], &u, &s);
	}
	return lines;
}

struct burst {
	uint8_t bytes[PORT_BUNDLE][kPayload] = {};
	port_payload pl[PORT_BUNDLE] = {};

	explicit burst(unsigned n)
	{
		for (unsigned i = 0; i < n; i++) {
			pl[i].data = bytes[i];
			pl[i].len = kPayload;
			pl[i].word1 = 0xc0000000u;
		}
	}
};

// Args: lines, payloads of a burst.
void fanout(benchmark::State &state)
{
	auto lines = lines_of((size_t)state.range(0));
	unsigned n_pl = (unsigned)state.range(1);
	port *p = port_mem_open(kRing);
	burst b(n_pl);
	uint32_t seq = 0;

	for (auto _ : state) {
		for (unsigned i = 0; i < n_pl; i++) {
			b.pl[i].seq = b.pl[i].ts = seq++;
			b.pl[i].sum = line_sum(b.bytes[i], kPayload);
		}
		port_tx_fanout(p, LINE_SRT, b.pl, n_pl, lines.data(), (unsigned)lines.size());
	}
	p->ops->close(p);
	state.SetItemsProcessed(state.iterations() * (int64_t)(lines.size() * n_pl));
}

// The least a copy can be: the line into its slot, and a descriptor.
void copy_header(benchmark::State &state)
{
	struct desc {
		const uint8_t *header, *payload;
		uint16_t len;
	};
	auto lines = lines_of((size_t)state.range(0));
	std::vector<line> slots(kRing);
	std::vector<desc> ring(kRing);
	burst b(1);
	size_t at = 0;

	for (auto _ : state) {
		for (auto &l : lines) {
			memcpy(slots[at].b, l.b, sizeof(l.b));
			ring[at] = {slots[at].b, b.bytes[0], kPayload};
			at = (at + 1) % kRing;
		}
		benchmark::ClobberMemory();
	}
	state.SetItemsProcessed(state.iterations() * (int64_t)lines.size());
}

// The naive way: every subscriber's packet whole in a frame of its own.
void copy_whole(benchmark::State &state)
{
	auto lines = lines_of((size_t)state.range(0));
	std::vector<uint8_t> frames((size_t)kRing * 2048);
	burst b(1);
	size_t at = 0;
	uint32_t seq = 0;

	for (auto _ : state) {
		uint32_t sum = line_sum(b.bytes[0], kPayload);

		seq++;
		for (auto &l : lines) {
			uint8_t *frame = &frames[at * 2048];

			line_render(&l, LINE_SRT, seq, 0xc0000000u, seq, kPayload, sum, frame);
			memcpy(frame + WIRE_LINE, b.bytes[0], kPayload);
			at = (at + 1) % kRing;
		}
		benchmark::ClobberMemory();
	}
	state.SetItemsProcessed(state.iterations() * (int64_t)lines.size());
}

BENCHMARK(fanout)->ArgsProduct({{1, 10, 100, 1000, 10000}, {1, 8}});
BENCHMARK(copy_header)->Arg(100)->Arg(1000)->Arg(10000);
BENCHMARK(copy_whole)->Arg(100)->Arg(1000)->Arg(10000);

} // namespace

BENCHMARK_MAIN();
