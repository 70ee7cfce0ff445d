// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Three links of a group, fed with whatever in whatever order, coming and going. First byte:
// latency and how many begin. Then steps; each names its link.

#include "base/seq.h"
#include "fuzz/fuzz.h"
#include "proto/srt_rcv.h"

#include <string.h>

enum { LINKS = 3, ISN = 0x7ffffff0, REMEMBERED = 1 << 15, RAW_MAX = 64, FAR = 1 << 28 };

struct link {
	struct srt_rcv rcv;
	bool in;
	uint32_t sent_end; // the newest sequence number that its peer has spoken of, plus 1
};

struct run {
	struct bytes in;
	ts_us now;
	struct srt_rcv host; // what has come is in here: the first link's memory may serve again
	struct link links[LINKS];
	uint32_t last, latency_us;
	uint64_t delivered[REMEMBERED], listed; // number + 1
};

static struct srt_rcv_opts opts_of(const struct run *r, uint32_t isn)
{
	return (struct srt_rcv_opts){.peer_id = 1,
		.isn = isn,
		.t0 = r->now,
		.base_arrival = r->now,
		.base_ts = (uint32_t)r->now,
		.latency_us = r->latency_us,
		.peer_rexmitflg = true};
}

static void join(struct run *r, struct link *l)
{
	struct srt_rcv_opts o = opts_of(r, seq31_add(ISN, r->last));

	srt_rcv_join(&l->rcv, r->now, &o, &r->host);
	l->in = true;
	l->sent_end = o.isn;
}

// The peer has to have sent on this link what we say is here or missing.
static void check_said(const struct link *l, const uint8_t *out, size_t len)
{
	struct srt_ctrl c;
	struct srt_ack a;
	struct srt_loss loss;
	uint32_t first, last;

	FUZZ_CHECK(!srt_pkt_parse_ctrl(out, len, &c));
	if (c.type == SRT_ACK)
		FUZZ_CHECK(!srt_ack_parse(&c, &a) && seq31_off(a.next, l->sent_end) >= 0);
	if (c.type != SRT_NAK)
		return;
	loss = srt_loss_of(c.cif, c.cif_len);
	FUZZ_CHECK(srt_loss_next(&loss, &first, &last));
	do
		FUZZ_CHECK(seq31_off(first, last) >= 0 && seq31_off(last, l->sent_end) > 0);
	while (srt_loss_next(&loss, &first, &last));
}

static void service(struct run *r, struct link *l)
{
	uint8_t out[SRT_POLL_MAX];
	uint64_t first, last;
	int said = 0;
	ssize_t n;

	while (srt_rcv_gave_up(&l->rcv, &first, &last)) {
		FUZZ_CHECK(first <= last && first >= r->listed);
		r->listed = last + 1;
	}
	while ((n = srt_rcv_poll(&l->rcv, r->now, out, sizeof(out))) > 0) {
		FUZZ_CHECK(++said < 8);
		check_said(l, out, (size_t)n);
	}
	FUZZ_CHECK(srt_rcv_expiry(&l->rcv) > r->now || srt_rcv_dead(&l->rcv, r->now) ||
		   srt_late_expiry(&l->rcv.in->late) <= r->now);
}

// Numbers that lie so far apart cannot be told in order, neither here nor there.
static bool spoke_of(struct link *l, uint32_t end)
{
	int32_t off = seq31_off(ISN, end);

	if (off > FAR || off < -FAR)
		return false;
	if (seq31_off(l->sent_end, end) > 0)
		l->sent_end = end;
	return true;
}

static void feed(struct run *r, struct link *l, const uint8_t *data, size_t len)
{
	struct srt_verdict v;
	struct srt_data d;
	struct srt_ctrl c;
	uint32_t first, last;

	if (!srt_pkt_parse_data(data, len, &d) && !spoke_of(l, seq31_add(d.seq, 1)))
		return;
	if (!srt_pkt_parse_ctrl(data, len, &c) && c.type == SRT_DROPREQ &&
		!srt_dropreq_parse(&c, &first, &last) && !spoke_of(l, seq31_add(last, 1)))
		return;
	srt_rcv_feed(&l->rcv, r->now, data, len, &v);
	FUZZ_CHECK((v.action == SRT_DROP) == (v.why != SRT_WHY_NONE));
	if (v.action == SRT_DELIVER) {
		FUZZ_CHECK(r->delivered[v.seq % REMEMBERED] != v.seq + 1);
		FUZZ_CHECK((size_t)v.off + v.len <= len);
		r->delivered[v.seq % REMEMBERED] = v.seq + 1;
	}
	service(r, l);
}

static void feed_media(struct run *r, struct link *l)
{
	uint8_t d[SRT_HDR + 4] = {0};

	srt_pkt_write_data(d, seq31_add(ISN, r->last), SRT_WORD1_SINGLE | 1, (uint32_t)r->now, 1);
	feed(r, l, d, sizeof(d));
}

static void feed_drop(struct run *r, struct link *l)
{
	uint8_t d[SRT_DROPREQ_LEN];
	uint32_t first = seq31_add(ISN, r->last - bytes_u8(&r->in));

	srt_dropreq_write(d, first, seq31_add(first, bytes_u8(&r->in)), (uint32_t)r->now, 1);
	feed(r, l, d, sizeof(d));
}

static void feed_raw(struct run *r, struct link *l)
{
	size_t len = bytes_u8(&r->in) % RAW_MAX;
	const uint8_t *data;

	len = len < bytes_left(&r->in) ? len : bytes_left(&r->in);
	data = bytes_skip(&r->in, len);
	if (data)
		feed(r, l, data, len);
}

static void toggle(struct run *r, struct link *l)
{
	if (!l->in) {
		join(r, l);
		return;
	}
	srt_rcv_leave(&l->rcv);
	l->in = false;
}

static void step(struct run *r)
{
	uint8_t op = bytes_u8(&r->in);
	struct link *l = &r->links[op >> 4 & 3 ? (op >> 4 & 3) - 1 : 0];

	switch (op % 8) {
	case 0:
	case 1:
		r->last += op % 8 ? 1 : (uint32_t)(int16_t)bytes_u16(&r->in);
		break;
	case 2:
		r->now += bytes_u16(&r->in) * 8u;
		if (l->in) {
			srt_rcv_on_expiry(&l->rcv, r->now);
			service(r, l);
		}
		break;
	case 3:
		toggle(r, l);
		break;
	case 4:
	case 5:
		if (l->in)
			feed_media(r, l);
		break;
	case 6:
		if (l->in)
			feed_drop(r, l);
		break;
	case 7:
		if (l->in)
			feed_raw(r, l);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run r;
	struct srt_rcv_opts o;
	uint8_t begin;

	memset(&r, 0, sizeof(r));
	r.in = bytes_of(data, len);
	r.now = 4290 * (ts_us)TS_S; // the peer's timestamps wrap 5 s later
	begin = bytes_u8(&r.in);
	r.latency_us = (begin >> 2) * 5u * TS_MS;
	o = opts_of(&r, ISN);
	srt_rcv_init(&r.host, r.now, &o);
	srt_rcv_leave(&r.host);
	for (unsigned i = 0; i < (begin & 3u); i++)
		join(&r, &r.links[i]);
	while (bytes_left(&r.in))
		step(&r);
	return 0;
}
