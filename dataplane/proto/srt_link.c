// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_link.h"

#include "proto/srt_clock.h"

#include <string.h>

enum {
	ACK_WINDOW = SRT_WINDOW, // free packets, counted from `next`: they are not kept here
	NAK_PERIOD_LEAST = 5 * TS_MS,
	NAK_PERIOD_HEAVY = 2500, // likewise, where many packets are lost
	SHARE_OF = 512,		 // packets that the share of lost ones is taken of
	SHARE_HEAVY = 12,	 // one in so many is a heavy loss
	BLIND_DOUBLINGS = 2,	 // of the report's period while the round trip is unknown
	FLOWS = 100 * TS_MS,	 // a link that has brought nothing for so long is not waited for
	HOLD_SHARE = 4,		 // of the latency: so long another link is waited for at first
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
	srt_acks_init(&l->acks, now);
}

// Where packets are lost, so are reports and repairs: what is asked for once in a round trip comes
// at 20 % loss both ways by two chances in three. So reports come often there, up to 32 within the
// latency and eight within a round trip. libsrt's senders repeat a repair after RTT - 4 var, and a
// report that comes before that is lost on them: the wait for the next one is what a repair is
// late.
static uint32_t heavy_period(const struct srt_link *l, const struct srt_intake *in)
{
	uint32_t share = in->tsbpd.latency_us / 32, least = NAK_PERIOD_HEAVY;

	if (share < l->rtt.us / 8)
		share = l->rtt.us / 8;
	return share > least ? share : least;
}

static uint32_t usual_period(const struct srt_link *l, const struct srt_intake *in)
{
	uint32_t period = srt_rtt_nak_period(&l->rtt), heavy;

	if (!l->heavy)
		return period;
	heavy = heavy_period(l, in);
	return heavy < period ? heavy : period;
}

// Before the round trip is known the reports become rarer, lest a far peer repairs all it sent
// meanwhile many times. When the oldest hole has half of its time behind it they come twice as
// often: few holes live that long, and senders pass over what they have just repaired (libsrt
// since 1.4).
// A latency of two or three usual periods would leave time for a single repeat: then they come four
// times within it.
static uint32_t nak_period(const struct srt_link *l, const struct srt_intake *in, ts_us now)
{
	uint32_t period = usual_period(l, in), quarter = in->tsbpd.latency_us / 4;
	bool urgent = srt_late_expiry(&in->late) <= now + in->tsbpd.latency_us / 2;

	if (srt_rtt_known(&l->rtt) && period > quarter)
		return quarter > NAK_PERIOD_LEAST ? quarter : NAK_PERIOD_LEAST;
	if (srt_rtt_known(&l->rtt))
		return urgent && period >= 2 * NAK_PERIOD_LEAST ? period / 2 : period;
	return period << (l->blind_naks < BLIND_DOUBLINGS ? l->blind_naks : BLIND_DOUBLINGS);
}

void srt_link_add(struct srt_link *l, struct srt_intake *in, uint64_t from)
{
	l->first = l->end = from;
	l->resting = true;
	l->joined = in->links;
	l->next = in->links;
	in->links = l;
}

void srt_link_del(struct srt_link *l, struct srt_intake *in)
{
	struct srt_link **at = &in->links;

	while (*at && *at != l)
		at = &(*at)->next;
	if (*at)
		*at = l->next;
}

static bool flows(const struct srt_link *l, ts_us now)
{
	return !l->closed && !l->resting && now - l->last_data < FLOWS;
}

// What is missing before this number no other link will bring by itself.
static uint64_t passed(const struct srt_link *l, const struct srt_intake *in, ts_us now)
{
	uint64_t end = l->end;

	for (const struct srt_link *o = in->links; o; o = o->next)
		if (o != l && o->end < end && flows(o, now))
			end = o->end;
	return end;
}

static void hold(struct srt_link *l, const struct srt_intake *in, ts_us now)
{
	l->hold_end = l->end;
	l->hold_at = now + in->tsbpd.latency_us / HOLD_SHARE;
}

// What other links may still bring is not asked for at once.
static void lose(
	struct srt_link *l, const struct srt_intake *in, ts_us now, uint64_t first, uint64_t end)
{
	uint64_t lost = passed(l, in, now);

	srt_acks_note_loss(&l->acks, now);
	if (l->nak_at == TS_NEVER) {
		l->nak_at = now + nak_period(l, in, now);
		hold(l, in, now);
	}
	end = end < lost ? end : lost;
	if (first >= end)
		return;
	if (l->fresh_first == l->fresh_end)
		l->fresh_first = first;
	l->fresh_end = end;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void srt_link_wake(struct srt_link *l, const struct srt_intake *in, uint64_t number)
{
	uint64_t to = number < in->window.hole ? number : in->window.hole;

	if (l->resting && to > l->end)
		l->first = l->end = to;
	l->resting = false;
}

static void weigh(struct srt_link *l)
{
	uint64_t of = l->end - l->share_end;

	if (of < SHARE_OF)
		return;
	l->heavy = (l->stats.missed - l->share_missed) * SHARE_HEAVY >= of;
	l->share_end = l->end;
	l->share_missed = l->stats.missed;
}

void srt_link_reached(struct srt_link *l, const struct srt_intake *in, ts_us now, uint64_t number)
{
	uint64_t first = later(l->end, in->window.hole);

	if (number < l->end)
		return;
	l->stats.missed += number - l->end;
	l->end = number + 1;
	l->heard = true;
	weigh(l);
	if (first < number)
		lose(l, in, now, first, number);
}

// The first packet that some link may still bring.
static uint64_t promised(const struct srt_intake *in)
{
	uint64_t first = UINT64_MAX;

	for (const struct srt_link *l = in->links; l; l = l->next)
		if (!l->closed && l->first < first)
			first = l->first;
	return first;
}

static void drop_alone(struct srt_link *l, struct srt_intake *in, uint64_t first, uint64_t last)
{
	uint64_t next = in->window.next;

	srt_intake_drop(in, first, last);
	if (in->window.next == next)
		return;
	l->stats.missed += in->window.next - later(next, l->end); // before any of it was seen
	l->end = in->window.next;
	l->heard = true;
}

// Of a range in the middle of what it was to bring nothing is noted: it is too late soon.
static void drop_one_of(struct srt_link *l, struct srt_intake *in, uint64_t first, uint64_t last)
{
	uint64_t f, e;

	if (last >= in->window.hole + SRT_WINDOW || first > l->end ||
		srt_window_missing(&in->window, l->first, first, &f, &e))
		return;
	if (last >= l->end) {
		l->stats.missed += last + 1 - l->end;
		l->end = last + 1;
		l->heard = true;
	}
	l->first = later(l->first, last + 1);
	f = promised(in);
	if (f > in->window.hole && f != UINT64_MAX)
		srt_intake_drop(in, in->window.hole, f - 1);
}

void srt_link_drop(struct srt_link *l, struct srt_intake *in, uint64_t first, uint64_t last)
{
	if (l->resting)
		srt_link_wake(l, in, last + 1);
	if (in->links == l && !l->next)
		drop_alone(l, in, first, last);
	else
		drop_one_of(l, in, first, last);
}

void srt_link_tidy(const struct srt_intake *in)
{
	if (in->window.missing)
		return;
	for (struct srt_link *l = in->links; l; l = l->next)
		l->nak_at = TS_NEVER;
}

void srt_link_ackack(struct srt_link *l, struct srt_intake *in, ts_us now, const struct srt_ctrl *c)
{
	uint32_t rtt;

	if (!srt_acks_answered(&l->acks, now, c->info, &rtt))
		return;
	srt_rtt_sample(&l->rtt, rtt);
	if (l->joined && l->rtt.first_us == rtt)
		l->lag_us = srt_tsbpd_lag(&in->tsbpd, now, c->ts);
	srt_tsbpd_sample(&in->tsbpd, now - (ts_us)l->lag_us, c->ts, rtt, l->rtt.first_us);
	if (l->nak_at != TS_NEVER)
		l->nak_at = ts_min(l->nak_at, now + nak_period(l, in, now));
}

// --- poll -----------------------------------------------------------------------------------

// The first packet that its peer has to keep.
static uint64_t awaited(const struct srt_link *l, const struct srt_intake *in)
{
	return l->end < in->window.hole ? l->end : in->window.hole;
}

static ts_us ack_expiry(const struct srt_link *l, const struct srt_intake *in)
{
	return l->heard ? srt_acks_expiry(&l->acks, awaited(l, in), &l->rtt) : TS_NEVER;
}

static void put_ack(struct srt_link *l, const struct srt_intake *in, ts_us now, struct bytes_out *b)
{
	struct srt_ack a = {
		.number = srt_acks_send(&l->acks, now, awaited(l, in)),
		.next = srt_intake_seq(in, awaited(l, in)),
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
	struct srt_ack a = {.next = srt_intake_seq(in, awaited(l, in)), .light = true};

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

// Before it everything missing is to be asked for now.
static uint64_t due_end(struct srt_link *l, const struct srt_intake *in, ts_us now)
{
	uint64_t end = passed(l, in, now);

	if (now < l->hold_at)
		return end;
	end = later(end, l->hold_end);
	hold(l, in, now);
	return end;
}

static bool poll_nak(
	struct srt_link *l, const struct srt_intake *in, ts_us now, struct bytes_out *b)
{
	uint64_t from = l->fresh_first, end = l->fresh_end;
	bool all = now >= l->nak_at, said;

	if (all) {
		srt_acks_note_loss(&l->acks, now);
		from = in->window.hole;
		end = due_end(l, in, now);
		l->nak_at = now + nak_period(l, in, now);
	}
	l->fresh_first = l->fresh_end = 0;
	said = put_nak(l, in, now, later(from, l->first), end, b);
	l->blind_naks += all && said && l->blind_naks < BLIND_DOUBLINGS;
	return said;
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
