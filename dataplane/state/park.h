#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Conclusions that wait for admission, and for a few seconds afterwards those that were refused: a
// caller repeats its conclusion until our answer arrives, and every repeat has to find the first
// (decisions A17). A fixed pool. Who was admitted leaves it at once (state/settled.h), so that the
// places hold back no storm of callers.
//
// One network has no more than a share of them while others may need the rest.

#include "state/event.h"
#include "state/share.h"

#define PARK_CAP 4096u
#define PARK_KEEP_US (4 * TS_S) // callers give up after 3 s

enum park_state { PARK_FREE, PARK_WAITING, PARK_REFUSED };

struct park_entry {
	struct parked p;
	enum park_state state;
	uint32_t next;	 // in its bucket, or of the free ones: index + 1
	uint32_t behind; // REFUSED: the one refused after it: index + 1
	int code;	 // REFUSED: wire value
};

struct park {
	struct park_entry *e; // PARK_CAP of them, borrowed
	uint32_t n_fresh;     // places used so far ...
	uint32_t free;	      // ... of which these are free again: index + 1, 0: none
	uint32_t used;
	uint32_t refused_first, refused_last; // index + 1, oldest first
	struct share share;
	uint32_t buckets[PARK_CAP]; // index + 1, 0: empty
};

// key: random, for callers choose what is looked up.
void park_init(struct park *k, struct park_entry *entries, uint64_t key);
struct park_entry *park_find(struct park *k, const struct endpoint *peer, uint32_t caller_id);

// A place for p (copied), in state WAITING; NULL when there is none, or none for its network.
struct park_entry *park_add(struct park *k, ts_us now, const struct parked *p);

// It is decided: refused, with this code, which its repeats will be told; or admitted.
void park_refuse(struct park *k, struct park_entry *e, int code);
void park_leave(struct park *k, struct park_entry *e);

// The entry that a command names, if it still waits; else NULL.
struct park_entry *park_waiting(struct park *k, uint32_t index, uint32_t generation);

static inline uint32_t park_index(const struct park *k, const struct park_entry *e)
{
	return (uint32_t)(e - k->e);
}
