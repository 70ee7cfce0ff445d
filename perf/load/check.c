// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/check.h"

#include <string.h>

// The publisher changed or the numbering moved on: what follows stands by another offset. What was
// under way with the old one may still arrive.
static void place(struct check *c, const struct payload *p, uint64_t seq)
{
	int64_t offset = (int64_t)(p->n - seq);

	if (!c->begun || p->tag != c->tag) {
		if (c->begun && seq < c->newest)
			return; // repair from before the change
		c->begun = true;
		c->tag = p->tag;
		c->offset = c->old_offset = offset;
	} else if (offset > c->offset && seq >= c->newest) {
		c->skipped += (uint64_t)(offset - c->offset);
		c->old_offset = c->offset;
		c->offset = offset;
	} else if (offset != c->offset && offset != c->old_offset) {
		c->misplaced++;
		c->corrupt++;
	}
	if (seq > c->newest)
		c->newest = seq;
}

void check_numbered(
	struct check *c, struct meter *m, ts_us now, uint64_t seq, const uint8_t *data, size_t len)
{
	struct payload p;
	int rc = payload_check(&m->reader, data, len, &p);

	c->foreign += rc == PAYLOAD_FOREIGN;
	c->corrupt += rc == PAYLOAD_CORRUPT;
	if (rc)
		return;
	c->marked++;
	c->delay_us += now > p.sent ? now - p.sent : 0;
	meter_note(m, &p, now);
	place(c, &p, seq);
}

enum { SEEN = 1024 };

static bool seen_set(struct gaps *g, uint64_t n)
{
	uint64_t *w = &g->seen[n / 64 % (SEEN / 64)], bit = (uint64_t)1 << n % 64;
	bool was = *w & bit;

	*w |= bit;
	return was;
}

static void seen_clear(struct gaps *g, uint64_t from, uint64_t to)
{
	if (to - from >= SEEN) {
		memset(g->seen, 0, sizeof(g->seen));
		return;
	}
	for (uint64_t n = from; n < to; n++)
		g->seen[n / 64 % (SEEN / 64)] &= ~((uint64_t)1 << n % 64);
}

void gaps_note(struct gaps *g, uint32_t tag, uint64_t n)
{
	if (!g->begun || g->tag != tag) {
		g->missing_before = gaps_missing(g);
		g->begun = true;
		g->tag = tag;
		g->first = g->next = n;
		g->in_session = 0;
		memset(g->seen, 0, sizeof(g->seen));
	}
	if (n >= g->next) {
		seen_clear(g, g->next, n + 1);
		g->next = n + 1;
	} else if (n < g->first || g->next - n > SEEN) {
		g->duplicate++; // too old to tell
		return;
	}
	if (seen_set(g, n)) {
		g->duplicate++;
		return;
	}
	g->unique++;
	g->in_session++;
}

uint64_t gaps_missing(const struct gaps *g)
{
	return g->missing_before + (g->begun ? g->next - g->first - g->in_session : 0);
}
