// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_rcv.h"

#include "base/seq.h"
#include "proto/srt_clock.h"

#include <errno.h>

enum {
	AHEAD_STEP = 64, // two packets this near to each other prove a jump of the sender
	NAK_PERIOD_LEAST = 5 * TS_MS,
	BLIND_DOUBLINGS = 2, // of the report's period while the round trip is unknown
};

void srt_rcv_init(struct srt_rcv *r, ts_us now, const struct srt_rcv_opts *o)
{
	memset(r, 0, sizeof(*r));
	srt_window_init(&r->window);
	srt_late_init(&r->late, o->latency_us);
	srt_tsbpd_init(&r->tsbpd, o->base_arrival, o->base_ts, o->latency_us);
	r->rtt = srt_rtt_initial();
	r->peer_id = o->peer_id;
	r->isn = o->isn & SEQ31_MASK;
	r->t0 = o->t0;
	r->last_rx = r->last_tx = now;
	r->nak_at = TS_NEVER;
	r->peer_rexmitflg = o->peer_rexmitflg;
	srt_acks_init(&r->acks);
}

// --- numbers --------------------------------------------------------------------------------

static uint32_t seq_of(const struct srt_rcv *r, uint64_t number)
{
	return seq31_add(r->isn, (uint32_t)(number & SEQ31_MASK));
}

// Packet number of a sequence number, nearest to what is expected next. False: before the first.
static bool number_of(const struct srt_rcv *r, uint32_t seq, uint64_t *out)
{
	int64_t off = seq31_off(seq_of(r, r->window.next), seq);

	if (off < 0 && (uint64_t)-off > r->window.next)
		return false;
	*out = r->window.next + (uint64_t)off;
	return true;
}

// --- holes ----------------------------------------------------------------------------------

// Before the round trip is known the reports become rarer, lest a far peer repairs all it sent
// meanwhile many times. When the oldest hole has half of its time behind it they come twice as
// often: few holes live that long, and senders pass over what they have just repaired (libsrt
// since 1.4).
// A latency of two or three usual periods would leave time for a single repeat: then they come four
// times within it.
static uint32_t nak_period(const struct srt_rcv *r, ts_us now)
{
	uint32_t period = srt_rtt_nak_period(&r->rtt), quarter = r->tsbpd.latency_us / 4;
	bool urgent = srt_late_expiry(&r->late) <= now + r->tsbpd.latency_us / 2;

	if (srt_rtt_known(&r->rtt) && period > quarter)
		return quarter > NAK_PERIOD_LEAST ? quarter : NAK_PERIOD_LEAST;
	if (srt_rtt_known(&r->rtt))
		return urgent ? period / 2 : period;
	return period << (r->blind_naks < BLIND_DOUBLINGS ? r->blind_naks : BLIND_DOUBLINGS);
}

// A hole opened in first .. seq - 1, seen at packet seq.
static void found_missing(struct srt_rcv *r, ts_us now, uint64_t first, uint64_t seq, ts_us play)
{
	r->stats.lost += seq - first;
	if (r->fresh_first == r->fresh_end)
		r->fresh_first = first;
	r->fresh_end = seq;
	if (r->nak_at == TS_NEVER)
		r->nak_at = now + nak_period(r, now);
	srt_late_note(&r->late, seq, play);
}

// To be called whenever the first hole may have moved.
static void tidy_holes(struct srt_rcv *r)
{
	srt_late_forget(&r->late, r->window.hole);
	if (!r->window.missing)
		r->nak_at = TS_NEVER;
}

static void give_up(struct srt_rcv *r, uint64_t first, uint64_t last)
{
	r->stats.given_up += srt_window_drop(&r->window, first, last);
	tidy_holes(r);
}

static void give_up_late(struct srt_rcv *r, ts_us now)
{
	uint64_t seq;

	while (srt_late_due(&r->late, now, &seq))
		if (seq > r->window.hole)
			give_up(r, r->window.hole, seq - 1);
}

// Packets beyond the window. One may be a stray; a second one near it says that the sender has gone
// on there: what is missing is given up, and once that has been listed the window follows. True
// when it did.
static bool follow_ahead(struct srt_rcv *r, uint64_t seq)
{
	bool proved = r->ahead && seq > r->ahead && seq - r->ahead <= AHEAD_STEP;
	uint64_t skipped;

	r->ahead = seq;
	if (!proved)
		return false;
	if (r->window.missing)
		give_up(r, r->window.hole, r->window.next - 1);
	skipped = seq - r->window.next;
	if (!srt_window_jump(&r->window, seq))
		return false;
	r->stats.lost += skipped;
	r->stats.given_up += skipped;
	r->ahead = 0;
	return true;
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
	r->stats.packets++;
	r->stats.bytes += len;
	r->last_data = now;
}

// Where a packet has its place: NEW or FILLED, or why it has none.
static enum srt_window_put place(struct srt_rcv *r, ts_us now, uint64_t seq, ts_us play)
{
	uint64_t next = r->window.next;
	enum srt_window_put put = srt_window_put(&r->window, seq);

	if (put == SRT_WINDOW_AHEAD && follow_ahead(r, seq)) {
		next = seq;
		put = srt_window_put(&r->window, seq);
	}
	if (put == SRT_WINDOW_NEW && seq > next)
		found_missing(r, now, next, seq, play);
	if (put == SRT_WINDOW_FILLED)
		tidy_holes(r);
	return put;
}

static int deliver(struct srt_rcv *r, enum srt_window_put put, struct srt_verdict *out)
{
	switch (put) {
	case SRT_WINDOW_NEW:
	case SRT_WINDOW_FILLED:
		break;
	case SRT_WINDOW_DUPLICATE:
		r->stats.duplicate++;
		return refuse(out, SRT_WHY_DUPLICATE);
	case SRT_WINDOW_LATE:
		r->stats.late++;
		return refuse(out, SRT_WHY_LATE);
	case SRT_WINDOW_AHEAD:
		return refuse(out, SRT_WHY_AHEAD);
	}
	out->action = SRT_DELIVER;
	out->recovered = put == SRT_WINDOW_FILLED;
	r->stats.recovered += out->recovered;
	r->stats.unique++;
	srt_acks_note_packet(&r->acks);
	return 0;
}

static int feed_data(
	struct srt_rcv *r, ts_us now, const uint8_t *data, size_t len, struct srt_verdict *out)
{
	enum srt_window_put put = SRT_WINDOW_LATE;
	struct srt_data d;

	if (srt_pkt_parse_data(data, len, &d) || !d.len || d.len > UINT16_MAX)
		return refuse(out, SRT_WHY_MALFORMED);
	if (d.word1 & SRT_WORD1_KK)
		return refuse(out, SRT_WHY_CRYPTO);
	count_data(r, now, d.len);
	out->off = SRT_HDR;
	out->len = (uint16_t)d.len;
	out->play = srt_tsbpd_play(&r->tsbpd, now, d.ts);
	out->retransmitted = r->peer_rexmitflg && d.word1 & SRT_WORD1_R;
	if (number_of(r, d.seq, &out->seq))
		put = place(r, now, out->seq, out->play);
	r->stats.again += out->retransmitted;
	return deliver(r, put, out);
}

static void feed_ackack(struct srt_rcv *r, ts_us now, const struct srt_ctrl *c)
{
	uint32_t rtt;

	if (!srt_acks_answered(&r->acks, now, c->info, &rtt))
		return;
	srt_rtt_sample(&r->rtt, rtt);
	srt_tsbpd_sample(&r->tsbpd, now, c->ts, rtt, r->rtt.first_us);
	if (r->nak_at != TS_NEVER)
		r->nak_at = ts_min(r->nak_at, now + nak_period(r, now));
}

static int feed_dropreq(struct srt_rcv *r, const struct srt_ctrl *c, struct srt_verdict *out)
{
	uint64_t first, last, next = r->window.next;
	uint32_t f, l;

	if (srt_dropreq_parse(c, &f, &l))
		return refuse(out, SRT_WHY_MALFORMED);
	if (!number_of(r, l, &last))
		return 0;
	if (!number_of(r, f, &first) || first > last)
		first = 0;
	give_up(r, first, last);
	r->stats.lost += r->window.next - next; // dropped before anything of it was seen
	return 0;
}

static int feed_ctrl(
	struct srt_rcv *r, ts_us now, const struct srt_ctrl *c, struct srt_verdict *out)
{
	switch (c->type) {
	case SRT_ACKACK:
		feed_ackack(r, now, c);
		return 0;
	case SRT_DROPREQ:
		return feed_dropreq(r, c, out);
	case SRT_SHUTDOWN:
		r->closed = true;
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

int srt_rcv_feed(
	struct srt_rcv *r, ts_us now, const uint8_t *data, size_t len, struct srt_verdict *out)
{
	struct srt_ctrl c;
	int rc;

	*out = (struct srt_verdict){.action = SRT_ABSORB};
	if (len < SRT_HDR)
		return refuse(out, SRT_WHY_MALFORMED);
	if (r->closed)
		return refuse(out, SRT_WHY_UNEXPECTED);
	r->last_rx = now;
	give_up_late(r, now);
	if (!srt_pkt_is_ctrl(data))
		return feed_data(r, now, data, len, out);
	rc = srt_pkt_parse_ctrl(data, len, &c);
	if (rc)
		return refuse(out, rc == -ENOTSUP ? SRT_WHY_UNKNOWN : SRT_WHY_MALFORMED);
	return feed_ctrl(r, now, &c, out);
}

// --- poll -----------------------------------------------------------------------------------

static ts_us ack_expiry(const struct srt_rcv *r)
{
	return r->window.next ? srt_acks_expiry(&r->acks, r->window.hole, &r->rtt) : TS_NEVER;
}

static void put_ack(struct srt_rcv *r, ts_us now, struct bytes_out *b)
{
	struct srt_ack a = {
		.number = srt_acks_send(&r->acks, now, r->window.hole),
		.next = seq_of(r, r->window.hole),
		.rtt_us = r->rtt.us,
		.rtt_var_us = r->rtt.var_us,
		.free_packets = SRT_RCV_WINDOW, // counted from `next`; packets are not kept here
	};

	r->stats.acks_sent++;
	srt_ack_put(b, &a, srt_clock_at(r->t0, now), r->peer_id);
}

static void put_light_ack(struct srt_rcv *r, ts_us now, struct bytes_out *b)
{
	struct srt_ack a = {.next = seq_of(r, r->window.hole), .light = true};

	r->acks.light_due = false;
	r->stats.acks_sent++;
	srt_ack_put(b, &a, srt_clock_at(r->t0, now), r->peer_id);
}

// Report what is missing in first .. end - 1, as much as fits. False when nothing is.
static bool put_nak(struct srt_rcv *r, ts_us now, uint64_t from, uint64_t end, struct bytes_out *b)
{
	uint64_t first, last;

	if (!srt_window_missing(&r->window, from, end, &first, &last))
		return false;
	srt_pkt_put_ctrl(b, SRT_NAK, 0, srt_clock_at(r->t0, now), r->peer_id);
	do {
		if (!srt_loss_put(b, seq_of(r, first), seq_of(r, last)))
			break;
	} while (srt_window_missing(&r->window, last + 1, end, &first, &last));
	r->stats.naks_sent++;
	return true;
}

static bool poll_nak(struct srt_rcv *r, ts_us now, struct bytes_out *b)
{
	uint64_t from = r->fresh_first, end = r->fresh_end;

	if (now >= r->nak_at) {
		from = r->window.hole;
		end = r->window.next;
		r->nak_at = now + nak_period(r, now);
		r->blind_naks += r->blind_naks < BLIND_DOUBLINGS;
	}
	r->fresh_first = r->fresh_end = 0;
	return put_nak(r, now, from, end, b);
}

static bool poll_one(struct srt_rcv *r, ts_us now, struct bytes_out *b)
{
	if (r->close_due) {
		r->close_due = false;
		r->closed = true;
		srt_pkt_put_bare(b, SRT_SHUTDOWN, 0, srt_clock_at(r->t0, now), r->peer_id);
	} else if (r->closed) {
		return false;
	} else if (poll_nak(r, now, b)) {
		return true;
	} else if (now >= ack_expiry(r)) {
		put_ack(r, now, b);
	} else if (r->acks.light_due) {
		put_light_ack(r, now, b);
	} else if (now >= r->last_tx + SRT_KEEPALIVE_AFTER) {
		srt_pkt_put_bare(b, SRT_KEEPALIVE, 0, srt_clock_at(r->t0, now), r->peer_id);
	} else {
		return false;
	}
	return true;
}

ssize_t srt_rcv_poll(struct srt_rcv *r, ts_us now, uint8_t *buf, size_t cap)
{
	struct bytes_out b = bytes_out_of(buf, cap < SRT_POLL_MAX ? cap : SRT_POLL_MAX);

	if (!poll_one(r, now, &b))
		return 0;
	r->last_tx = now;
	return (ssize_t)bytes_out_len(&b);
}

// --- time -----------------------------------------------------------------------------------

ts_us srt_rcv_expiry(const struct srt_rcv *r)
{
	ts_us due = ts_min(r->last_tx + SRT_KEEPALIVE_AFTER, r->last_rx + SRT_DEAD_AFTER);

	if (r->close_due || (!r->closed && (r->acks.light_due || r->fresh_first != r->fresh_end)))
		return 0;
	if (r->closed)
		return TS_NEVER;
	due = ts_min(due, ts_min(ack_expiry(r), r->nak_at));
	return ts_min(due, srt_late_expiry(&r->late));
}

void srt_rcv_on_expiry(struct srt_rcv *r, ts_us now)
{
	if (!r->closed)
		give_up_late(r, now);
}

bool srt_rcv_gave_up(struct srt_rcv *r, uint64_t *first, uint64_t *last)
{
	return srt_window_given_up(&r->window, first, last);
}

bool srt_rcv_dead(const struct srt_rcv *r, ts_us now)
{
	return r->closed || now >= r->last_rx + SRT_DEAD_AFTER;
}

void srt_rcv_close(struct srt_rcv *r)
{
	r->close_due = !r->closed;
}

uint64_t srt_rcv_first_hole(const struct srt_rcv *r)
{
	return r->window.hole;
}

ts_us srt_rcv_last_data(const struct srt_rcv *r)
{
	return r->last_data;
}

const struct srt_rcv_stats *srt_rcv_stats(const struct srt_rcv *r)
{
	return &r->stats;
}

const struct srt_rtt *srt_rcv_rtt(const struct srt_rcv *r)
{
	return &r->rtt;
}
