#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The history of one stream on one worker: an index ring from extended sequence number to frame.
// The owner's holds the frames, a follower's holds clones of them (decisions A8). Late joiners,
// repairs and fan-out all read it; a subscriber owns no buffer.

#include "base/ts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;

#define HISTORY_CAP 8192u // entries: the receive window of an SRT publisher
#define HISTORY_NONE UINT64_MAX

enum {
	HISTORY_GIVEN_UP = 0x01, // hole that will not be filled
};

struct history_entry {
	struct rte_mbuf *frame; // NULL: a hole
	const uint8_t *data;	// what was received: for RTP the whole packet
	ts_us play;		// stream time: play time at the relay (decisions A5)
	ts_us arrival;
	uint16_t len;		 // bytes at data
	uint16_t off, media_len; // the media payload within them
	uint8_t flags, rsv;
};

struct history {
	struct history_entry *e; // HISTORY_CAP of them, borrowed
	uint64_t first, next;	 // kept: [first, next)
	uint64_t random;	 // newest packet where a decoder may start, or HISTORY_NONE
	uint32_t n_frames;
};

void history_init(struct history *h, struct history_entry *entries, uint64_t next);

static inline struct history_entry *history_at(const struct history *h, uint64_t seq)
{
	return &h->e[seq & (HISTORY_CAP - 1)];
}

static inline bool history_covers(const struct history *h, uint64_t seq)
{
	return seq >= h->first && seq < h->next;
}

// The packet seq, or NULL: a hole, not here yet, or no longer.
static inline struct history_entry *history_find(const struct history *h, uint64_t seq)
{
	struct history_entry *e = history_at(h, seq);

	return history_covers(h, seq) && e->frame ? e : NULL;
}

// Make the history end behind seq, with holes for what is not here. Returns 0, or -ENOSPC when the
// oldest entries have to be popped first.
int history_extend(struct history *h, uint64_t seq);

// Fill a hole that the history covers.
void history_put(struct history *h, uint64_t seq, const struct history_entry *e);

// A decoder may start at seq; kept when nothing newer is known.
static inline void history_note_random(struct history *h, uint64_t seq)
{
	if (h->random == HISTORY_NONE || seq > h->random)
		h->random = seq;
}

// Take the oldest entry out; its frame (if any) is the caller's now. False when empty.
bool history_pop(struct history *h, struct history_entry *out);
