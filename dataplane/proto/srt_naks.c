// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_naks.h"

enum {
	PERIOD_LEAST = 5 * TS_MS,
	PERIOD_HEAVY = 2500, // likewise, where many packets are lost
	SHARE_HEAVY = 12,    // one in so many is a heavy loss
	BLIND_DOUBLINGS = 2, // of the period while the round trip is unknown
	HOLD_SHARE = 4,	     // of the latency: so long another link is waited for at first
};

void srt_naks_init(struct srt_naks *n)
{
	*n = (struct srt_naks){.at = TS_NEVER};
}

// Where packets are lost, so are reports and repairs: what is asked for once in a round trip comes
// at 20 % loss both ways by two chances in three. So reports come often there, up to 32 within the
// latency and eight within a round trip. libsrt's senders repeat a repair after RTT - 4 var, and a
// report that comes before that is lost on them: the wait for the next one is what a repair is
// late.
static uint32_t heavy_period(const struct srt_naks_way *w)
{
	uint32_t share = w->latency_us / 32, least = PERIOD_HEAVY;

	if (share < w->rtt->us / 8)
		share = w->rtt->us / 8;
	return share > least ? share : least;
}

static uint32_t usual_period(const struct srt_naks *n, const struct srt_naks_way *w)
{
	uint32_t period = srt_rtt_nak_period(w->rtt), heavy;

	if (!n->heavy)
		return period;
	heavy = heavy_period(w);
	return heavy < period ? heavy : period;
}

// Before the round trip is known the reports become rarer, lest a far peer repairs all it sent
// meanwhile many times. When the oldest hole has half of its time behind it they come twice as
// often: few holes live that long, and senders pass over what they have just repaired (libsrt
// since 1.4).
// A latency of two or three usual periods would leave time for a single repeat: then they come four
// times within it.
static uint32_t period_of(const struct srt_naks *n, const struct srt_naks_way *w, ts_us now)
{
	uint32_t period = usual_period(n, w), quarter = w->latency_us / 4;
	bool urgent = srt_late_expiry(w->late) <= now + w->latency_us / 2;

	if (srt_rtt_known(w->rtt) && period > quarter)
		return quarter > PERIOD_LEAST ? quarter : PERIOD_LEAST;
	if (srt_rtt_known(w->rtt))
		return urgent && period >= 2 * PERIOD_LEAST ? period / 2 : period;
	return period << (n->blind < BLIND_DOUBLINGS ? n->blind : BLIND_DOUBLINGS);
}

void srt_naks_weigh(struct srt_naks *n, uint64_t end, uint64_t missed)
{
	n->heavy = (missed - n->share_missed) * SHARE_HEAVY >= end - n->share_end;
	n->share_end = end;
	n->share_missed = missed;
}

static void hold(struct srt_naks *n, const struct srt_naks_way *w, ts_us now)
{
	n->hold_end = w->end;
	n->hold_at = now + w->latency_us / HOLD_SHARE;
}

void srt_naks_note_loss(
	struct srt_naks *n, const struct srt_naks_way *w, ts_us now, uint64_t first, uint64_t end)
{
	if (n->at == TS_NEVER) {
		n->at = now + period_of(n, w, now);
		hold(n, w, now);
	}
	end = end < w->passed ? end : w->passed;
	if (first >= end)
		return;
	if (n->fresh_first == n->fresh_end)
		n->fresh_first = first;
	n->fresh_end = end;
}

void srt_naks_clear(struct srt_naks *n)
{
	n->at = TS_NEVER;
}

void srt_naks_measured(struct srt_naks *n, const struct srt_naks_way *w, ts_us now)
{
	if (n->at != TS_NEVER)
		n->at = ts_min(n->at, now + period_of(n, w, now));
}

struct srt_naks_range srt_naks_fresh(struct srt_naks *n)
{
	struct srt_naks_range r = {n->fresh_first, n->fresh_end};

	n->fresh_first = n->fresh_end = 0;
	return r;
}

struct srt_naks_range srt_naks_all(
	struct srt_naks *n, const struct srt_naks_way *w, ts_us now, uint64_t hole)
{
	struct srt_naks_range r = {hole, w->passed};

	if (now >= n->hold_at) {
		r.end = r.end > n->hold_end ? r.end : n->hold_end;
		hold(n, w, now);
	}
	n->at = now + period_of(n, w, now);
	n->fresh_first = n->fresh_end = 0;
	return r;
}

void srt_naks_reported(struct srt_naks *n)
{
	n->blind += n->blind < BLIND_DOUBLINGS;
}
