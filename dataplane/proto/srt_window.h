#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Which packets of a sequence are here: two bits per packet over a sliding window of 8192. Numbers
// are extended (64 bits, first packet 0), so nothing wraps in here.
//
//   given      hole                next
//     |  done    | missing, here, .. |  not seen yet
//
// `hole` is the first packet that is neither here nor gone (what an ACK says), `next` the newest
// one plus 1. Bits behind `hole` are kept until `next` runs over them, so that a late packet is
// told from a duplicate and what was given up can be listed.

#include <stdbool.h>
#include <stdint.h>

#define SRT_WINDOW 8192u
#define SRT_WINDOW_WORDS (SRT_WINDOW / 64)

struct srt_window {
	uint64_t hole, next;
	uint64_t given;		       // given-up packets before this one have been listed ...
	uint64_t jump_first, jump_end; // ... but these, which a jump left behind
	uint32_t missing;	       // packets in hole .. next - 1 that are neither here nor gone
	uint64_t have[SRT_WINDOW_WORDS];
	uint64_t gone[SRT_WINDOW_WORDS]; // given up, or dropped by the sender
};

enum srt_window_put {
	SRT_WINDOW_NEW,	      // the next one, or beyond a new hole
	SRT_WINDOW_FILLED,    // filled a hole
	SRT_WINDOW_DUPLICATE, // was here already
	SRT_WINDOW_LATE,      // had been given up, or is too old to tell
	SRT_WINDOW_AHEAD,     // 8192 or more beyond the first hole
};

void srt_window_init(struct srt_window *w);
// Note that packet seq is here. On NEW the packets from the old `next` up to seq have gone missing.
enum srt_window_put srt_window_put(struct srt_window *w, uint64_t seq);
// Stop waiting for the missing ones in first .. last (inclusive, clipped to the window). Returns
// how many they were. A range that begins at or before `next` and ends behind it moves `next`.
uint32_t srt_window_drop(struct srt_window *w, uint64_t first, uint64_t last);
// Leave everything behind and go on at seq (> next): what lies between is given up. Only when
// nothing is missing and everything given up has been listed, else false and nothing changes.
bool srt_window_jump(struct srt_window *w, uint64_t seq);
// The first run of missing packets at or after `from` and before `end`. False: none.
bool srt_window_missing(
	const struct srt_window *w, uint64_t from, uint64_t end, uint64_t *first, uint64_t *last);
// The next run of given-up packets that has not been listed. False: none.
bool srt_window_given_up(struct srt_window *w, uint64_t *first, uint64_t *last);
