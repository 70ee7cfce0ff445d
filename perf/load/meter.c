// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/meter.h"

static void close_one(struct meter *m, struct meter_copies *c)
{
	if (!c->used)
		return;
	hist_note(&m->first, c->first);
	hist_note(&m->last, c->last);
	c->used = false;
}

// Packets lie side by side, streams wherever their tag falls. One that comes after its place was
// taken is a repair: it has its latency, and is no copy that anybody else waits for.
static void note_copy(struct meter *m, const struct payload *p, uint64_t us)
{
	struct meter_copies *c = &m->open[(p->tag + p->n) % METER_OPEN];

	if (c->used && c->tag == p->tag && c->n == p->n) {
		c->last = us > c->last ? us : c->last;
		c->first = us < c->first ? us : c->first;
		return;
	}
	if (c->used && c->tag == p->tag && c->n > p->n)
		return;
	close_one(m, c);
	*c = (struct meter_copies){true, p->tag, p->n, us, us};
}

void meter_note(struct meter *m, const struct payload *p, ts_us now)
{
	uint64_t us = now > p->sent ? now - p->sent : 0;

	if (p->sent < m->from)
		return;
	hist_note(&m->latency, us);
	note_copy(m, p, us);
}

void meter_close(struct meter *m)
{
	for (unsigned i = 0; i < METER_OPEN; i++)
		close_one(m, &m->open[i]);
}
