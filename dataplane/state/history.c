// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/history.h"

#include <assert.h>
#include <stddef.h>

static_assert(sizeof(struct history_entry) == 40, "8,192 of them are the cost of a stream");

void history_init(struct history *h, struct history_entry *entries, uint64_t next)
{
	*h = (struct history){.e = entries, .first = next, .next = next, .random = HISTORY_NONE};
}

int history_extend(struct history *h, uint64_t seq)
{
	if (seq < h->next)
		return 0;
	if (seq - h->first >= HISTORY_CAP)
		return -ENOSPC;
	for (; h->next <= seq; h->next++)
		*history_at(h, h->next) = (struct history_entry){0};
	return 0;
}

void history_put(struct history *h, uint64_t seq, const struct history_entry *e)
{
	struct history_entry *at = history_at(h, seq);

	assert(history_covers(h, seq));
	assert(!at->frame);
	*at = *e;
	h->n_frames++;
}

bool history_pop(struct history *h, struct history_entry *out)
{
	struct history_entry *e = history_at(h, h->first);

	if (h->first == h->next)
		return false;
	*out = *e;
	*e = (struct history_entry){0};
	h->n_frames -= out->frame != NULL;
	if (h->random == h->first)
		h->random = HISTORY_NONE;
	h->first++;
	return true;
}
