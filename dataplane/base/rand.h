#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A small seeded generator (splitmix64) for ids and jitter: the seed comes in at creation, so a
// seed replays a run. Not for secrets.

#include <stdint.h>

struct rand {
	uint64_t state;
};

static inline uint64_t rand_u64(struct rand *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

// Uniform enough below n (n > 0, small against 2^32).
static inline uint32_t rand_below(struct rand *r, uint32_t n)
{
	return (uint32_t)((rand_u64(r) >> 32) * n >> 32);
}
