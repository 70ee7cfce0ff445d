// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/settled.h"

#include "state/caller.h"

void settled_init(struct settled *s, uint64_t hash_key)
{
	s->hash_key = hash_key;
}

static uint32_t bucket(const struct settled *s, const struct endpoint *peer, uint32_t caller_id)
{
	return caller_hash(s->hash_key, peer, caller_id) % SETTLED_CAP;
}

static void forget(struct settled *s, const struct settled_entry *e)
{
	uint32_t *at = &s->buckets[bucket(s, &e->peer, e->caller_id)];

	while (*at != (uint32_t)(e - s->e) + 1)
		at = &s->e[*at - 1].next;
	*at = e->next;
}

void settled_add(struct settled *s, ts_us at, const struct endpoint *peer, uint32_t caller_id,
	session_key key)
{
	struct settled_entry *e = &s->e[s->head % SETTLED_CAP];
	uint32_t *first = &s->buckets[bucket(s, peer, caller_id)];

	if (s->head++ >= SETTLED_CAP)
		forget(s, e);
	*e = (struct settled_entry){
		.peer = *peer, .caller_id = caller_id, .next = *first, .at = at, .key = key};
	*first = (uint32_t)(e - s->e) + 1;
}

bool settled_find(const struct settled *s, ts_us now, const struct endpoint *peer,
	uint32_t caller_id, session_key *key)
{
	uint32_t i = s->buckets[bucket(s, peer, caller_id)];

	for (; i; i = s->e[i - 1].next) {
		const struct settled_entry *e = &s->e[i - 1];

		if (e->caller_id != caller_id || !endpoint_eq(&e->peer, peer))
			continue;
		*key = e->key;
		return now - e->at < SETTLED_KEEP_US; // the newest comes first
	}
	return false;
}
