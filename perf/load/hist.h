#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A histogram of microseconds with high dynamic range: exact below 256, to 1/128 above, up to an
// hour. (Debian 12 has no C library for one.)

#include <stdint.h>

enum {
	HIST_EXACT_BITS = 8,
	HIST_VALUE_BITS = 32,
	HIST_HALF = 1 << (HIST_EXACT_BITS - 1),
	HIST_BUCKETS = HIST_HALF * (HIST_VALUE_BITS - HIST_EXACT_BITS + 2),
};

struct hist {
	uint64_t n, sum, min, max; // min and max are exact
	uint64_t buckets[HIST_BUCKETS];
};

void hist_note(struct hist *h, uint64_t value);

// The smallest value that at least this share of all do not exceed, to the precision of a bucket;
// 0 when there is none. share: 0 to 1.
uint64_t hist_at(const struct hist *h, double share);
