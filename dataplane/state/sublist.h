#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The subscribers of one stream on one worker, as fan-out walks them: chunks of lines, all full but
// the last. Removal moves the last line into the hole, and only happens between batches
// (decisions A7). Chunks come from a pool of the worker's: nothing is allocated.

#include "io/line.h"

#include <stdint.h>

#define SUBLIST_CHUNK 64u

struct session;

struct sublist_chunk {
	struct line lines[SUBLIST_CHUNK];
	struct session *who[SUBLIST_CHUNK];
	struct sublist_chunk *next, *prev;
	uint32_t n;
};

struct sublist_pool {
	struct sublist_chunk *free, *fresh, *end; // fresh: never used yet
};

struct sublist {
	struct sublist_chunk *head, *tail;
	uint32_t n;
};

// Where a session stands in its list; at its own place in struct session.
struct sublist_place {
	struct sublist_chunk *chunk; // NULL: in no list
	uint32_t at;
};

// n chunks of memory that the caller keeps.
void sublist_pool_init(struct sublist_pool *p, struct sublist_chunk *chunks, uint32_t n);

// Append. Returns 0 or -ENOSPC. *place is where the session keeps its place.
int sublist_add(struct sublist *l, struct sublist_pool *p, const struct line *line,
	struct session *who, struct sublist_place *place);

// Remove. The moved session's place is written through `place_of`.
void sublist_del(struct sublist *l, struct sublist_pool *p, struct sublist_place *place,
	struct sublist_place *(*place_of)(struct session *));
