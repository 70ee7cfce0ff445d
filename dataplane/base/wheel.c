// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/wheel.h"

#include <stddef.h>
#include <string.h>

void wheel_init(struct wheel *w, ts_us now)
{
	memset(w, 0, sizeof(*w));
	w->tick = now / WHEEL_TICK;
}

void wheel_disarm(struct wheel *w, struct wheel_entry *e)
{
	if (!e->pprev)
		return;
	*e->pprev = e->next;
	if (e->next)
		e->next->pprev = e->pprev;
	e->pprev = NULL;
	w->n_armed--;
	if (e->due == w->soonest)
		w->soonest = 0;
}

void wheel_arm(struct wheel *w, struct wheel_entry *e, ts_us due)
{
	uint64_t tick = (due + WHEEL_TICK - 1) / WHEEL_TICK;
	struct wheel_entry **head;

	wheel_disarm(w, e);
	if (due == TS_NEVER)
		return;
	// A slot that has passed is not visited again for a round: what is overdue goes in the
	// next.
	if (tick <= w->tick)
		tick = w->tick + 1;
	e->due = due;
	w->soonest = ts_min(w->soonest, due);
	head = &w->slots[tick % WHEEL_SLOTS];
	e->next = *head;
	e->pprev = head;
	if (e->next)
		e->next->pprev = &e->next;
	*head = e;
	w->n_armed++;
}

static struct wheel_entry *slot_take(struct wheel *w, unsigned slot, ts_us now)
{
	for (struct wheel_entry *e = w->slots[slot]; e; e = e->next) {
		if (e->due > now)
			continue;
		wheel_disarm(w, e);
		return e;
	}
	return NULL;
}

struct wheel_entry *wheel_pop(struct wheel *w, ts_us now)
{
	uint64_t last = now / WHEEL_TICK;

	if (!w->n_armed) {
		w->tick = last > w->tick ? last : w->tick;
		return NULL;
	}
	// After a long pause one visit to each slot is enough.
	if (last > w->tick + WHEEL_SLOTS)
		w->tick = last - WHEEL_SLOTS;
	while (w->tick < last) {
		struct wheel_entry *e = slot_take(w, (w->tick + 1) % WHEEL_SLOTS, now);

		if (e)
			return e;
		w->tick++;
	}
	return NULL;
}

static ts_us soonest(const struct wheel *w)
{
	ts_us best = TS_NEVER;

	for (unsigned i = 1; i <= WHEEL_SLOTS; i++) {
		const struct wheel_entry *e = w->slots[(w->tick + i) % WHEEL_SLOTS];

		for (; e; e = e->next)
			best = ts_min(best, e->due);
		// Later slots of this round hold nothing earlier than this.
		if (best <= (w->tick + i) * WHEEL_TICK)
			break;
	}
	return best;
}

ts_us wheel_next(struct wheel *w, ts_us now)
{
	ts_us best;

	if (!w->n_armed)
		return TS_NEVER;
	// Of an entry that is armed no more the moment passes, and is looked for anew.
	if (w->soonest <= w->tick * WHEEL_TICK)
		w->soonest = soonest(w);
	// An entry fires at the end of its tick, or of the next one when it came too late for its
	// own.
	best = (w->soonest + WHEEL_TICK - 1) / WHEEL_TICK * WHEEL_TICK;
	return ts_max(ts_max(best, (w->tick + 1) * WHEEL_TICK), now);
}
