// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One copy's header: what patching a line costs, beside copying it and beside summing the payload
// anew for each copy.

#include "bench.h"

extern "C" {
#include "io/line.h"
}

#include <vector>

namespace
{

constexpr size_t kPayload = 1316;

std::vector<line> lines_of(size_t n)
{
	std::vector<line> lines(n);

	for (size_t i = 0; i < n; i++) {
		line_udp u = {};
		line_srt s = {};

		u.local = endpoint_of_v4(0x0a000001, 9000);
		u.peer = endpoint_of_v4(0x0a010000 + (uint32_t)i, 40000);
		s.dseq = (uint32_t)i;
		s.dst_id = (uint32_t)i;
		line_build_srt(&lines[i], &u, &s);
	}
	return lines;
}

template <class F> void each_line(benchmark::State &state, F f)
{
	auto lines = lines_of((size_t)state.range(0));
	std::vector<line> out(1024);
	uint32_t seq = 0;
	meter m(state);

	for (auto _ : state) {
		seq++;
		for (size_t i = 0; i < lines.size(); i++)
			f(&lines[i], seq, out[i % out.size()].b);
		benchmark::ClobberMemory();
	}
	m.packets((uint64_t)state.iterations() * lines.size());
}

void media(benchmark::State &state)
{
	each_line(state, [](const line *l, uint32_t seq, uint8_t *out) {
		line_media(l, LINE_SRT, seq, 0xc0000000u, seq, out);
	});
}

void render(benchmark::State &state)
{
	each_line(state, [](const line *l, uint32_t seq, uint8_t *out) {
		line_render(l, LINE_SRT, seq, 0xc0000000u, seq, kPayload, 0x1234, out);
	});
}

void copy_only(benchmark::State &state)
{
	each_line(state,
		[](const line *l, uint32_t, uint8_t *out) { memcpy(out, l->b, sizeof(l->b)); });
}

void render_and_sum(benchmark::State &state)
{
	static const uint8_t payload[kPayload] = {1, 2, 3};

	each_line(state, [](const line *l, uint32_t seq, uint8_t *out) {
		line_render(l, LINE_SRT, seq, 0xc0000000u, seq, kPayload,
			line_sum(payload, sizeof(payload)), out);
	});
}

void payload_sum(benchmark::State &state)
{
	std::vector<uint8_t> payload((size_t)state.range(0), 0x47);

	for (auto _ : state)
		benchmark::DoNotOptimize(line_sum(payload.data(), payload.size()));
	state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK(media)->Arg(100)->Arg(10000);
BENCHMARK(render)->Arg(100)->Arg(10000);
BENCHMARK(copy_only)->Arg(100)->Arg(10000);
BENCHMARK(render_and_sum)->Arg(100);
BENCHMARK(payload_sum)->Arg(188)->Arg(1316);

} // namespace

BENCHMARK_MAIN();
