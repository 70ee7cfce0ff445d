// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A call of ours to a listener that says anything at any time, from the first datagram to the media
// and beyond. The input is a script: one byte for the role and the key, then steps: 0 a datagram as
// it stands, 1 one with our id and a handshake's type put into it, 2 a proper answer with numbers
// of the script, of which one byte may be changed, 3 time passes, 4 we close.

#include "base/bytes.h"
#include "base/seq.h"
#include "fuzz/fuzz.h"
#include "proto/srt_caller.h"
#include "proto/srt_conn.h"
#include "proto/srt_hs.h"

#include <string.h>

enum { OWN_ID = 0x144c56f9, ISN = 0x7fffff00, DATAGRAM = 1500 };

struct run {
	struct bytes in;
	ts_us now, t0;
	bool sending, up, keyed;
	uint8_t km[SRT_KM_MAX];
	uint16_t km_len;
	struct srt_caller call;
	struct srt_conn conn;
	struct srt_rcv rcv;
};

// What the dataplane does with a call that was answered.
static void come_up(struct run *r)
{
	const struct srt_caller *c = &r->call;

	FUZZ_CHECK(c->peer_id && !(c->peer_isn & ~SEQ31_MASK) && c->mss <= 1500 && !c->error);
	r->up = true;
	if (r->sending)
		srt_conn_init_snd(&r->conn, r->now,
			&(struct srt_snd_opts){.peer_id = c->peer_id,
				.isn = c->isn,
				.t0 = r->t0,
				.latency_us = c->agreed_peer_rcv_latency_ms * TS_MS,
				.peer_flags = c->peer_flags});
	else
		srt_conn_init_rcv(&r->conn, r->now, &r->rcv,
			&(struct srt_rcv_opts){.own_id = OWN_ID,
				.peer_id = c->peer_id,
				.isn = c->peer_isn,
				.t0 = r->t0,
				.base_arrival = c->up_at,
				.base_ts = c->peer_ts,
				.latency_us = c->agreed_own_rcv_latency_ms * TS_MS,
				.peer_rexmitflg = c->peer_flags & SRT_F_REXMITFLG});
}

static void service(struct run *r)
{
	uint8_t out[SRT_HS_REQUEST_MAX];
	uint64_t first, last;
	int said = 0;

	FUZZ_CHECK((r->call.state == SRT_CALLER_FAILED) == (r->call.error != 0));
	while (srt_caller_poll(&r->call, r->now, out, sizeof(out)) > 0)
		FUZZ_CHECK(++said < 2);
	if (!r->up)
		return;
	while (srt_conn_gave_up(&r->conn, &first, &last))
		FUZZ_CHECK(first <= last);
	for (said = 0; srt_conn_poll(&r->conn, r->now, out, sizeof(out)) > 0;)
		FUZZ_CHECK(++said < 8);
}

static void feed(struct run *r, const uint8_t *data, size_t len)
{
	struct srt_verdict v;

	if (r->up) {
		srt_conn_feed(&r->conn, r->now, data, len, &v);
		FUZZ_CHECK(v.action <= SRT_CLOSE && v.why <= SRT_WHY_UNKNOWN);
		if (v.action == SRT_DELIVER || v.action == SRT_RESEND)
			FUZZ_CHECK(v.off >= SRT_HDR && v.len && (size_t)v.off + v.len <= len);
	} else {
		srt_caller_feed(&r->call, r->now, data, len);
		if (r->call.state == SRT_CALLER_UP)
			come_up(r);
	}
	service(r);
}

// A datagram of the script, of exactly its size so that a sanitizer sees every byte read too far.
static void feed_copy(struct run *r, bool ours)
{
	size_t len = bytes_u16(&r->in) % DATAGRAM;
	const uint8_t *data;
	uint8_t *d;

	if (len > bytes_left(&r->in))
		len = bytes_left(&r->in);
	data = bytes_skip(&r->in, len);
	d = malloc(len ? len : 1);
	FUZZ_CHECK(d);
	if (data)
		memcpy(d, data, len);
	if (ours && len >= SRT_HS_LEN) {
		be32_put(d, 0x80000000u);
		be32_put(d + 12, OWN_ID);
	}
	feed(r, d, len);
	free(d);
}

// Induction or conclusion as a listener writes them; a key is echoed, but for a change.
static void feed_answer(struct run *r)
{
	uint8_t out[SRT_HS_ANSWER_MAX], induction[SRT_HS_LEN] = {0x80};
	struct srt_hs_answer a = {.caller_id = OWN_ID, .cookie = r->call.cookie};
	size_t len = SRT_HS_LEN, at;
	uint16_t change;

	a.own_id = bytes_u16(&r->in);
	a.isn = ISN + bytes_u8(&r->in);
	a.mss = bytes_u16(&r->in);
	a.window = bytes_u16(&r->in);
	a.flags = bytes_u8(&r->in);
	a.own_rcv_latency_ms = bytes_u16(&r->in);
	a.peer_rcv_latency_ms = bytes_u16(&r->in);
	change = bytes_u16(&r->in);
	if (r->keyed) {
		a.km_len = r->km_len;
		memcpy(a.km, r->km, r->km_len);
	}
	if (r->call.state == SRT_CALLER_INDUCTION) {
		be32_put(induction + 16, 4);
		be32_put(induction + 36, 1);
		be32_put(induction + 40, OWN_ID);
		srt_hs_induction_answer(induction, 4711, out);
	} else {
		len = srt_hs_answer_write(&a, (uint32_t)r->now, out, sizeof(out));
	}
	at = change >> 8; // beyond the end: nothing is changed
	if (at < len)
		out[at] ^= (uint8_t)change;
	feed(r, out, len);
}

// A program that sleeps until the expiry must find something done then, or it would spin.
static void pass_time(struct run *r)
{
	r->now += bytes_u16(&r->in) * 64u;
	if (r->up) {
		srt_conn_on_expiry(&r->conn, r->now);
		service(r);
		FUZZ_CHECK(srt_conn_expiry(&r->conn) > r->now || srt_conn_dead(&r->conn, r->now));
		return;
	}
	srt_caller_on_expiry(&r->call, r->now);
	service(r);
	FUZZ_CHECK(srt_caller_expiry(&r->call) > r->now);
}

static void step(struct run *r)
{
	switch (bytes_u8(&r->in) % 5) {
	case 0:
		feed_copy(r, false);
		break;
	case 1:
		feed_copy(r, true);
		break;
	case 2:
		feed_answer(r);
		break;
	case 3:
		pass_time(r);
		break;
	case 4:
		if (r->up)
			srt_conn_close(&r->conn);
		break;
	}
}

static void start(struct run *r, uint8_t options)
{
	static const uint8_t kek[SRT_KM_SEK_MAX] = {1, 2, 3};
	static const uint8_t lens[] = {16, 24, 32};
	struct srt_km_keys k = {
		.has = SRT_KM_EVEN, .cipher = SRT_KM_CTR, .key_len = lens[(options >> 2) % 3]};

	r->sending = options & 1;
	r->keyed = options & 2;
	srt_caller_init(
		&r->call, r->now, OWN_ID, ISN, 120, 120, options & 32 ? "" : "publish/cam-1");
	if (!r->keyed)
		return;
	r->km_len = (uint16_t)srt_km_write(&k, kek, r->km);
	FUZZ_CHECK(r->km_len);
	srt_caller_set_km(&r->call, r->km, r->km_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run r;

	memset(&r, 0, sizeof(r));
	r.in = bytes_of(data, len);
	r.now = r.t0 = 4290 * (ts_us)TS_S;
	start(&r, bytes_u8(&r.in));
	while (bytes_left(&r.in))
		step(&r);
	return 0;
}
