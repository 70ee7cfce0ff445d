#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What one receiver got: by content, over all publishing sessions it saw.

#include "load/meter.h"

struct check {
	uint64_t marked, foreign, corrupt;
	uint64_t skipped;   // content that the numbering passed over without a hole
	uint64_t misplaced; // content that is not the one its number stands for; counted as corrupt
	uint64_t delay_us;  // sum over `marked`, sender to here (one machine's clock)
	// The session that is being received: content n has number n - offset.
	bool begun;
	uint32_t tag;
	int64_t offset, old_offset;
	uint64_t newest;
};

// A payload that the protocol numbered seq: each number comes once, order is free.
void check_numbered(
	struct check *c, struct meter *m, ts_us now, uint64_t seq, const uint8_t *data, size_t len);

// The same without numbers (bare UDP): content is numbered by itself.
struct gaps {
	bool begun;
	uint32_t tag;
	uint64_t first, next;
	uint64_t unique, duplicate, missing_before; // missing of earlier sessions
	uint64_t in_session;			    // unique of this one
	uint64_t seen[16];			    // the last 1024
};

void gaps_note(struct gaps *g, uint32_t tag, uint64_t n);
uint64_t gaps_missing(const struct gaps *g); // holes between first and last
