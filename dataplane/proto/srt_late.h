#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// When to stop waiting for missing packets: everything missing before a packet that is here is too
// late at that packet's play time (draft-sharabayko-srt-01, 4.6; srt-wire 10.5).
//
// Packets are not kept, so the play time of the packet behind each new hole is noted. Holes that
// come within a 48th of the latency share a note, so 64 of them span the latency whatever the rate;
// such a hole is waited for by that much longer. So is the first part of a hole that is filled in
// its middle: until the play time of what stands behind the whole.

#include "base/ts.h"

#include <stdbool.h>
#include <stdint.h>

enum { SRT_LATE_NOTES = 64 };

struct srt_late_note {
	uint64_t seq; // everything missing before it ...
	ts_us play;   // ... is too late then
	ts_us since;  // play time of the first hole that shares this note
};

struct srt_late {
	uint32_t grain_us;
	uint16_t first, n; // ring
	struct srt_late_note notes[SRT_LATE_NOTES];
};

void srt_late_init(struct srt_late *l, uint32_t latency_us);
// There is a hole right before packet seq, which is due at `play`.
void srt_late_note(struct srt_late *l, uint64_t seq, ts_us play);
// Take what is due: true and the packet before which everything missing is too late. Call until
// false.
bool srt_late_due(struct srt_late *l, ts_us now, uint64_t *seq);
// Forget notes of which nothing is missing any more: those up to `hole`.
void srt_late_forget(struct srt_late *l, uint64_t hole);
ts_us srt_late_expiry(const struct srt_late *l);
