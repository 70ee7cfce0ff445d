#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Conclusions that wait for admission, and for a few seconds afterwards those that were decided: a
// caller repeats its conclusion until our answer arrives, and every repeat has to find the first
// (decisions A17). A fixed pool, used round and round.
//
// Of those that wait or were refused one network has no more than a share while others may need
// the rest; who was admitted is of no share, for a thousand viewers behind one address are no
// flood.

#include "state/event.h"
#include "state/share.h"

#define PARK_CAP 4096u
#define PARK_KEEP_US (4 * TS_S) // callers give up after 3 s

enum park_state { PARK_FREE, PARK_WAITING, PARK_REFUSED, PARK_ADMITTED };

struct park_entry {
	struct parked p;
	enum park_state state;
	uint32_t next;	 // in its bucket: index + 1
	int code;	 // REFUSED: wire value
	session_key key; // ADMITTED
};

struct park {
	struct park_entry *e; // PARK_CAP of them, borrowed
	uint32_t head, tail;  // places in use, oldest first: of tail to head, modulo PARK_CAP
	struct share share;
	uint32_t buckets[PARK_CAP]; // index + 1, 0: empty
};

// key: random, for callers choose what is looked up.
void park_init(struct park *k, struct park_entry *entries, uint64_t key);
struct park_entry *park_find(struct park *k, const struct endpoint *peer, uint32_t caller_id);

// A place for p (copied), in state WAITING; NULL when there is none, or none for its network.
struct park_entry *park_add(struct park *k, ts_us now, const struct parked *p);

// It became this session, which its repeats belong to.
void park_admit(struct park *k, struct park_entry *e, session_key key);

// The entry that a command names, if it still waits; else NULL.
struct park_entry *park_waiting(struct park *k, uint32_t index, uint32_t generation);

static inline uint32_t park_index(const struct park *k, const struct park_entry *e)
{
	return (uint32_t)(e - k->e);
}
