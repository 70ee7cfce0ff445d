// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "sim/run.h"

#include "base/seq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TAIL = 200
}; // packets behind the last that counts: nobody notices the loss of the very last

static const int feeds[LINKS] = {REL_IN, PUB, SUB, REL_OUT};

static void media_init(struct media *m, uint32_t total)
{
	*m = (struct media){.total = total};
	m->state = calloc(total, 1);
	m->again = calloc(total, 1);
	m->arrival = calloc(total, sizeof(*m->arrival));
	m->play = calloc(total, sizeof(*m->play));
}

static void media_fini(struct media *m)
{
	free(m->state);
	free(m->again);
	free(m->arrival);
	free(m->play);
}

void sim_init(struct sim *s, const struct plan *plan)
{
	const struct plan *p = plan;
	uint32_t rate = (uint32_t)((uint64_t)PARTY_PAYLOAD * TS_S / p->period_us);

	memset(s, 0, sizeof(*s));
	s->plan = *p;
	s->now = s->due = 10 * TS_S;
	for (int i = 0; i < LINKS; i++)
		link_init(&s->links[i], &p->leg[i / 2], p->seed * LINKS + (unsigned)i);
	media_init(&s->made, p->packets + TAIL);
	media_init(&s->relayed, p->packets + TAIL);
	media_init(&s->played, p->packets + TAIL);
	party_caller(&s->parties[PUB], "publisher", &s->links[PUB_TO_REL], s->now, true, 101,
		p->isn, p->latency_ms);
	party_listener(
		&s->parties[REL_IN], "ingest", &s->links[REL_TO_PUB], false, 202, p->latency_ms);
	party_listener(
		&s->parties[REL_OUT], "egress", &s->links[REL_TO_SUB], true, 303, p->latency_ms);
	s->parties[PUB].media = &s->made;
	s->parties[REL_IN].media = &s->relayed;
	s->parties[REL_OUT].media = &s->relayed;
	s->parties[PUB].clock_shift = p->clock_shift;
	s->parties[REL_OUT].clock_shift = p->clock_shift;
	for (int i = 0; i < PARTIES; i++) {
		s->parties[i].rate = rate;
		s->parties[i].msgno0 = p->msgno0;
	}
	if (p->chain)
		s->parties[REL_IN].onward = &s->parties[REL_OUT];
}

void sim_fini(struct sim *s)
{
	for (int i = 0; i < LINKS; i++)
		link_fini(&s->links[i]);
	media_fini(&s->made);
	media_fini(&s->relayed);
	media_fini(&s->played);
}

static void join(struct sim *s)
{
	party_caller(&s->parties[SUB], "player", &s->links[SUB_TO_REL], s->now, false, 404,
		seq31_add(s->plan.isn, 0x2000), s->plan.latency_ms);
	s->parties[SUB].media = &s->played;
	s->joined = true;
}

// The source makes packets once the publisher is up, and on their own time even when nobody looks.
static void produce(struct sim *s)
{
	struct party *pub = &s->parties[PUB];

	if (!pub->up)
		return;
	if (!s->made.n)
		s->due = ts_max(s->due, s->now);
	for (; s->made.n < s->made.total && s->now >= s->due; s->due += s->plan.period_us) {
		uint32_t n = s->made.n++;

		s->made.state[n] = MEDIA_HERE;
		s->made.play[n] = s->made.arrival[n] = s->due;
		party_send(pub, s->now, n);
	}
}

static ts_us next_event(const struct sim *s)
{
	ts_us next = TS_NEVER;

	for (int i = 0; i < LINKS; i++)
		next = ts_min(next, link_expiry(&s->links[i]));
	for (int i = 0; i < PARTIES; i++)
		next = ts_min(next, party_expiry(&s->parties[i]));
	if (s->parties[PUB].up && s->made.n < s->made.total)
		next = ts_min(next, ts_max(s->due, s->now));
	next = ts_max(next, s->now);
	if (s->plan.tick_us)
		next = (next + s->plan.tick_us - 1) / s->plan.tick_us * s->plan.tick_us;
	return next;
}

static void turn(struct sim *s)
{
	uint8_t data[LINK_DATAGRAM];
	size_t len;

	for (int i = 0; i < LINKS; i++)
		while ((len = link_recv(&s->links[i], s->now, data)))
			party_feed(&s->parties[feeds[i]], s->now, data, len);
	// The player's first packet is the relay's first to it.
	if (s->joined)
		s->parties[SUB].first = s->parties[REL_OUT].first;
	produce(s);
	for (int i = 0; i < PARTIES; i++)
		if (s->parties[i].out)
			party_run(&s->parties[i], s->now);
	if (s->plan.chain && !s->joined && s->relayed.n >= s->plan.join_after)
		join(s);
}

static void heal(struct sim *s)
{
	for (int i = 0; i < LINKS; i++) {
		struct link_cfg *c = &s->links[i].cfg;

		c->jitter_us = c->reorder_us = c->loss_ppm = c->dup_ppm = c->rate = 0;
	}
	s->calm.healed = true;
}

static void watch_calm(struct sim *s)
{
	struct calm *c = &s->calm;

	if (!c->healed && s->made.n >= s->plan.heal_after)
		heal(s);
	if (!c->healed || (s->plan.chain && !s->parties[SUB].up))
		c->from = s->now;
	if (c->settled || s->now < c->from + 2 * s->plan.latency_ms * TS_MS + TS_S)
		return;
	c->settled = true;
	c->n = s->made.n;
	for (int i = 0; i < PARTIES; i++) {
		c->resent[i] = s->parties[i].stats.resent;
		c->naks[i] = s->parties[i].stats.naks;
	}
}

bool sim_faulty(struct sim *s)
{
	for (int i = 0; i < PARTIES; i++)
		if (s->parties[i].fault[0] && !s->fault[0])
			snprintf(s->fault, sizeof(s->fault), "%s", s->parties[i].fault);
	return s->fault[0];
}

bool sim_no_session(const struct party *p)
{
	return p->caller && p->call.state == SRT_CALLER_FAILED;
}

void sim_run(struct sim *s)
{
	ts_us end = 0, before;
	unsigned stuck = 0;

	do {
		before = s->now;
		s->now = next_event(s);
		stuck = s->now == before ? stuck + 1 : 0;
		if (stuck > 1000) {
			snprintf(s->fault, sizeof(s->fault), "time stands still at %llu",
				(unsigned long long)s->now);
			return;
		}
		turn(s);
		if (s->plan.heal_after)
			watch_calm(s);
		if (!end && s->made.n == s->made.total)
			end = s->now + 2 * s->plan.latency_ms * TS_MS + TS_S;
		if (s->now > 3600 * (ts_us)TS_S)
			snprintf(s->fault, sizeof(s->fault), "no end after an hour");
	} while (!sim_faulty(s) && !sim_no_session(&s->parties[PUB]) &&
		 !sim_no_session(&s->parties[SUB]) && (!end || s->now < end));
}
