#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the hook has said, for when it says nothing (decisions A17). Bounded: a question has four
// places, and takes the one that would have lost its meaning first.

#include "base/ts.h"
#include "ctl/dp/dp_proto.h"

#define HOOK_CACHE_SETS 2500u
#define HOOK_CACHE_WAYS 4u
#define HOOK_CACHE_KEY 16u // bytes

struct hook_verdict {
	uint8_t key[HOOK_CACHE_KEY];
	ts_us until;
	int code; // 0: let in; else what to refuse with
};

struct hook_cache {
	struct hook_verdict sets[HOOK_CACHE_SETS][HOOK_CACHE_WAYS];
};

// The same question: listener, stream, mode, user, token, session (some servers' password) and
// address. Not the port, nor what else the stream id held.
void hook_cache_key(const struct dp_admit *q, uint8_t key[HOOK_CACHE_KEY]);
void hook_cache_put(struct hook_cache *h, const struct hook_verdict *v);
// NULL: not asked, or too long ago.
const struct hook_verdict *hook_cache_find(
	const struct hook_cache *h, ts_us now, const uint8_t key[HOOK_CACHE_KEY]);
