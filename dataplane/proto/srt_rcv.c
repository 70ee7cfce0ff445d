// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_rcv.h"

#include "proto/srt_clock.h"

#include <errno.h>
#include <string.h>

void srt_rcv_init(struct srt_rcv *r, ts_us now, const struct srt_rcv_opts *o)
{
	r->in = &r->intake;
	srt_intake_init(r->in, o->isn, o->base_arrival, o->base_ts, o->latency_us);
	srt_link_init(&r->link, now, o->peer_id, o->t0, o->peer_rexmitflg);
	srt_link_add(&r->link, r->in, 0);
	r->link.acks.eager = o->grouped;
}

void srt_rcv_join(
	struct srt_rcv *r, ts_us now, const struct srt_rcv_opts *o, const struct srt_rcv *with)
{
	uint64_t from;

	r->in = with->in;
	srt_link_init(&r->link, now, o->peer_id, o->t0, o->peer_rexmitflg);
	if (!srt_intake_number(r->in, o->isn, &from))
		from = 0;
	srt_link_add(&r->link, r->in, from);
	r->link.acks.eager = o->grouped;
}

void srt_rcv_leave(struct srt_rcv *r)
{
	srt_link_del(&r->link, r->in);
}

// --- feed -----------------------------------------------------------------------------------

static int refuse(struct srt_verdict *out, enum srt_why why)
{
	out->action = SRT_DROP;
	out->why = why;
	return why == SRT_WHY_MALFORMED ? -EBADMSG : 0;
}

static void count_data(struct srt_rcv *r, ts_us now, size_t len)
{
	r->link.stats.packets++;
	r->link.stats.bytes += len;
	r->link.last_data = now;
}

// Where a packet has its place: NEW or FILLED, or why it has none.
static enum srt_window_put place(struct srt_rcv *r, ts_us now, uint64_t number, ts_us play)
{
	enum srt_window_put put = srt_intake_put(r->in, number, play);

	srt_link_wake(&r->link, r->in, number);
	srt_link_tidy(r->in);
	if (put != SRT_WINDOW_AHEAD)
		srt_link_reached(&r->link, r->in, now, number);
	return put;
}

// first: the link has brought nothing from here on before.
static int deliver(struct srt_rcv *r, enum srt_window_put put, bool first, struct srt_verdict *out)
{
	switch (put) {
	case SRT_WINDOW_NEW:
	case SRT_WINDOW_FILLED:
		break;
	case SRT_WINDOW_DUPLICATE:
		if (first) {
			r->link.stats.redundant++;
			srt_acks_note_packet(&r->link.acks);
			return 0; // as it should be in a group: it came by another link
		}
		r->link.stats.duplicate++;
		return refuse(out, SRT_WHY_DUPLICATE);
	case SRT_WINDOW_LATE:
		r->link.stats.late++;
		return refuse(out, SRT_WHY_LATE);
	case SRT_WINDOW_AHEAD:
		return refuse(out, SRT_WHY_AHEAD);
	}
	out->action = SRT_DELIVER;
	out->recovered = put == SRT_WINDOW_FILLED;
	r->link.stats.recovered += out->recovered;
	r->link.stats.unique++;
	srt_acks_note_packet(&r->link.acks);
	return 0;
}

static int feed_data(
	struct srt_rcv *r, ts_us now, const uint8_t *data, size_t len, struct srt_verdict *out)
{
	enum srt_window_put put = SRT_WINDOW_LATE;
	uint64_t end = r->link.end;
	struct srt_data d;

	if (srt_pkt_parse_data(data, len, &d) || !d.len || d.len > UINT16_MAX)
		return refuse(out, SRT_WHY_MALFORMED);
	if (d.word1 & SRT_WORD1_KK)
		return refuse(out, SRT_WHY_CRYPTO);
	count_data(r, now, d.len);
	out->off = SRT_HDR;
	out->len = (uint16_t)d.len;
	out->play = srt_tsbpd_play(&r->in->tsbpd, now, d.ts);
	out->retransmitted = r->link.peer_rexmitflg && d.word1 & SRT_WORD1_R;
	if (srt_intake_number(r->in, d.seq, &out->seq))
		put = place(r, now, out->seq, out->play);
	r->link.stats.again += out->retransmitted;
	return deliver(r, put, out->seq >= end, out);
}

static int feed_dropreq(struct srt_rcv *r, const struct srt_ctrl *c, struct srt_verdict *out)
{
	struct srt_intake *in = r->in;
	uint64_t first, last;
	uint32_t f, l;

	if (srt_dropreq_parse(c, &f, &l))
		return refuse(out, SRT_WHY_MALFORMED);
	if (!srt_intake_number(in, l, &last))
		return 0;
	if (!srt_intake_number(in, f, &first) || first > last)
		first = 0;
	srt_link_drop(&r->link, in, first, last);
	srt_link_tidy(in);
	return 0;
}

static int feed_ctrl(
	struct srt_rcv *r, ts_us now, const struct srt_ctrl *c, struct srt_verdict *out)
{
	switch (c->type) {
	case SRT_ACKACK:
		srt_link_ackack(&r->link, r->in, now, c);
		return 0;
	case SRT_DROPREQ:
		return feed_dropreq(r, c, out);
	case SRT_SHUTDOWN:
		r->link.closed = true;
		out->action = SRT_CLOSE;
		return 0;
	case SRT_KEEPALIVE:
		r->link.resting = true;
		return 0;
	case SRT_HANDSHAKE:
	case SRT_CONGESTION:
	case SRT_PEERERROR:
		return 0;
	case SRT_USER:
		return refuse(out, SRT_WHY_CRYPTO); // only key material travels so
	default:
		return refuse(out, SRT_WHY_UNEXPECTED);
	}
}

static void give_up_late(struct srt_rcv *r, ts_us now)
{
	srt_intake_late(r->in, now);
	srt_link_tidy(r->in);
}

int srt_rcv_feed(
	struct srt_rcv *r, ts_us now, const uint8_t *data, size_t len, struct srt_verdict *out)
{
	struct srt_ctrl c;
	int rc;

	*out = (struct srt_verdict){.action = SRT_ABSORB};
	if (len < SRT_HDR)
		return refuse(out, SRT_WHY_MALFORMED);
	if (r->link.closed)
		return refuse(out, SRT_WHY_UNEXPECTED);
	r->link.last_rx = now;
	give_up_late(r, now);
	if (!srt_pkt_is_ctrl(data))
		return feed_data(r, now, data, len, out);
	rc = srt_pkt_parse_ctrl(data, len, &c);
	if (rc)
		return refuse(out, rc == -ENOTSUP ? SRT_WHY_UNKNOWN : SRT_WHY_MALFORMED);
	return feed_ctrl(r, now, &c, out);
}

// --- the rest -------------------------------------------------------------------------------

ssize_t srt_rcv_poll(struct srt_rcv *r, ts_us now, uint8_t *buf, size_t cap)
{
	struct bytes_out b = bytes_out_of(buf, cap < SRT_POLL_MAX ? cap : SRT_POLL_MAX);

	return srt_link_poll(&r->link, r->in, now, &b) ? (ssize_t)bytes_out_len(&b) : 0;
}

ts_us srt_rcv_expiry(const struct srt_rcv *r)
{
	ts_us due = srt_link_expiry(&r->link, r->in);

	return r->link.closed ? due : ts_min(due, srt_late_expiry(&r->in->late));
}

void srt_rcv_on_expiry(struct srt_rcv *r, ts_us now)
{
	if (!r->link.closed)
		give_up_late(r, now);
}

bool srt_rcv_gave_up(struct srt_rcv *r, uint64_t *first, uint64_t *last)
{
	return srt_window_given_up(&r->in->window, first, last);
}

bool srt_rcv_dead(const struct srt_rcv *r, ts_us now)
{
	return r->link.closed || now >= r->link.last_rx + SRT_DEAD_AFTER;
}

void srt_rcv_close(struct srt_rcv *r)
{
	r->link.close_due = !r->link.closed;
}

uint64_t srt_rcv_first_hole(const struct srt_rcv *r)
{
	return r->in->window.hole;
}

ts_us srt_rcv_last_data(const struct srt_rcv *r)
{
	return r->link.last_data;
}

uint64_t srt_rcv_given_up(const struct srt_rcv *r)
{
	return r->in->given_up;
}

const struct srt_rcv_stats *srt_rcv_stats(const struct srt_rcv *r)
{
	return &r->link.stats;
}

const struct srt_rtt *srt_rcv_rtt(const struct srt_rcv *r)
{
	return &r->link.rtt;
}
