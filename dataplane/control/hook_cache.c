// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/hook_cache.h"

#include <openssl/sha.h>

#include <string.h>

void hook_cache_key(const struct dp_admit *q, uint8_t key[HOOK_CACHE_KEY])
{
	struct dp_admit same = *q;
	uint8_t d[SHA256_DIGEST_LENGTH];

	same.id = 0;
	same.peer_port = 0;
	memset(same.query, 0, sizeof(same.query));
	SHA256((const uint8_t *)&same, sizeof(same), d);
	memcpy(key, d, HOOK_CACHE_KEY);
}

static uint32_t set_of(const uint8_t key[HOOK_CACHE_KEY])
{
	uint32_t h;

	memcpy(&h, key, sizeof(h));
	return h % HOOK_CACHE_SETS;
}

void hook_cache_put(struct hook_cache *h, const struct hook_verdict *v)
{
	struct hook_verdict *set = h->sets[set_of(v->key)], *at = set;

	for (unsigned i = 0; i < HOOK_CACHE_WAYS; i++) {
		if (!memcmp(set[i].key, v->key, HOOK_CACHE_KEY)) {
			at = &set[i];
			break;
		}
		if (set[i].until < at->until)
			at = &set[i];
	}
	*at = *v;
}

const struct hook_verdict *hook_cache_find(
	const struct hook_cache *h, ts_us now, const uint8_t key[HOOK_CACHE_KEY])
{
	const struct hook_verdict *set = h->sets[set_of(key)];

	for (unsigned i = 0; i < HOOK_CACHE_WAYS; i++)
		if (set[i].until > now && !memcmp(set[i].key, key, HOOK_CACHE_KEY))
			return &set[i];
	return NULL;
}
