// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What a subscriber's own packets cost in its sender: ACKs with their answers, loss reports packet
// by packet asked for, at one subscriber and at so many that none is in the cache. Beside them the
// naive ways: answering every ACK with a walk over a map of what is not acknowledged yet, and
// expanding a loss list into a vector of numbers. An item is an ACK, or a packet asked for.

#include "bench.h"

extern "C" {
#include "base/seq.h"
#include "proto/srt_snd.h"
}

#include <map>
#include <vector>

namespace
{

constexpr uint32_t kIsn = 1000;

std::vector<srt_snd> senders(size_t n, ts_us now)
{
	std::vector<srt_snd> all(n);
	srt_snd_opts o = {};

	o.isn = kIsn;
	o.t0 = now;
	o.latency_us = 120000;
	o.peer_flags = SRT_F_OURS;
	for (auto &s : all)
		srt_snd_init(&s, now, &o);
	return all;
}

size_t ack_write(uint8_t *out, uint32_t number, uint32_t next)
{
	bytes_out b = bytes_out_of(out, 64);
	srt_ack a = {};

	a.number = number;
	a.next = next;
	a.rtt_us = 20000;
	a.rtt_var_us = 2000;
	a.free_packets = 8000;
	srt_ack_put(&b, &a, 0, 7);
	return bytes_out_len(&b);
}

// Args: subscribers, each of which acknowledges in turn.
void ack(benchmark::State &state)
{
	size_t n = (size_t)state.range(0), who = 0;
	ts_us now = 1000 * TS_S;
	auto all = senders(n, now);
	uint8_t in[64], out[SRT_POLL_MAX];
	uint32_t number = 40;
	srt_verdict v;
	meter m(state);

	for (auto _ : state) {
		size_t len = ack_write(in, number, kIsn + number);

		srt_snd_feed(&all[who], now, in, len, &v);
		while (srt_snd_poll(&all[who], now, out, sizeof(out)) > 0)
			;
		benchmark::DoNotOptimize(srt_snd_expiry(&all[who]));
		if (++who == n) {
			who = 0;
			number++;
			now += 10 * TS_MS;
		}
	}
	m.packets((uint64_t)state.iterations());
}

// Every sender keeps what it sent until it is acknowledged.
void ack_map(benchmark::State &state)
{
	struct sender {
		std::map<uint32_t, ts_us> sent;
		uint32_t next = kIsn;
	};
	std::vector<sender> all((size_t)state.range(0));
	uint8_t in[64];
	size_t who = 0;
	srt_ctrl c;
	srt_ack a;
	meter m(state);

	for (auto _ : state) {
		sender &s = all[who];
		size_t len = ack_write(in, 40, s.next);

		s.sent[s.next++] = who;
		if (srt_pkt_parse_ctrl(in, len, &c) || srt_ack_parse(&c, &a))
			return state.SkipWithError("no ACK");
		s.sent.erase(s.sent.begin(), s.sent.lower_bound(a.next));
		who = (who + 1) % all.size();
	}
	m.packets((uint64_t)state.iterations());
}

// A report of `n` packets that are missing, each alone.
std::vector<uint8_t> report(uint32_t first, unsigned n)
{
	std::vector<uint8_t> data(SRT_POLL_MAX);
	bytes_out b = bytes_out_of(data.data(), data.size());

	srt_pkt_put_ctrl(&b, SRT_NAK, 0, 0, 7);
	for (unsigned i = 0; i < n; i++)
		srt_loss_put(&b, first + 2 * i, first + 2 * i);
	data.resize(bytes_out_len(&b));
	return data;
}

// Args: subscribers, packets that a report asks for. The budget grants them all.
void nak(benchmark::State &state)
{
	size_t n = (size_t)state.range(0), who = 0;
	unsigned asked = (unsigned)state.range(1);
	ts_us now = 1000 * TS_S;
	auto all = senders(n, now);
	uint64_t granted = 0;
	uint32_t at = kIsn, first, last;
	auto in = report(at, asked);
	srt_verdict v;

	for (auto &s : all)
		srt_snd_set_rate(&s, 125000000);
	meter m(state);

	for (auto _ : state) {
		srt_snd &s = all[who];

		srt_snd_feed(&s, now, in.data(), in.size(), &v);
		for (srt_loss l = srt_loss_of(in.data() + v.off, v.len);
			srt_loss_next(&l, &first, &last);)
			granted += srt_snd_resend(&s, now, first, now, 1316) == SRT_RESEND_NOW;
		if (++who == n) {
			who = 0;
			now += 400 * TS_MS; // none of them is a repetition
		}
	}
	if (granted < (uint64_t)state.iterations() * asked / 2)
		state.SkipWithError("repairs were refused");
	m.packets((uint64_t)state.iterations() * asked);
}

void nak_vector(benchmark::State &state)
{
	unsigned asked = (unsigned)state.range(0);
	auto in = report(kIsn, asked);
	uint32_t first, last;
	meter m(state);

	for (auto _ : state) {
		std::vector<uint32_t> list;

		for (srt_loss l = srt_loss_of(in.data() + SRT_HDR, in.size() - SRT_HDR);
			srt_loss_next(&l, &first, &last);)
			for (uint32_t s = first; seq31_off(s, last) >= 0; s = seq31_add(s, 1))
				list.push_back(s);
		benchmark::DoNotOptimize(list.data());
	}
	m.packets((uint64_t)state.iterations() * asked);
}

BENCHMARK(ack)->Arg(1)->Arg(100)->Arg(100000);
BENCHMARK(ack_map)->Arg(1)->Arg(100)->Arg(100000);
BENCHMARK(nak)->Args({1, 1})->Args({1, 64})->Args({100, 1})->Args({100000, 1});
BENCHMARK(nak_vector)->Arg(1)->Arg(64);

} // namespace

BENCHMARK_MAIN();
