// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "sim/link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct link_pkt {
	ts_us at;
	uint64_t order; // equal times keep their order
	uint32_t slot;
};

struct link_slot {
	uint32_t next_free;
	uint16_t len;
	uint8_t data[LINK_DATAGRAM];
};

void link_init(struct link *l, const struct link_cfg *cfg, uint64_t seed)
{
	*l = (struct link){.cfg = *cfg, .rand = {seed}};
}

void link_fini(struct link *l)
{
	free(l->heap);
	free(l->slots);
}

static bool before(const struct link_pkt *a, const struct link_pkt *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct link_pkt *a, struct link_pkt *b)
{
	struct link_pkt t = *a;

	*a = *b;
	*b = t;
}

static void grow(struct link *l)
{
	size_t cap = l->cap ? 2 * l->cap : 64;

	l->heap = realloc(l->heap, cap * sizeof(*l->heap));
	l->slots = realloc(l->slots, cap * sizeof(*l->slots));
	assert(l->heap && l->slots);
	for (size_t i = l->cap; i < cap; i++)
		l->slots[i].next_free = (uint32_t)i + 1;
	l->free_slot = (uint32_t)l->cap; // all others are taken
	l->cap = cap;
}

static void push(struct link *l, ts_us at, const uint8_t *data, size_t len)
{
	struct link_slot *s;
	size_t i;

	assert(len <= LINK_DATAGRAM);
	if (l->n == l->cap)
		grow(l);
	i = l->n++;
	s = &l->slots[l->free_slot];
	l->heap[i] = (struct link_pkt){.at = at, .order = l->order++, .slot = l->free_slot};
	l->free_slot = s->next_free;
	s->len = (uint16_t)len;
	memcpy(s->data, data, len);
	for (; i && before(&l->heap[i], &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&l->heap[i], &l->heap[(i - 1) / 2]);
}

static void pop(struct link *l)
{
	uint32_t slot = l->heap[0].slot;
	size_t i = 0;

	l->slots[slot].next_free = l->free_slot;
	l->free_slot = slot;
	l->heap[0] = l->heap[--l->n];
	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid + 1 < l->n && before(&l->heap[kid + 1], &l->heap[kid]))
			kid++;
		if (kid >= l->n || !before(&l->heap[kid], &l->heap[i]))
			return;
		swap(&l->heap[i], &l->heap[kid]);
		i = kid;
	}
}

static bool chance(struct link *l, uint32_t ppm)
{
	return rand_below(&l->rand, 1000000) < ppm;
}

static ts_us travel(struct link *l, ts_us leaves)
{
	ts_us at = leaves + l->cfg.delay_us;

	at = ts_max(at + rand_below(&l->rand, l->cfg.jitter_us + 1), l->newest_at);
	l->newest_at = at;
	if (chance(l, l->cfg.reorder_ppm))
		at += rand_below(&l->rand, l->cfg.reorder_us + 1);
	return at;
}

void link_send(struct link *l, ts_us now, const uint8_t *data, size_t len)
{
	ts_us leaves = now;

	l->sent++;
	if (l->cfg.rate) {
		leaves = ts_max(now, l->free_at);
		if (leaves > now + l->cfg.queue_us) {
			l->lost++;
			return;
		}
		leaves = l->free_at = leaves + (uint64_t)len * TS_S / l->cfg.rate;
	}
	if (chance(l, l->cfg.loss_ppm)) {
		l->lost++;
		return;
	}
	push(l, travel(l, leaves), data, len);
	if (!chance(l, l->cfg.dup_ppm))
		return;
	l->doubled++;
	push(l, travel(l, leaves), data, len);
}

size_t link_recv(struct link *l, ts_us now, uint8_t out[LINK_DATAGRAM])
{
	size_t len;

	if (!l->n || l->heap[0].at > now)
		return 0;
	len = l->slots[l->heap[0].slot].len;
	memcpy(out, l->slots[l->heap[0].slot].data, len);
	pop(l);
	return len;
}

ts_us link_expiry(const struct link *l)
{
	return l->n ? l->heap[0].at : TS_NEVER;
}
