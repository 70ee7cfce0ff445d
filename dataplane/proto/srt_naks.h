#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// When a receiver reports what it lacks, and what of it (draft-sharabayko-srt-01, 4.8.2; srt-wire
// 7.2): new losses at once, all of them again by a period, more often where many packets are lost.
//
// With several links into one intake (srt_link.h) what another link may still bring is not asked
// for at once: it is held back for a quarter of the latency.

#include "base/ts.h"
#include "proto/srt_late.h"
#include "proto/srt_rtt.h"

#include <stdbool.h>
#include <stdint.h>

enum { SRT_NAKS_SHARE_OF = 512 }; // packets that the share of missed ones is taken of

struct srt_naks {
	ts_us at;			 // next report of all; TS_NEVER: nothing is missing
	uint64_t fresh_first, fresh_end; // holes in first .. end - 1 have not been reported yet
	uint64_t hold_end;		 // those before it have been waited for, until hold_at
	ts_us hold_at;
	uint64_t share_end; // where the link stood when the share was last looked at ...
	uint64_t share_missed;
	bool heavy;    // ... and it was large
	uint8_t blind; // repeated reports before the round trip was known
};

// How things stand where a report is to be made.
struct srt_naks_way {
	const struct srt_rtt *rtt;
	uint32_t latency_us;
	const struct srt_late *late; // until when the first holes can wait
	uint64_t end;		     // behind the newest packet that the link has brought
	uint64_t passed;	     // what is missing before it no other link will bring by itself
};

// Holes in first .. end - 1, empty where they are equal.
struct srt_naks_range {
	uint64_t first, end;
};

void srt_naks_init(struct srt_naks *n);
void srt_naks_weigh(struct srt_naks *n, uint64_t end, uint64_t missed);
// The link has come to `end`, and missed so many packets in all.
static inline void srt_naks_note_end(struct srt_naks *n, uint64_t end, uint64_t missed)
{
	if (end - n->share_end >= SRT_NAKS_SHARE_OF)
		srt_naks_weigh(n, end, missed);
}
// first .. end - 1 have been found missing.
void srt_naks_note_loss(
	struct srt_naks *n, const struct srt_naks_way *w, ts_us now, uint64_t first, uint64_t end);
// Nothing is missing any more.
void srt_naks_clear(struct srt_naks *n);
// There is a sample of the round trip: reports need not be as rare as before it was known.
void srt_naks_measured(struct srt_naks *n, const struct srt_naks_way *w, ts_us now);
static inline bool srt_naks_due(const struct srt_naks *n, ts_us now)
{
	return now >= n->at || n->fresh_first != n->fresh_end;
}
// When there is something to report: 0 for at once.
static inline ts_us srt_naks_expiry(const struct srt_naks *n)
{
	return n->fresh_first != n->fresh_end ? 0 : n->at;
}
// What has not been reported yet.
struct srt_naks_range srt_naks_fresh(struct srt_naks *n);
// The time of a report of all has come: of what is missing from `hole` on.
struct srt_naks_range srt_naks_all(
	struct srt_naks *n, const struct srt_naks_way *w, ts_us now, uint64_t hole);
// That report has gone out, for some of it was missing.
void srt_naks_reported(struct srt_naks *n);
