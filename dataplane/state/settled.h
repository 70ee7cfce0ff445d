#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Conclusions that became sessions, for a few seconds: a caller repeats its conclusion until our
// answer arrives, and every repeat belongs to the session that the first one made (decisions A17).
//
// A ring with an index, used round and round: small places, for in a storm there are tens of
// thousands of them. Beyond SETTLED_CAP within SETTLED_KEEP_US the oldest are forgotten early.

#include "base/endpoint.h"
#include "base/ts.h"
#include "state/event.h"

#include <assert.h>

#define SETTLED_CAP 65536u	   // 16,000 joins a second
#define SETTLED_KEEP_US (4 * TS_S) // callers give up after 3 s

struct settled_entry {
	struct endpoint peer;
	uint32_t caller_id;
	uint32_t next; // in its bucket: index + 1
	ts_us at;      // when its conclusion came
	session_key key;
};

static_assert(sizeof(struct settled_entry) == 48, "a storm's worth takes 3 MB");

struct settled {
	uint64_t hash_key;
	uint64_t head;		       // how many there have been
	uint32_t buckets[SETTLED_CAP]; // index + 1, 0: empty
	struct settled_entry e[SETTLED_CAP];
};

// All zero but for its key, which is random: callers choose what is looked up.
void settled_init(struct settled *s, uint64_t hash_key);
void settled_add(struct settled *s, ts_us at, const struct endpoint *peer, uint32_t caller_id,
	session_key key);
// The session of a repeat; false: there is none, or not any more.
bool settled_find(const struct settled *s, ts_us now, const struct endpoint *peer,
	uint32_t caller_id, session_key *key);
