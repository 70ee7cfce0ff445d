// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What a publisher's packets cost in its receiver: window, play time, acknowledgements and loss
// reports, without and with losses that are repaired. An item is a packet that comes. Beside it the
// naive receiver, a set of the numbers that are missing, which acknowledges nothing; and the
// ceiling, reading the header.

#include "bench.h"

extern "C" {
#include "base/seq.h"
#include "proto/srt_rcv.h"
}

#include <memory>
#include <set>

namespace
{

constexpr uint32_t kIsn = 1000;
constexpr ts_us kSpacing = 100; // between packets
constexpr size_t kLen = SRT_HDR + 1316;

void packet(uint8_t *out, uint64_t n, bool again)
{
	srt_pkt_write_data(out, seq31_add(kIsn, (uint32_t)n),
		SRT_WORD1_SINGLE | (again ? SRT_WORD1_R : 0) | seq_msgno(n),
		(uint32_t)(100 * TS_S + n * kSpacing), 7);
}

// The other end of the way: answers ACKs, and sends again what is asked for.
struct publisher {
	std::unique_ptr<srt_rcv> r{new srt_rcv};
	ts_us now = 1000 * TS_S;
	uint64_t n = 0, fed = 0;
	uint8_t data[kLen] = {}, out[SRT_POLL_MAX];

	publisher()
	{
		srt_rcv_opts o = {};

		o.isn = kIsn;
		o.t0 = o.base_arrival = now;
		o.base_ts = (uint32_t)(100 * TS_S);
		o.latency_us = 120 * TS_MS;
		o.peer_rexmitflg = true;
		srt_rcv_init(r.get(), now, &o);
	}

	void feed(const uint8_t *bytes, size_t len)
	{
		srt_verdict v;

		srt_rcv_feed(r.get(), now, bytes, len, &v);
		benchmark::DoNotOptimize(v);
	}

	void send_again(const srt_ctrl &c)
	{
		srt_loss loss = srt_loss_of(c.cif, c.cif_len);
		uint8_t again[kLen] = {};
		uint32_t first, last;

		while (srt_loss_next(&loss, &first, &last))
			for (uint32_t s = first; seq31_off(s, last) >= 0; s = seq31_add(s, 1)) {
				packet(again, (uint32_t)seq31_off(kIsn, s), true);
				feed(again, kLen);
				fed++;
			}
	}

	void answer(ssize_t len)
	{
		uint8_t reply[SRT_BARE_LEN];
		bytes_out b = bytes_out_of(reply, sizeof(reply));
		srt_ctrl c;

		if (srt_pkt_parse_ctrl(out, (size_t)len, &c))
			return;
		if (c.type == SRT_NAK)
			send_again(c);
		if (c.type != SRT_ACK || !c.info)
			return;
		srt_pkt_put_bare(&b, SRT_ACKACK, c.info, 0, 7);
		feed(reply, sizeof(reply));
	}

	// The next packet; lost: it does not come.
	void step(bool lost)
	{
		uint64_t first, last;
		ssize_t len;

		now += kSpacing;
		if (!lost) {
			packet(data, n, false);
			feed(data, kLen);
			fed++;
		}
		n++;
		if (srt_rcv_expiry(r.get()) <= now)
			srt_rcv_on_expiry(r.get(), now);
		while (srt_rcv_gave_up(r.get(), &first, &last))
			;
		while ((len = srt_rcv_poll(r.get(), now, out, sizeof(out))) > 0)
			answer(len);
	}
};

// Args: packets of a thousand that are lost, each alone.
void receive(benchmark::State &state)
{
	publisher p;
	shuffled r;
	meter m(state);

	for (auto _ : state)
		p.step(r.next() % 1000 < (uint64_t)state.range(0));
	m.packets(p.fed);
	if (srt_rcv_given_up(p.r.get()) > p.n / 1000)
		state.SkipWithError("repairs did not come");
}

void receive_set(benchmark::State &state)
{
	std::set<uint64_t> missing;
	uint8_t data[kLen] = {};
	uint64_t next = 0, n = 0, fed = 0;
	shuffled r;
	srt_data d;
	meter m(state);

	for (auto _ : state) {
		bool lost = r.next() % 1000 < (uint64_t)state.range(0);

		packet(data, n, false);
		srt_pkt_parse_data(data, kLen, &d);
		if (lost) {
			missing.insert(n);
		} else {
			missing.erase(seq31_extend(next, seq31_add(d.seq, 0u - kIsn)));
			next = n;
			fed++;
		}
		if (missing.size() > 64) // what was asked for comes
			missing.erase(missing.begin());
		n++;
	}
	m.packets(fed);
}

void parse_only(benchmark::State &state)
{
	uint8_t data[kLen] = {};
	uint64_t n = 0;
	srt_data d;
	meter m(state);

	for (auto _ : state) {
		packet(data, n++, false);
		benchmark::DoNotOptimize(srt_pkt_parse_data(data, kLen, &d));
		benchmark::DoNotOptimize(d);
	}
	m.packets(n);
}

BENCHMARK(receive)->Arg(0)->Arg(10)->Arg(100);
BENCHMARK(receive_set)->Arg(0)->Arg(10)->Arg(100);
BENCHMARK(parse_only);

} // namespace

BENCHMARK_MAIN();
