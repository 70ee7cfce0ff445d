// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/park.h"

#include "proto/halfsiphash.h"

#include <stddef.h>

void park_init(struct park *k, struct park_entry *entries, uint64_t key)
{
	*k = (struct park){.e = entries};
	share_init(&k->share, key);
}

static uint32_t *bucket(struct park *k, const struct endpoint *peer, uint32_t caller_id)
{
	uint8_t in[22];

	memcpy(in, peer->ip, 16);
	memcpy(in + 16, &peer->port, 2);
	memcpy(in + 18, &caller_id, 4);
	return &k->buckets[halfsiphash24(k->share.key, in, sizeof(in)) % PARK_CAP];
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
	return e->state == PARK_WAITING || now - e->p.arrival < PARK_KEEP_US;
}

// Each place is passed once for each time that it was taken.
static void forget_old(struct park *k, ts_us now)
{
	for (; k->tail != k->head; k->tail++) {
		const struct park_entry *e = &k->e[k->tail % PARK_CAP];

		if (is_needed(e, now))
			return;
		if (e->state != PARK_ADMITTED)
			share_give(&k->share, e->p.peer.ip);
	}
}

struct park_entry *park_add(struct park *k, ts_us now, const struct parked *p)
{
	struct park_entry *e = &k->e[k->head % PARK_CAP];
	uint32_t generation = e->p.generation + 1;
	uint32_t *head;

	forget_old(k, now);
	if (!share_lets_in(&k->share, p->peer.ip, k->head - k->tail, PARK_CAP))
		return NULL;
	share_take(&k->share, p->peer.ip);
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

void park_admit(struct park *k, struct park_entry *e, session_key key)
{
	share_give(&k->share, e->p.peer.ip);
	e->state = PARK_ADMITTED;
	e->key = key;
}

struct park_entry *park_waiting(struct park *k, uint32_t index, uint32_t generation)
{
	struct park_entry *e = &k->e[index % PARK_CAP];

	return e->state == PARK_WAITING && e->p.generation == generation ? e : NULL;
}
