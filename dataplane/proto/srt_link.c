// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_link.h"

#include "proto/srt_clock.h"

#include <string.h>

enum {
	ACK_WINDOW = SRT_WINDOW, // free packets, counted from `next`: they are not kept here
	FLOWS = 100 * TS_MS,	 // a link that has brought nothing for so long is not waited for
};

void srt_link_init(struct srt_link *l, ts_us now, uint32_t peer_id, ts_us t0, bool peer_rexmitflg)
{
	memset(l, 0, sizeof(*l));
	l->rtt = srt_rtt_initial();
	l->peer_id = peer_id;
	l->t0 = t0;
	l->last_rx = l->last_tx = now;
	srt_naks_init(&l->naks);
	l->peer_rexmitflg = peer_rexmitflg;
	srt_acks_init(&l->acks, now);
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

static struct srt_naks_way way_of(const struct srt_link *l, const struct srt_intake *in, ts_us now)
{
	return (struct srt_naks_way){
		.rtt = &l->rtt,
		.latency_us = in->tsbpd.latency_us,
		.late = &in->late,
		.end = l->end,
		.passed = passed(l, in, now),
	};
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

void srt_link_reached(struct srt_link *l, const struct srt_intake *in, ts_us now, uint64_t number)
{
	uint64_t first = later(l->end, in->window.hole);
	struct srt_naks_way w;

	if (number < l->end)
		return;
	l->stats.missed += number - l->end;
	l->end = number + 1;
	l->heard = true;
	srt_naks_note_end(&l->naks, l->end, l->stats.missed);
	if (first >= number)
		return;
	w = way_of(l, in, now);
	srt_acks_note_loss(&l->acks, now);
	srt_naks_note_loss(&l->naks, &w, now, first, number);
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
		srt_naks_clear(&l->naks);
}

void srt_link_ackack(struct srt_link *l, struct srt_intake *in, ts_us now, const struct srt_ctrl *c)
{
	struct srt_naks_way w;
	uint32_t rtt;

	if (!srt_acks_answered(&l->acks, now, c->info, &rtt))
		return;
	srt_rtt_sample(&l->rtt, rtt);
	if (l->joined && l->rtt.first_us == rtt)
		l->lag_us = srt_tsbpd_lag(&in->tsbpd, now, c->ts);
	srt_tsbpd_sample(&in->tsbpd, now - (ts_us)l->lag_us, c->ts, rtt, l->rtt.first_us);
	w = way_of(l, in, now);
	srt_naks_measured(&l->naks, &w, now);
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

static struct srt_naks_range all_missing(struct srt_link *l, const struct srt_intake *in, ts_us now)
{
	struct srt_naks_way w = way_of(l, in, now);

	srt_acks_note_loss(&l->acks, now);
	return srt_naks_all(&l->naks, &w, now, in->window.hole);
}

static bool poll_nak(
	struct srt_link *l, const struct srt_intake *in, ts_us now, struct bytes_out *b)
{
	bool all = now >= l->naks.at;
	struct srt_naks_range r;

	if (!srt_naks_due(&l->naks, now))
		return false;
	r = all ? all_missing(l, in, now) : srt_naks_fresh(&l->naks);
	if (!put_nak(l, in, now, later(r.first, l->first), r.end, b))
		return false;
	if (all)
		srt_naks_reported(&l->naks);
	return true;
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

	if (l->close_due || (!l->closed && l->acks.light_due))
		return 0;
	if (l->closed)
		return TS_NEVER;
	return ts_min(due, ts_min(ack_expiry(l, in), srt_naks_expiry(&l->naks)));
}
