// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_link.h"

#include "proto/srt_clock.h"

#include <string.h>

enum {
	ACK_WINDOW = SRT_WINDOW, // free packets, counted from `next`: they are not kept here
	NAK_PERIOD_LEAST = 5 * TS_MS,
	BLIND_DOUBLINGS = 2, // of the report's period while the round trip is unknown
};

void srt_link_init(struct srt_link *l, ts_us now, uint32_t peer_id, ts_us t0, bool peer_rexmitflg)
{
	memset(l, 0, sizeof(*l));
	l->rtt = srt_rtt_initial();
	l->peer_id = peer_id;
	l->t0 = t0;
	l->last_rx = l->last_tx = now;
	l->nak_at = TS_NEVER;
	l->peer_rexmitflg = peer_rexmitflg;
	srt_acks_init(&l->acks);
}

// Before the round trip is known the reports become rarer, lest a far peer repairs all it sent
// meanwhile many times. When the oldest hole has half of its time behind it they come twice as
// often: few holes live that long, and senders pass over what they have just repaired (libsrt
// since 1.4).
// A latency of two or three usual periods would leave time for a single repeat: then they come four
// times within it.
static uint32_t nak_period(const struct srt_link *l, const struct srt_intake *in, ts_us now)
{
	uint32_t period = srt_rtt_nak_period(&l->rtt), quarter = in->tsbpd.latency_us / 4;
	bool urgent = srt_late_expiry(&in->late) <= now + in->tsbpd.latency_us / 2;

	if (srt_rtt_known(&l->rtt) && period > quarter)
		return quarter > NAK_PERIOD_LEAST ? quarter : NAK_PERIOD_LEAST;
	if (srt_rtt_known(&l->rtt))
		return urgent ? period / 2 : period;
	return period << (l->blind_naks < BLIND_DOUBLINGS ? l->blind_naks : BLIND_DOUBLINGS);
}

static void lose(
	struct srt_link *l, const struct srt_intake *in, ts_us now, uint64_t first, uint64_t end)
{
	if (l->fresh_first == l->fresh_end)
		l->fresh_first = first;
	l->fresh_end = end;
	if (l->nak_at == TS_NEVER)
		l->nak_at = now + nak_period(l, in, now);
}

void srt_link_reached(struct srt_link *l, const struct srt_intake *in, ts_us now, uint64_t number)
{
	uint64_t first = l->end > in->window.hole ? l->end : in->window.hole;

	if (number < l->end)
		return;
	l->stats.lost += number - l->end;
	l->end = number + 1;
	if (first < number)
		lose(l, in, now, first, number);
}

void srt_link_tidy(struct srt_link *l, const struct srt_intake *in)
{
	if (!in->window.missing)
		l->nak_at = TS_NEVER;
}

void srt_link_ackack(struct srt_link *l, struct srt_intake *in, ts_us now, const struct srt_ctrl *c)
{
	uint32_t rtt;

	if (!srt_acks_answered(&l->acks, now, c->info, &rtt))
		return;
	srt_rtt_sample(&l->rtt, rtt);
	srt_tsbpd_sample(&in->tsbpd, now, c->ts, rtt, l->rtt.first_us);
	if (l->nak_at != TS_NEVER)
		l->nak_at = ts_min(l->nak_at, now + nak_period(l, in, now));
}

// --- poll -----------------------------------------------------------------------------------

static ts_us ack_expiry(const struct srt_link *l, const struct srt_intake *in)
{
	return in->window.next ? srt_acks_expiry(&l->acks, in->window.hole, &l->rtt) : TS_NEVER;
}

static void put_ack(struct srt_link *l, const struct srt_intake *in, ts_us now, struct bytes_out *b)
{
	struct srt_ack a = {
		.number = srt_acks_send(&l->acks, now, in->window.hole),
		.next = srt_intake_seq(in, in->window.hole),
		.rtt_us = l->rtt.us,
		.rtt_var_us = l->rtt.var_us,
		.free_packets = ACK_WINDOW,
	};

	l->stats.acks_sent++;
	srt_ack_put(b, &a, srt_clock_at(l->t0, now), l->peer_id);
}

static void put_light_ack(
	struct srt_link *l, const struct srt_intake *in, ts_us now, struct bytes_out *b)
{
	struct srt_ack a = {.next = srt_intake_seq(in, in->window.hole), .light = true};

	l->acks.light_due = false;
	l->stats.acks_sent++;
	srt_ack_put(b, &a, srt_clock_at(l->t0, now), l->peer_id);
}

// Report what is missing in first .. end - 1, as much as fits. False when nothing is.
static bool put_nak(struct srt_link *l, const struct srt_intake *in, ts_us now, uint64_t from,
	uint64_t end, struct bytes_out *b)
{
	uint64_t first, last;

	if (!srt_window_missing(&in->window, from, end, &first, &last))
		return false;
	srt_pkt_put_ctrl(b, SRT_NAK, 0, srt_clock_at(l->t0, now), l->peer_id);
	do {
		if (!srt_loss_put(b, srt_intake_seq(in, first), srt_intake_seq(in, last)))
			break;
	} while (srt_window_missing(&in->window, last + 1, end, &first, &last));
	l->stats.naks_sent++;
	return true;
}

static bool poll_nak(
	struct srt_link *l, const struct srt_intake *in, ts_us now, struct bytes_out *b)
{
	uint64_t from = l->fresh_first, end = l->fresh_end;

	if (now >= l->nak_at) {
		from = in->window.hole;
		end = in->window.next;
		l->nak_at = now + nak_period(l, in, now);
		l->blind_naks += l->blind_naks < BLIND_DOUBLINGS;
	}
	l->fresh_first = l->fresh_end = 0;
	return put_nak(l, in, now, from, end, b);
}

static bool poll_one(
	struct srt_link *l, const struct srt_intake *in, ts_us now, struct bytes_out *b)
{
	if (l->close_due) {
		l->close_due = false;
		l->closed = true;
		srt_pkt_put_bare(b, SRT_SHUTDOWN, 0, srt_clock_at(l->t0, now), l->peer_id);
	} else if (l->closed) {
		return false;
	} else if (poll_nak(l, in, now, b)) {
		return true;
	} else if (now >= ack_expiry(l, in)) {
		put_ack(l, in, now, b);
	} else if (l->acks.light_due) {
		put_light_ack(l, in, now, b);
	} else if (now >= l->last_tx + SRT_KEEPALIVE_AFTER) {
		srt_pkt_put_bare(b, SRT_KEEPALIVE, 0, srt_clock_at(l->t0, now), l->peer_id);
	} else {
		return false;
	}
	return true;
}

bool srt_link_poll(struct srt_link *l, const struct srt_intake *in, ts_us now, struct bytes_out *b)
{
	if (!poll_one(l, in, now, b))
		return false;
	l->last_tx = now;
	return true;
}

ts_us srt_link_expiry(const struct srt_link *l, const struct srt_intake *in)
{
	ts_us due = ts_min(l->last_tx + SRT_KEEPALIVE_AFTER, l->last_rx + SRT_DEAD_AFTER);

	if (l->close_due || (!l->closed && (l->acks.light_due || l->fresh_first != l->fresh_end)))
		return 0;
	if (l->closed)
		return TS_NEVER;
	return ts_min(due, ts_min(ack_expiry(l, in), l->nak_at));
}
