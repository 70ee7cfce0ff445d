// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_caller.h"

#include "base/seq.h"
#include "proto/srt_clock.h"
#include "proto/srt_hs_wire.h"
#include "proto/srt_window.h"

#include <errno.h>
#include <string.h>

enum { REPEAT = 250 * TS_MS, HURRY = 10 * TS_MS, GIVE_UP = 3 * TS_S };

void srt_caller_init(struct srt_caller *c, ts_us now, uint32_t own_id, uint32_t isn,
	uint16_t own_rcv_latency_ms, uint16_t peer_rcv_latency_ms, const char *streamid)
{
	*c = (struct srt_caller){
		.own_id = own_id,
		.isn = isn & SEQ31_MASK,
		.own_rcv_latency_ms = own_rcv_latency_ms,
		.peer_rcv_latency_ms = peer_rcv_latency_ms,
		.streamid = streamid,
		.started = now,
		.due = now + REPEAT,
		.send_due = true,
		.patience = GIVE_UP,
		.own_mss = HS_MSS,
	};
}

void srt_caller_set_limits(struct srt_caller *c, ts_us patience, uint32_t mss)
{
	c->patience = patience;
	c->own_mss = mss;
}

void srt_caller_set_km(struct srt_caller *c, const uint8_t *km, uint16_t km_len)
{
	c->km = km;
	c->km_len = km_len;
}

static bool waiting(const struct srt_caller *c)
{
	return c->state == SRT_CALLER_INDUCTION || c->state == SRT_CALLER_CONCLUSION;
}

static void fail(struct srt_caller *c, int error)
{
	c->state = SRT_CALLER_FAILED;
	c->error = error;
	c->send_due = false;
}

static void feed_induction(struct srt_caller *c, ts_us now, const struct hs_fixed *f)
{
	if (f->type != HS_INDUCTION)
		return;
	if (f->version != HS_VERSION5 || f->extension != HS_MAGIC) {
		fail(c, -EPROTO);
		return;
	}
	c->cookie = f->cookie;
	c->state = SRT_CALLER_CONCLUSION;
	c->send_due = true;
	c->due = now + REPEAT;
}

// A block of a conclusion's answer.
static bool block_find(const uint8_t *data, size_t len, enum hs_block which, struct bytes *out)
{
	struct bytes b = bytes_of(data + SRT_HS_LEN, len - SRT_HS_LEN);
	uint16_t type;

	while (hs_block_next(&b, &type, out))
		if (type == which)
			return true;
	return false;
}

static bool hsrsp_find(const uint8_t *data, size_t len, struct hs_ext *out)
{
	struct bytes content;

	return block_find(data, len, HS_BLOCK_HSRSP, &content) && hs_ext_parse(content, out);
}

// 0, or what the peer has against our key: it echoes the message when it has nothing. One word says
// a state, in whichever byte order (srt-wire 3.4).
static int kmrsp_check(const struct srt_caller *c, const uint8_t *data, size_t len)
{
	struct bytes k;
	uint32_t state;

	if (!c->km)
		return 0;
	if (!block_find(data, len, HS_BLOCK_KMRSP, &k))
		return SRT_REJ_UNSECURE;
	if (bytes_left(&k) == c->km_len && !memcmp(k.at, c->km, c->km_len))
		return 0;
	if (bytes_left(&k) != 4)
		return SRT_REJ_BADSECRET;
	state = be32_get(k.at);
	return state == SRT_KM_NO_SECRET || state == __builtin_bswap32(SRT_KM_NO_SECRET)
		       ? SRT_REJ_UNSECURE
		       : SRT_REJ_BADSECRET;
}

static void feed_conclusion(
	struct srt_caller *c, ts_us now, const struct hs_fixed *f, const uint8_t *data, size_t len)
{
	struct hs_ext e;
	int refused;

	if (f->type != HS_CONCLUSION)
		return;
	if (f->version != HS_VERSION5 || !(f->extension & HS_FLAG_HSREQ) ||
		!hsrsp_find(data, len, &e) || e.version < SRT_VERSION_MIN || !f->id ||
		f->isn & ~SEQ31_MASK) {
		fail(c, -EPROTO);
		return;
	}
	refused = kmrsp_check(c, data, len);
	if (refused) {
		fail(c, refused);
		return;
	}
	c->state = SRT_CALLER_UP;
	c->send_due = false;
	c->peer_id = f->id;
	c->peer_isn = f->isn;
	c->window = f->window;
	c->mss = f->mss < c->own_mss ? f->mss : c->own_mss;
	c->peer_flags = e.flags;
	c->agreed_peer_rcv_latency_ms = e.rcv_latency_ms;
	c->agreed_own_rcv_latency_ms = e.snd_latency_ms;
	c->peer_ts = f->ts;
	c->up_at = now;
}

// Anything else than a handshake, media that overtook the answer for one, makes the caller ask
// again soon: the answer is what it lacks.
static void feed_other(struct srt_caller *c, ts_us now, const uint8_t *data, size_t len)
{
	if (c->state != SRT_CALLER_CONCLUSION || len < 16 || be32_get(data + 12) != c->own_id)
		return;
	c->due = ts_min(c->due, ts_max(now, c->sent + HURRY));
}

void srt_caller_feed(struct srt_caller *c, ts_us now, const uint8_t *data, size_t len)
{
	struct hs_fixed f;

	if (!waiting(c))
		return;
	if (!hs_fixed_parse(data, len, &f)) {
		feed_other(c, now, data, len);
		return;
	}
	if (f.dst != c->own_id)
		return;
	if (f.type >= HS_REJECTED && f.type < 0x80000000u)
		fail(c, (int)f.type);
	else if (c->state == SRT_CALLER_INDUCTION)
		feed_induction(c, now, &f);
	else
		feed_conclusion(c, now, &f, data, len);
}

static void put_extensions(struct bytes_out *b, const struct srt_caller *c)
{
	hs_ext_put(b, HS_BLOCK_HSREQ,
		&(struct hs_ext){.version = SRT_VERSION,
			.flags = SRT_F_OURS,
			.rcv_latency_ms = c->own_rcv_latency_ms,
			.snd_latency_ms = c->peer_rcv_latency_ms});
	if (c->streamid && *c->streamid)
		hs_string_put(b, HS_BLOCK_SID, c->streamid);
	if (c->km)
		hs_km_put(b, HS_BLOCK_KMREQ, c->km, c->km_len);
}

ssize_t srt_caller_poll(struct srt_caller *c, ts_us now, uint8_t *buf, size_t cap)
{
	struct bytes_out b = bytes_out_of(buf, cap);
	bool conclusion = c->state == SRT_CALLER_CONCLUSION;
	bool sid = c->streamid && *c->streamid;
	struct hs_fixed f = {
		.ts = srt_clock_at(c->started, now),
		.version = conclusion ? HS_VERSION5 : HS_VERSION4,
		.extension = 2, // what HSv4 calls a datagram socket
		.isn = c->isn,
		.mss = c->own_mss,
		.window = SRT_WINDOW,
		.type = conclusion ? HS_CONCLUSION : HS_INDUCTION,
		.id = c->own_id,
		.cookie = c->cookie,
	};

	if (!waiting(c) || !c->send_due)
		return 0;
	c->send_due = false;
	c->sent = now;
	if (conclusion)
		f.extension = (uint16_t)(HS_FLAG_HSREQ | (sid ? HS_FLAG_CONFIG : 0) |
					 (c->km ? HS_FLAG_KMREQ : 0));
	if (conclusion && c->km)
		f.encryption = c->km[15] / 2; // of 8 bytes; the message says it of 4
	hs_fixed_put(&b, &f);
	if (conclusion)
		put_extensions(&b, c);
	return (ssize_t)bytes_out_len(&b);
}

ts_us srt_caller_expiry(const struct srt_caller *c)
{
	return waiting(c) ? ts_min(c->due, c->started + c->patience) : TS_NEVER;
}

void srt_caller_on_expiry(struct srt_caller *c, ts_us now)
{
	if (!waiting(c))
		return;
	if (now >= c->started + c->patience) {
		fail(c, -ETIMEDOUT);
	} else if (now >= c->due) {
		c->send_due = true;
		c->due = now + REPEAT;
	}
}
