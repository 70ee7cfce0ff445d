// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/halfsiphash.h"

struct state {
	uint32_t v0, v1, v2, v3;
};

static uint32_t rotl(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void rounds(struct state *s, int n)
{
	for (int i = 0; i < n; i++) {
		s->v0 += s->v1;
		s->v1 = rotl(s->v1, 5) ^ s->v0;
		s->v0 = rotl(s->v0, 16);
		s->v2 += s->v3;
		s->v3 = rotl(s->v3, 8) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotl(s->v3, 7) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotl(s->v1, 13) ^ s->v2;
		s->v2 = rotl(s->v2, 16);
	}
}

static void absorb(struct state *s, uint32_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

// n bytes, at most 4, little-endian.
static uint32_t word_of(const uint8_t *p, size_t n)
{
	uint32_t w = 0;

	for (size_t i = 0; i < n; i++)
		w |= (uint32_t)p[i] << 8 * i;
	return w;
}

uint32_t halfsiphash24(uint64_t key, const uint8_t *in, size_t len)
{
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
	struct state s = {k0, k1, k0 ^ 0x6c796765u, k1 ^ 0x74656462u};
	size_t whole = len & ~(size_t)3;

	for (size_t i = 0; i < whole; i += 4)
		absorb(&s, word_of(in + i, 4));
	absorb(&s, word_of(in + whole, len - whole) | (uint32_t)len << 24);
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v1 ^ s.v3;
}
