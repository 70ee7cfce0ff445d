// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/park.h"

#include "state/caller.h"

#include <stddef.h>

void park_init(struct park *k, struct park_entry *entries, uint64_t key)
{
	*k = (struct park){.e = entries};
	share_init(&k->share, key);
}

static uint32_t *bucket(struct park *k, const struct endpoint *peer, uint32_t caller_id)
{
	return &k->buckets[caller_hash(k->share.key, peer, caller_id) % PARK_CAP];
}

static bool is_for(const struct park_entry *e, const struct endpoint *peer, uint32_t caller_id)
{
	return e->p.req.caller_id == caller_id && endpoint_eq(&e->p.peer, peer);
}

struct park_entry *park_find(struct park *k, const struct endpoint *peer, uint32_t caller_id)
{
	for (uint32_t i = *bucket(k, peer, caller_id); i; i = k->e[i - 1].next)
		if (is_for(&k->e[i - 1], peer, caller_id))
			return &k->e[i - 1];
	return NULL;
}

static void unlink_entry(struct park *k, struct park_entry *e)
{
	uint32_t *at = bucket(k, &e->p.peer, e->p.req.caller_id);

	while (*at != park_index(k, e) + 1)
		at = &k->e[*at - 1].next;
	*at = e->next;
}

void park_leave(struct park *k, struct park_entry *e)
{
	unlink_entry(k, e);
	share_give(&k->share, e->p.peer.ip);
	e->state = PARK_FREE;
	e->next = k->free;
	k->free = park_index(k, e) + 1;
	k->used--;
}

void park_refuse(struct park *k, struct park_entry *e, int code)
{
	uint32_t self = park_index(k, e) + 1;

	e->state = PARK_REFUSED;
	e->code = code;
	e->behind = 0;
	if (k->refused_last)
		k->e[k->refused_last - 1].behind = self;
	else
		k->refused_first = self;
	k->refused_last = self;
}

static void forget_old(struct park *k, ts_us now)
{
	while (k->refused_first) {
		struct park_entry *e = &k->e[k->refused_first - 1];

		if (now - e->p.arrival < PARK_KEEP_US)
			return;
		k->refused_first = e->behind;
		if (!k->refused_first)
			k->refused_last = 0;
		park_leave(k, e);
	}
}

static struct park_entry *take_free(struct park *k)
{
	struct park_entry *e;

	if (!k->free)
		return k->n_fresh < PARK_CAP ? &k->e[k->n_fresh++] : NULL;
	e = &k->e[k->free - 1];
	k->free = e->next;
	return e;
}

struct park_entry *park_add(struct park *k, ts_us now, const struct parked *p)
{
	struct park_entry *e;
	uint32_t generation, *head;

	forget_old(k, now);
	if (!share_lets_in(&k->share, p->peer.ip, k->used, PARK_CAP))
		return NULL;
	e = take_free(k);
	if (!e)
		return NULL;
	k->used++;
	share_take(&k->share, p->peer.ip);
	generation = e->p.generation + 1;
	e->p = *p;
	e->p.generation = generation;
	e->state = PARK_WAITING;
	head = bucket(k, &p->peer, p->req.caller_id);
	e->next = *head;
	*head = park_index(k, e) + 1;
	return e;
}

struct park_entry *park_waiting(struct park *k, uint32_t index, uint32_t generation)
{
	struct park_entry *e = &k->e[index % PARK_CAP];

	return e->state == PARK_WAITING && e->p.generation == generation ? e : NULL;
}
