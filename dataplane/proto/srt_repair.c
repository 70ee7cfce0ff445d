// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_repair.h"

#include "proto/srt_pkt.h"

enum {
	PERCENT = 50,		      // of the stream's rate (decisions A15)
	BUDGET_MIN = 64 * 1500,	      // bytes: a slow stream may lose a whole burst too
	BUDGET_RATE_MIN = 16000,      // bytes/s it grows by at least
	BUDGET_RATE_UNKNOWN = 625000, // and while nobody has said how fast the stream is
	SHARE_OF = 256,		      // packets that the share of lost ones is taken of
	SHARE_HEAVY = 12,	      // one in so many is a heavy loss
	SHARE_FEW = 4,		      // lost ones that tell anything
	SHARE_BACK = 16384,	      // as much older a number may be than the newest asked for
	UNASKED = 3,		      // for each that was asked for
	SHORT = 16,		      // a latency of more windows has time for repeats
};

// One latency of the stream's rate, so that an outage as long as the latency can be repaired.
static uint32_t budget_max(const struct srt_repair *r)
{
	uint64_t burst = (uint64_t)r->rate * r->latency_us / TS_S;

	if (burst < BUDGET_MIN)
		return BUDGET_MIN;
	return burst > UINT32_MAX ? UINT32_MAX : (uint32_t)burst;
}

void srt_repair_init(struct srt_repair *r, ts_us now, uint32_t latency_us, uint8_t percent)
{
	*r = (struct srt_repair){
		.refilled = now, .latency_us = latency_us, .percent = percent ? percent : PERCENT};
	r->budget = budget_max(r);
}

void srt_repair_set_rate(struct srt_repair *r, uint32_t rate)
{
	uint32_t before = budget_max(r), now;

	r->rate = rate;
	now = budget_max(r);
	if (now > before)
		r->budget += now - before; // the first figures of a stream that begins are low
}

void srt_repair_begin(struct srt_repair *r)
{
	r->open = false;
}

static void refill(struct srt_repair *r, ts_us now)
{
	uint64_t rate = r->rate ? (uint64_t)r->rate * r->percent / 100 : BUDGET_RATE_UNKNOWN;
	uint64_t elapsed = now > r->refilled ? now - r->refilled : 0;
	uint64_t gain, max = budget_max(r);

	if (rate < BUDGET_RATE_MIN)
		rate = BUDGET_RATE_MIN;
	gain = elapsed > 60 * TS_S ? max : rate * elapsed / TS_S;
	if (!gain)
		return; // keep the fraction
	r->budget = (uint32_t)(r->budget + gain > max ? max : r->budget + gain);
	r->refilled = now;
}

// How long ago seq was repaired last, in microseconds; UINT32_MAX: not remembered.
static uint32_t age_us(const struct srt_repair *r, uint16_t seq, uint16_t now_ms)
{
	uint32_t age = UINT32_MAX;

	for (int i = 0; i < SRT_REPAIR_SPANS; i++) {
		const struct srt_repair_span *p = &r->spans[i];
		uint32_t span_age = (uint16_t)(now_ms - p->at_ms) * 1000u;

		if ((uint16_t)(seq - p->first) < p->n && span_age < age)
			age = span_age;
	}
	return age;
}

// Remember a repair: together with the one before it, when that was for the same report.
static void remember(struct srt_repair *r, uint16_t seq, uint16_t now_ms)
{
	struct srt_repair_span *newest =
		&r->spans[(r->next + SRT_REPAIR_SPANS - 1) % SRT_REPAIR_SPANS];
	uint16_t off = (uint16_t)(seq - newest->first);

	if (r->open && newest->at_ms == now_ms && off >= newest->n && off < SRT_NAK_SPAN_MAX) {
		newest->n = (uint16_t)(off + 1);
		return;
	}
	r->spans[r->next] = (struct srt_repair_span){.first = seq, .n = 1, .at_ms = now_ms};
	r->next = (uint8_t)((r->next + 1) % SRT_REPAIR_SPANS);
	r->open = true;
}

// A packet is asked for the first time.
static void weigh(struct srt_repair *r, uint16_t seq)
{
	uint16_t of = (uint16_t)(seq - r->mark);

	r->firsts++;
	if (of < SHARE_OF || of > UINT16_MAX - SHARE_BACK)
		return;
	r->heavy = r->firsts * SHARE_HEAVY >= of;
	r->mark = seq;
	r->firsts = 0;
	r->unasked = 0;
}

static bool twice(
	const struct srt_repair *r, uint32_t cost, uint32_t age, struct srt_repair_wait wait)
{
	uint32_t max = budget_max(r);

	if (age < wait.knows_us || r->budget < max / 4 + 2 * cost)
		return false;
	if (r->hurry || age < r->latency_us)
		return true;
	return r->heavy && r->latency_us <= SHORT * wait.window_us && r->budget >= max / 2;
}

enum srt_repair_say srt_repair_ask(
	struct srt_repair *r, ts_us now, uint32_t seq, uint16_t len, struct srt_repair_wait wait)
{
	uint16_t now_ms = (uint16_t)(now / TS_MS);
	uint32_t cost = len + SRT_REPAIR_HEADERS;
	uint32_t age = age_us(r, (uint16_t)seq, now_ms);

	if (age < wait.window_us) {
		r->open = false;
		return SRT_REPAIR_REPEATED;
	}
	refill(r, now);
	if (r->budget < cost) {
		r->open = false;
		return SRT_REPAIR_BROKE;
	}
	if (age == UINT32_MAX)
		weigh(r, (uint16_t)seq);
	r->again = age < r->latency_us;
	r->copies = twice(r, cost, age, wait) ? 2 : 1;
	r->budget -= r->copies * cost;
	remember(r, (uint16_t)seq, now_ms);
	return SRT_REPAIR_YES;
}

bool srt_repair_probe(struct srt_repair *r, ts_us now, uint32_t seq, uint16_t len)
{
	uint16_t now_ms = (uint16_t)(now / TS_MS);
	uint32_t cost = len + SRT_REPAIR_HEADERS;

	refill(r, now);
	if (age_us(r, (uint16_t)seq, now_ms) != UINT32_MAX || r->budget < budget_max(r) / 4 + cost)
		return false;
	if (r->unasked == UINT8_MAX || r->unasked >= UNASKED * r->firsts)
		return false;
	r->unasked++;
	r->budget -= cost;
	remember(r, (uint16_t)seq, now_ms);
	return true;
}

bool srt_repair_heavy(const struct srt_repair *r, uint32_t seq)
{
	uint16_t of = (uint16_t)(seq - r->mark);

	return r->heavy || (r->firsts >= SHARE_FEW && r->firsts * SHARE_HEAVY >= of);
}
