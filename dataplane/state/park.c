// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/park.h"

#include <stddef.h>

void park_init(struct park *k, struct park_entry *entries)
{
	*k = (struct park){.e = entries};
}

static uint32_t *bucket(struct park *k, const struct endpoint *peer, uint32_t caller_id)
{
	uint64_t h = (uint64_t)endpoint_v4(peer) << 32 ^ (uint64_t)peer->port << 48 ^ caller_id;

	h *= 0x9e3779b97f4a7c15u;
	return &k->buckets[h >> 52];
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

static bool is_needed(const struct park_entry *e, ts_us now)
{
	return e->state == PARK_WAITING ||
	       (e->state != PARK_FREE && now - e->p.arrival < PARK_KEEP_US);
}

struct park_entry *park_add(struct park *k, ts_us now, const struct parked *p)
{
	struct park_entry *e = &k->e[k->head % PARK_CAP];
	uint32_t generation = e->p.generation + 1;
	uint32_t *head;

	if (is_needed(e, now))
		return NULL;
	if (e->state != PARK_FREE)
		unlink_entry(k, e);
	k->head++;
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
