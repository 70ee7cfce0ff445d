// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A session against a peer that says anything at any time. The input is a script: one byte for the
// role and the options, then steps: 0 a datagram as it stands, 1 media with a number near the last,
// 2 time passes, 3 the program runs late timers only, 4 it asks for a repair, 5 it closes.

#include "base/bytes.h"
#include "base/seq.h"
#include "fuzz/fuzz.h"
#include "proto/srt_conn.h"

#include <string.h>

enum { ISN = 0x7fffff00, PLAY_SPAN = 40 * 60 };

struct run {
	struct bytes in;
	ts_us now;
	struct srt_conn conn;
	struct srt_rcv rcv;
	uint64_t delivered; // highest number + 1 that was handed on
	uint64_t listed;    // given-up numbers before this have been listed
	uint32_t last;	    // number of the last media step
};

// The peer has to have sent what we say is here or missing.
static void check_said(const struct run *r, const uint8_t *out, size_t len)
{
	struct srt_ctrl c;
	struct srt_ack a;
	struct srt_loss l;
	uint32_t first, last,
		next = seq31_add(ISN, (uint32_t)(r->rcv.intake.window.next & SEQ31_MASK));

	FUZZ_CHECK(!srt_pkt_parse_ctrl(out, len, &c));
	if (c.type == SRT_ACK) {
		FUZZ_CHECK(!srt_ack_parse(&c, &a) && seq31_off(a.next, next) >= 0);
	} else if (c.type == SRT_NAK) {
		l = srt_loss_of(c.cif, c.cif_len);
		FUZZ_CHECK(srt_loss_next(&l, &first, &last));
		FUZZ_CHECK(seq31_off(last, next) > 0);
		while (srt_loss_next(&l, &first, &last))
			FUZZ_CHECK(seq31_off(last, next) > 0);
	}
}

static void service(struct run *r)
{
	uint8_t out[SRT_POLL_MAX];
	uint64_t first, last;
	int said = 0;
	ssize_t n;

	while (srt_conn_gave_up(&r->conn, &first, &last)) {
		FUZZ_CHECK(first <= last && first >= r->listed);
		r->listed = last + 1;
	}
	while ((n = srt_conn_poll(&r->conn, r->now, out, sizeof(out))) > 0) {
		FUZZ_CHECK(++said < 8);
		if (r->conn.role == SRT_CONN_RCV)
			check_said(r, out, (size_t)n);
	}
}

// A program that sleeps until the expiry must find something done then, or it would spin.
static void run_timers(struct run *r)
{
	srt_conn_on_expiry(&r->conn, r->now);
	service(r);
	FUZZ_CHECK(srt_conn_expiry(&r->conn) > r->now || srt_conn_dead(&r->conn, r->now));
}

static void ask_for_repairs(struct run *r, const uint8_t *list, size_t len)
{
	struct srt_loss l = srt_loss_of(list, len);
	uint32_t first, last, budget = 300;

	while (srt_loss_next(&l, &first, &last))
		for (uint32_t seq = first; seq31_off(seq, last) >= 0 && budget--;
			seq = seq31_add(seq, 1))
			FUZZ_CHECK(srt_snd_resend(&r->conn.snd, r->now, seq, r->now - 5000, 1316) <=
				   SRT_RESEND_BUDGET);
}

static void feed(struct run *r, const uint8_t *data, size_t len)
{
	struct srt_verdict v;
	int rc = srt_conn_feed(&r->conn, r->now, data, len, &v);

	FUZZ_CHECK(v.action <= SRT_CLOSE && v.why <= SRT_WHY_UNKNOWN);
	FUZZ_CHECK((v.action == SRT_DROP) == (v.why != SRT_WHY_NONE));
	FUZZ_CHECK(!rc || v.why == SRT_WHY_MALFORMED);
	if (v.action == SRT_DELIVER || v.action == SRT_RESEND)
		FUZZ_CHECK(v.off >= SRT_HDR && v.len && (size_t)v.off + v.len <= len);
	if (v.action == SRT_DELIVER) {
		FUZZ_CHECK(r->conn.role == SRT_CONN_RCV);
		FUZZ_CHECK(v.play <= r->now + PLAY_SPAN * (ts_us)TS_S);
		if (v.seq >= r->delivered)
			r->delivered = v.seq + 1;
	}
	if (v.action == SRT_RESEND) {
		FUZZ_CHECK(r->conn.role == SRT_CONN_SND);
		ask_for_repairs(r, data + v.off, v.len);
	}
	service(r);
}

static void feed_media(struct run *r)
{
	uint8_t d[SRT_HDR + 4] = {0};

	r->last += (uint32_t)(int16_t)bytes_u16(&r->in);
	srt_pkt_write_data(d, seq31_add(ISN, r->last), SRT_WORD1_SINGLE | 1,
		(uint32_t)r->now + bytes_u16(&r->in), 1);
	feed(r, d, sizeof(d));
}

static void step(struct run *r)
{
	size_t len;
	uint8_t op = bytes_u8(&r->in);
	const uint8_t *data;

	switch (op % 6) {
	case 0:
		len = bytes_u16(&r->in) % 1500;
		if (len > bytes_left(&r->in))
			len = bytes_left(&r->in);
		data = bytes_skip(&r->in, len);
		if (data)
			feed(r, data, len);
		break;
	case 1:
		feed_media(r);
		break;
	case 2:
		r->now += bytes_u16(&r->in) * 64u;
		run_timers(r);
		break;
	case 3:
		srt_conn_on_expiry(&r->conn, r->now);
		break;
	case 4:
		if (r->conn.role == SRT_CONN_SND)
			srt_snd_resend(&r->conn.snd, r->now, bytes_u32(&r->in), r->now, 1316);
		break;
	case 5:
		srt_conn_close(&r->conn);
		break;
	}
}

static void start(struct run *r, uint8_t options)
{
	uint32_t latency = (options >> 2) * 5u * TS_MS;

	if (options & 1) {
		srt_conn_init_snd(&r->conn, r->now,
			&(struct srt_snd_opts){.peer_id = 1,
				.isn = ISN,
				.t0 = r->now,
				.latency_us = latency,
				.peer_flags = options});
		return;
	}
	srt_conn_init_rcv(&r->conn, r->now, &r->rcv,
		&(struct srt_rcv_opts){.peer_id = 1,
			.isn = ISN,
			.t0 = r->now,
			.base_arrival = r->now,
			.base_ts = (uint32_t)r->now,
			.latency_us = latency,
			.peer_rexmitflg = options & 2});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run r;

	memset(&r, 0, sizeof(r));
	r.in = bytes_of(data, len);
	r.now = 4290 * (ts_us)TS_S; // the peer's timestamps wrap 5 s later
	start(&r, bytes_u8(&r.in));
	while (bytes_left(&r.in))
		step(&r);
	return 0;
}
