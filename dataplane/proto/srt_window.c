// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_window.h"

#include <string.h>

static bool bit_get(const uint64_t *map, uint64_t seq)
{
	return map[seq % SRT_WINDOW / 64] >> seq % 64 & 1;
}

static void bit_set(uint64_t *map, uint64_t seq)
{
	map[seq % SRT_WINDOW / 64] |= 1ull << seq % 64;
}

static void bit_clear(uint64_t *map, uint64_t seq)
{
	map[seq % SRT_WINDOW / 64] &= ~(1ull << seq % 64);
}

void srt_window_init(struct srt_window *w)
{
	memset(w, 0, sizeof(*w));
}

// Move `next` up to `to`: what lies between is missing, for now.
static void extend(struct srt_window *w, uint64_t to)
{
	for (uint64_t s = w->next; s < to; s++) { // at most SRT_WINDOW
		bit_clear(w->have, s);
		bit_clear(w->gone, s);
	}
	w->missing += (uint32_t)(to - w->next);
	w->next = to;
	if (w->next > w->given + SRT_WINDOW) // not listed in time: the bits are gone
		w->given = w->next - SRT_WINDOW;
}

// The first packet in from .. end - 1 that is neither here nor gone (want_missing), or that is;
// `end` if there is none. Whole words at a time.
static uint64_t find(const struct srt_window *w, uint64_t from, uint64_t end, bool want_missing)
{
	while (from < end) {
		unsigned word = (unsigned)(from % SRT_WINDOW / 64);
		uint64_t done = w->have[word] | w->gone[word];
		uint64_t hits = (want_missing ? ~done : done) >> from % 64;

		if (hits) {
			from += (unsigned)__builtin_ctzll(hits);
			break;
		}
		from += 64 - from % 64;
	}
	return from < end ? from : end;
}

static void advance_hole(struct srt_window *w)
{
	w->hole = w->missing ? find(w, w->hole, w->next, true) : w->next;
}

enum srt_window_put srt_window_put(struct srt_window *w, uint64_t seq)
{
	bool is_new = seq >= w->next;

	if (seq >= w->hole + SRT_WINDOW)
		return SRT_WINDOW_AHEAD;
	if (seq + SRT_WINDOW < w->next)
		return SRT_WINDOW_LATE;
	if (!is_new && bit_get(w->have, seq))
		return SRT_WINDOW_DUPLICATE;
	if (!is_new && (seq < w->hole || bit_get(w->gone, seq)))
		return SRT_WINDOW_LATE;
	if (is_new)
		extend(w, seq + 1);
	bit_set(w->have, seq);
	w->missing--;
	if (seq == w->hole)
		advance_hole(w);
	return is_new ? SRT_WINDOW_NEW : SRT_WINDOW_FILLED;
}

uint32_t srt_window_drop(struct srt_window *w, uint64_t first, uint64_t last)
{
	uint32_t n = 0;

	if (first > w->next || last < w->hole || last >= w->hole + SRT_WINDOW)
		return 0;
	if (first < w->hole)
		first = w->hole;
	if (last >= w->next)
		extend(w, last + 1);
	for (uint64_t s = first; s <= last; s++) { // at most SRT_WINDOW
		if (bit_get(w->have, s) || bit_get(w->gone, s))
			continue;
		bit_set(w->gone, s);
		n++;
	}
	w->missing -= n;
	advance_hole(w);
	return n;
}

bool srt_window_jump(struct srt_window *w, uint64_t seq)
{
	if (w->given != w->next || w->jump_end)
		return false;
	memset(w->have, 0, sizeof(w->have));
	memset(w->gone, 0xff, sizeof(w->gone));
	w->jump_first = w->next;
	w->jump_end = seq;
	w->hole = w->next = w->given = seq;
	return true;
}

bool srt_window_missing(
	const struct srt_window *w, uint64_t from, uint64_t end, uint64_t *first, uint64_t *last)
{
	if (from < w->hole)
		from = w->hole;
	if (end > w->next)
		end = w->next;
	if (!w->missing || from >= end)
		return false;
	*first = find(w, from, end, true);
	if (*first == end)
		return false;
	*last = find(w, *first, end, false) - 1;
	return true;
}

// The first packet in from .. end - 1 whose `gone` bit is as asked.
static uint64_t find_gone(const struct srt_window *w, uint64_t from, uint64_t end, bool gone)
{
	while (from < end) {
		uint64_t word = w->gone[from % SRT_WINDOW / 64];
		uint64_t hits = (gone ? word : ~word) >> from % 64;

		if (hits) {
			from += (unsigned)__builtin_ctzll(hits);
			break;
		}
		from += 64 - from % 64;
	}
	return from < end ? from : end;
}

bool srt_window_given_up(struct srt_window *w, uint64_t *first, uint64_t *last)
{
	if (w->jump_end) {
		*first = w->jump_first;
		*last = w->jump_end - 1;
		w->jump_end = 0;
		return true;
	}
	*first = find_gone(w, w->given, w->hole, true);
	w->given = find_gone(w, *first, w->hole, false);
	*last = w->given - 1;
	return *first < w->hole;
}
