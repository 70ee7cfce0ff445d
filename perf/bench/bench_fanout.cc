// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// tx_fanout on port mem: a descriptor ring with 64-byte header slots and shared payloads, for each
// kind of line and both versions of IP. Beside it the naive way, what a port would do that copies:
// the same ring with header and payload in one frame; and the ceiling, copying the lines. An item
// is a copy.

#include "bench.h"

extern "C" {
#include "io/port_mem.h"
}

#include <cstring>
#include <vector>

namespace
{

constexpr unsigned kRing = 4096;
constexpr size_t kPayload = 1316;

endpoint address(bool v6, uint32_t host, uint16_t port)
{
	endpoint e = endpoint_of_v4(0x0a000000 + host, port);

	if (v6) {
		memset(e.ip, 0, 12); // no longer v4-mapped
		e.ip[0] = 0xfd;
	}
	return e;
}

line line_of(enum line_kind kind, bool v6, uint32_t i)
{
	line_udp u = {};
	line_srt s = {};
	line_rtp r = {};
	line l;

	u.local = address(v6, 1, 9000);
	u.peer = address(v6, 0x10000 + i, 40000);
	s.dst_id = r.ssrc = i;
	if (kind == LINE_SRT)
		line_build_srt(&l, &u, &s);
	else if (kind == LINE_RTP)
		line_build_rtp(&l, &u, &r);
	else
		line_build_udp(&l, &u);
	return l;
}

std::vector<line> lines_of(size_t n, enum line_kind kind = LINE_SRT, bool v6 = false)
{
	std::vector<line> lines(n);

	for (size_t i = 0; i < n; i++)
		lines[i] = line_of(kind, v6, (uint32_t)i);
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
void fanout(benchmark::State &state, enum line_kind kind, bool v6)
{
	auto lines = lines_of((size_t)state.range(0), kind, v6);
	unsigned n_pl = (unsigned)state.range(1);
	port *p = port_mem_open(kRing);
	burst b(n_pl);
	uint32_t seq = 0;
	meter m(state);

	for (auto _ : state) {
		for (unsigned i = 0; i < n_pl; i++) {
			b.pl[i].seq = b.pl[i].ts = seq++;
			b.pl[i].sum = line_sum(b.bytes[i], kPayload);
		}
		port_tx_fanout(p, kind, b.pl, n_pl, lines.data(), (unsigned)lines.size());
	}
	p->ops->close(p);
	m.packets((uint64_t)state.iterations() * lines.size() * n_pl);
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
	meter m(state);

	for (auto _ : state) {
		for (auto &l : lines) {
			memcpy(slots[at].b, l.b, sizeof(l.b));
			ring[at] = {slots[at].b, b.bytes[0], kPayload};
			at = (at + 1) % kRing;
		}
		benchmark::ClobberMemory();
	}
	m.packets((uint64_t)state.iterations() * lines.size());
}

// The naive way: every subscriber's packet whole in a frame of its own.
void copy_whole(benchmark::State &state)
{
	auto lines = lines_of((size_t)state.range(0));
	std::vector<uint8_t> frames((size_t)kRing * 2048);
	burst b(1);
	size_t at = 0;
	uint32_t seq = 0;
	meter m(state);

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
	m.packets((uint64_t)state.iterations() * lines.size());
}

void subscribers(benchmark::internal::Benchmark *b)
{
	b->ArgsProduct({{1, 100, 1000, 10000, 100000, 1000000}, {1}});
}

void subscribers_only(benchmark::internal::Benchmark *b)
{
	b->ArgsProduct({{1, 100, 1000, 10000, 100000, 1000000}});
}

BENCHMARK_CAPTURE(fanout, srt, LINE_SRT, false)->Apply(subscribers);
BENCHMARK_CAPTURE(fanout, srt, LINE_SRT, false)->ArgsProduct({{100, 1000, 100000}, {8}});
BENCHMARK_CAPTURE(fanout, srt6, LINE_SRT, true)->Apply(subscribers);
BENCHMARK_CAPTURE(fanout, rtp, LINE_RTP, false)->Apply(subscribers);
BENCHMARK_CAPTURE(fanout, rtp6, LINE_RTP, true)->Apply(subscribers);
BENCHMARK_CAPTURE(fanout, udp, LINE_UDP, false)->Apply(subscribers);
BENCHMARK_CAPTURE(fanout, udp6, LINE_UDP, true)->Apply(subscribers);
BENCHMARK(copy_header)->Apply(subscribers_only);
BENCHMARK(copy_whole)->Apply(subscribers_only);

} // namespace

BENCHMARK_MAIN();
