// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_snd.h"

#include "base/seq.h"
#include "base/thin.h"
#include "proto/srt_clock.h"

#include <errno.h>

enum {
	STAND_WAIT = 20 * TS_MS, // ACKs come every 10 ms while anything does
	STAND_END = 2 * TS_S,	 // after the start, for a peer that says nothing
	DEAD_MAX = 30 * TS_S,
};

void srt_snd_init(struct srt_snd *s, ts_us now, const struct srt_snd_opts *o)
{
	memset(s, 0, sizeof(*s));
	s->t0 = o->t0;
	s->last_rx = s->last_tx = now;
	s->peer_id = o->peer_id;
	s->acked = o->isn & SEQ31_MASK;
	s->latency_us = o->latency_us;
	s->peer_flags = (uint8_t)o->peer_flags;
	s->rtt = srt_rtt_initial();
	srt_repair_init(&s->repair, now, o->latency_us, o->repair_percent);
	s->repair.mark = (uint16_t)o->isn;
	s->stand_at = now + STAND_WAIT;
}

// --- feed -----------------------------------------------------------------------------------

static int refuse(struct srt_verdict *out, enum srt_why why)
{
	out->action = SRT_DROP;
	out->why = why;
	return why == SRT_WHY_MALFORMED ? -EBADMSG : 0;
}

static int feed_ack(struct srt_snd *s, ts_us now, const struct srt_ctrl *c, struct srt_verdict *out)
{
	struct srt_ack a;

	if (srt_ack_parse(c, &a))
		return refuse(out, SRT_WHY_MALFORMED);
	if (a.number > THIN_PASS_FIRST)
		s->stand_at = TS_NEVER;
	if (seq31_off(s->acked, a.next) > 0) {
		s->acked = a.next;
		if (s->stand_at != TS_NEVER) {
			s->standing_due = srt_rtt_bounded(&s->rtt);
			s->stand_at = now + STAND_WAIT;
		}
	}
	if (a.light)
		return 0;
	s->free_packets = a.free_packets;
	srt_rtt_adopt(&s->rtt, a.rtt_us, a.rtt_var_us);
	s->ackack = a.number;
	s->ackack_due = true;
	return 0;
}

static int feed_nak(struct srt_snd *s, const struct srt_ctrl *c, struct srt_verdict *out)
{
	srt_repair_begin(&s->repair);
	s->asked = true;
	if (c->cif_len < 4 || c->cif_len > UINT16_MAX)
		return refuse(out, SRT_WHY_MALFORMED);
	out->action = SRT_RESEND;
	out->off = SRT_HDR;
	out->len = (uint16_t)c->cif_len;
	return 0;
}

static int feed_ctrl(
	struct srt_snd *s, ts_us now, const struct srt_ctrl *c, struct srt_verdict *out)
{
	switch (c->type) {
	case SRT_ACK:
		return feed_ack(s, now, c, out);
	case SRT_NAK:
		return feed_nak(s, c, out);
	case SRT_SHUTDOWN:
		s->closed = true;
		out->action = SRT_CLOSE;
		return 0;
	case SRT_HANDSHAKE:
	case SRT_KEEPALIVE:
	case SRT_CONGESTION:
	case SRT_PEERERROR:
		return 0;
	case SRT_USER:
		return refuse(out, SRT_WHY_CRYPTO); // only key material travels so
	default:
		return refuse(out, SRT_WHY_UNEXPECTED);
	}
}

int srt_snd_feed(
	struct srt_snd *s, ts_us now, const uint8_t *data, size_t len, struct srt_verdict *out)
{
	struct srt_ctrl c;
	int rc;

	*out = (struct srt_verdict){.action = SRT_ABSORB};
	if (len < SRT_HDR)
		return refuse(out, SRT_WHY_MALFORMED);
	if (s->closed)
		return refuse(out, SRT_WHY_UNEXPECTED);
	s->last_rx = now;
	if (!srt_pkt_is_ctrl(data))
		return refuse(out, SRT_WHY_UNEXPECTED);
	rc = srt_pkt_parse_ctrl(data, len, &c);
	if (rc)
		return refuse(out, rc == -ENOTSUP ? SRT_WHY_UNKNOWN : SRT_WHY_MALFORMED);
	return feed_ctrl(s, now, &c, out);
}

// --- repair ---------------------------------------------------------------------------------

static struct srt_repair_wait repair_wait(const struct srt_rtt *r)
{
	return (struct srt_repair_wait){
		.window_us = srt_rtt_suppress(r),
		.knows_us = srt_rtt_known(r) ? srt_rtt_ceiling(r) : 0,
	};
}

enum srt_resend srt_snd_resend(
	struct srt_snd *s, ts_us now, uint32_t seq, ts_us stream_play, uint16_t len)
{
	if (now >= stream_play + s->latency_us + s->rtt.us / 2)
		return SRT_RESEND_LATE;
	s->repair.hurry = s->stand_at != TS_NEVER;
	switch (srt_repair_ask(&s->repair, now, seq, len, repair_wait(&s->rtt))) {
	case SRT_REPAIR_YES:
		if (s->asked && s->repair.again)
			s->stand_at = TS_NEVER; // it reports periodically now
		break;
	case SRT_REPAIR_REPEATED:
		return SRT_RESEND_REPEATED;
	case SRT_REPAIR_BROKE:
		return SRT_RESEND_BUDGET;
	}
	return SRT_RESEND_NOW;
}

static void watch_standing(struct srt_snd *s, ts_us now)
{
	uint32_t answer = srt_rtt_known(&s->rtt) ? s->rtt.us : 0;

	if (now < s->stand_at)
		return;
	s->standing_due = now < s->t0 + STAND_END;
	s->stand_at = s->standing_due ? now + STAND_WAIT + answer : TS_NEVER;
}

bool srt_snd_standing(struct srt_snd *s, uint8_t list[4])
{
	if (!s->standing_due || s->closed)
		return false;
	s->standing_due = s->asked = false;
	srt_repair_begin(&s->repair);
	be32_put(list, s->acked);
	return true;
}

void srt_snd_bound(struct srt_snd *s, ts_us now, ts_us first_sent)
{
	if (s->asked && now - first_sent < SRT_RTT_MAX)
		srt_rtt_bound(&s->rtt, (uint32_t)(now - first_sent));
}

bool srt_snd_told(const struct srt_snd *s, ts_us now, ts_us first_sent)
{
	return !srt_rtt_bounded(&s->rtt) || now >= first_sent + srt_rtt_ceiling(&s->rtt);
}

bool srt_snd_probe(struct srt_snd *s, ts_us now, uint32_t seq, ts_us stream_play, uint16_t len)
{
	return srt_rtt_bounded(&s->rtt) && srt_repair_heavy(&s->repair, s->acked) &&
	       now < stream_play + s->latency_us && srt_repair_probe(&s->repair, now, seq, len);
}

bool srt_snd_fresh(const struct srt_snd *s, ts_us now, ts_us first_sent)
{
	return srt_rtt_known(&s->rtt) && now < first_sent + srt_rtt_floor(&s->rtt);
}

size_t srt_snd_dropreq(struct srt_snd *s, ts_us now, uint32_t first, uint32_t last, uint8_t *out)
{
	s->last_tx = ts_max(s->last_tx, now);
	return srt_dropreq_write(
		out, first & SEQ31_MASK, last & SEQ31_MASK, srt_snd_ts(s, now), s->peer_id);
}

// --- poll and time --------------------------------------------------------------------------

static bool poll_one(struct srt_snd *s, ts_us now, struct bytes_out *b)
{
	if (s->close_due) {
		s->close_due = false;
		s->closed = true;
		srt_pkt_put_bare(b, SRT_SHUTDOWN, 0, srt_snd_ts(s, now), s->peer_id);
	} else if (s->closed) {
		return false;
	} else if (s->ackack_due) {
		s->ackack_due = false;
		srt_pkt_put_bare(b, SRT_ACKACK, s->ackack, srt_snd_ts(s, now), s->peer_id);
	} else if (s->keepalive_due) {
		s->keepalive_due = false;
		srt_pkt_put_bare(b, SRT_KEEPALIVE, 0, srt_snd_ts(s, now), s->peer_id);
	} else {
		return false;
	}
	return true;
}

ssize_t srt_snd_poll(struct srt_snd *s, ts_us now, uint8_t *buf, size_t cap)
{
	struct bytes_out b = bytes_out_of(buf, cap);

	if (!poll_one(s, now, &b))
		return 0;
	s->last_tx = ts_max(s->last_tx, now);
	return (ssize_t)bytes_out_len(&b);
}

void srt_snd_note_sent(struct srt_snd *s, ts_us at)
{
	s->last_tx = ts_max(s->last_tx, at);
}

void srt_snd_set_rate(struct srt_snd *s, uint32_t rate)
{
	srt_repair_set_rate(&s->repair, rate);
}

// When a peer that has said nothing since is taken for dead. One that is far away and gets nothing
// new repeats its ACK once a round trip, and of these all but every 32nd are thinned out; it sends
// no keepalive meanwhile, for it has sent something.
static ts_us dead_at(const struct srt_snd *s)
{
	ts_us repeats =
		srt_rtt_known(&s->rtt) ? (THIN_EACH + 1) * (ts_us)srt_rtt_ack_repeat(&s->rtt) : 0;

	return s->last_rx + ts_max(SRT_DEAD_AFTER, ts_min(repeats, DEAD_MAX));
}

ts_us srt_snd_expiry(const struct srt_snd *s)
{
	ts_us due = ts_min(s->last_tx + SRT_KEEPALIVE_AFTER, dead_at(s));

	if (s->close_due || (!s->closed && (s->ackack_due || s->keepalive_due)))
		return 0;
	return s->closed ? TS_NEVER : ts_min(due, s->stand_at);
}

void srt_snd_on_expiry(struct srt_snd *s, ts_us now)
{
	if (s->closed)
		return;
	if (now >= s->last_tx + SRT_KEEPALIVE_AFTER)
		s->keepalive_due = true;
	watch_standing(s, now);
}

bool srt_snd_dead(const struct srt_snd *s, ts_us now)
{
	return s->closed || now >= dead_at(s);
}

void srt_snd_close(struct srt_snd *s)
{
	s->close_due = !s->closed;
}

uint32_t srt_snd_ts(const struct srt_snd *s, ts_us now)
{
	return srt_clock_at(s->t0, now);
}
