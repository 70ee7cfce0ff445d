// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/hist.h"

#include <math.h>

static const uint64_t value_max = ((uint64_t)1 << HIST_VALUE_BITS) - 1;

// Halvings until the value fits into the exact bits: the scale of its bucket.
static unsigned scale_of(uint64_t value)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);

	return bits > HIST_EXACT_BITS ? bits - HIST_EXACT_BITS : 0;
}

static unsigned bucket_of(uint64_t value)
{
	unsigned scale = scale_of(value);

	return scale * HIST_HALF + (unsigned)(value >> scale);
}

// The largest value of a bucket.
static uint64_t value_of(unsigned bucket)
{
	unsigned scale = bucket < 2 * HIST_HALF ? 0 : bucket / HIST_HALF - 1;

	return ((bucket - scale * HIST_HALF + (uint64_t)1) << scale) - 1;
}

void hist_note(struct hist *h, uint64_t value)
{
	if (value > value_max)
		value = value_max;
	if (!h->n || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->n++;
	h->sum += value;
	h->buckets[bucket_of(value)]++;
}

uint64_t hist_at(const struct hist *h, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)h->n), seen = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen && seen >= wanted)
			return value_of(i) < h->max ? value_of(i) : h->max;
	}
	return 0;
}
