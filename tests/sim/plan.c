// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "sim/plan.h"

#include "base/seq.h"
#include "sim/party.h"

// One draw per statement: a plan must not depend on a compiler's order of evaluation.
static struct link_cfg random_leg(struct rand *r, bool roomy)
{
	uint32_t delay = rand_below(r, 4) ? 20000 : 120000;
	struct link_cfg c = {0};

	c.delay_us = 100 + rand_below(r, delay);
	if (rand_below(r, 3) == 0)
		c.jitter_us = rand_below(r, 8000);
	if (rand_below(r, 4))
		c.loss_ppm = rand_below(r, 60000);
	if (rand_below(r, 2))
		c.reorder_ppm = rand_below(r, 30000);
	c.reorder_us = rand_below(r, 15000);
	if (rand_below(r, 2))
		c.dup_ppm = rand_below(r, 20000);
	if (!roomy && rand_below(r, 3) == 0)
		c.loss_ppm = rand_below(r, 400000);
	return c;
}

// Enough for ten rounds of report and repair.
static uint32_t roomy_latency(const struct link_cfg *c)
{
	uint32_t round = 2 * (c->delay_us + c->jitter_us + c->reorder_us);

	return 200 + 10 * (round > 40000 ? round : 40000) / 1000;
}

static void draw_wraps(struct plan *p, struct rand *r)
{
	p->isn = (uint32_t)rand_u64(r) & SEQ31_MASK;
	if (rand_below(r, 4) == 0)
		p->isn = seq31_add(SEQ31_MASK, 1 - rand_below(r, p->packets));
	if (rand_below(r, 4) == 0)
		p->clock_shift = 0u - 100 * TS_S - rand_below(r, p->packets * p->period_us);
	if (rand_below(r, 4) == 0)
		p->msgno0 = MSGNO_MAX - rand_below(r, p->packets);
}

// A leg that carries two to five times the stream and queues the rest for a while.
static void draw_bottleneck(struct plan *p, struct rand *r)
{
	struct link_cfg *c = &p->leg[rand_below(r, 2)];
	uint64_t rate = (uint64_t)(SRT_HDR + PARTY_PAYLOAD) * TS_S / p->period_us;

	c->rate = (uint32_t)(rate * (20 + rand_below(r, 30)) / 10);
	c->queue_us = 50000 + rand_below(r, 100000);
	p->latency_ms += c->queue_us / 1000 * (p->roomy ? 10 : 1);
}

struct plan plan_random(uint64_t seed)
{
	struct plan p = {.seed = seed};
	struct rand r = {seed};
	uint32_t slowest;

	p.chain = rand_below(&r, 2);
	p.roomy = rand_below(&r, 3);
	p.packets = 300 + rand_below(&r, 300);
	slowest = rand_below(&r, 3) ? 4000 : 30000;
	p.period_us = 200 + rand_below(&r, slowest);
	p.tick_us = rand_below(&r, 3) ? 0 : 1000;
	p.join_after = rand_below(&r, p.packets / 2);
	for (int i = 0; i < 2; i++) {
		uint32_t need;

		p.leg[i] = random_leg(&r, p.roomy);
		need = roomy_latency(&p.leg[i]);
		p.latency_ms = need > p.latency_ms ? need : p.latency_ms;
	}
	if (!p.roomy)
		p.latency_ms = 1 + rand_below(&r, p.latency_ms / 2);
	draw_wraps(&p, &r);
	if (rand_below(&r, 4) == 0)
		draw_bottleneck(&p, &r);
	return p;
}

struct plan plan_healing(uint64_t seed)
{
	struct plan p = plan_random(seed);

	if (p.period_us < 1000)
		p.period_us += 1000;
	p.heal_after = p.packets;
	p.packets += (3 * p.latency_ms * TS_MS + 4 * TS_S) / p.period_us;
	return p;
}

struct plan plan_bad_path(uint64_t seed, uint32_t period_us, uint32_t packets)
{
	struct link_cfg leg = {.delay_us = 10000,
		.loss_ppm = 50000,
		.reorder_ppm = 20000,
		.reorder_us = 10000,
		.dup_ppm = 10000};

	return (struct plan){.seed = seed,
		.chain = true,
		.leg = {leg, leg},
		.latency_ms = 120,
		.packets = packets,
		.period_us = period_us,
		.isn = SEQ31_MASK - 1000,
		.join_after = 100,
		.roomy = true};
}
