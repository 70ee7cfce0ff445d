#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A timer wheel with lazy entries: a packet never moves an entry. When an entry fires its owner
// looks at what is really due and arms it again (decisions A12). Time is passed in.
//
// One level of WHEEL_SLOTS slots of WHEEL_TICK each; a later expiry waits in its slot for further
// rounds. Firing cost is bounded by the entries of the slots that have passed.

#include "base/ts.h"

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_SLOTS 1024u
#define WHEEL_TICK 1000u // microseconds

struct wheel_entry {
	struct wheel_entry *next, **pprev; // pprev NULL: not armed
	ts_us due;
};

struct wheel {
	struct wheel_entry *slots[WHEEL_SLOTS];
	uint64_t tick; // every slot up to this one has been fired
	unsigned n_armed;
	ts_us soonest; // no entry is due before; 0: not known
};

void wheel_init(struct wheel *w, ts_us now);

// Arm, or move, an entry. due == TS_NEVER disarms it.
void wheel_arm(struct wheel *w, struct wheel_entry *e, ts_us due);
void wheel_disarm(struct wheel *w, struct wheel_entry *e);

static inline bool wheel_armed(const struct wheel_entry *e)
{
	return e->pprev;
}

// Take the next entry that is due, or NULL. Call until NULL; a taken entry is disarmed, and its
// `next` is the one that may come next, to be prefetched.
struct wheel_entry *wheel_pop(struct wheel *w, ts_us now);

// When to look again: the moment at which wheel_pop will have the next entry, so that who sleeps
// until then neither oversleeps nor spins; TS_NEVER when nothing is armed.
ts_us wheel_next(struct wheel *w, ts_us now);
