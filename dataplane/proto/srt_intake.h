#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What has come of a publisher, by whichever way: its packets' numbers, which of them are here and
// when they are due (draft-sharabayko-srt-01, 4.4 to 4.7; srt-wire 7, 10).

#include "base/ts.h"
#include "proto/srt_late.h"
#include "proto/srt_tsbpd.h"
#include "proto/srt_window.h"

#include <stdbool.h>
#include <stdint.h>

struct srt_link;

struct srt_intake {
	struct srt_window window;
	struct srt_late late;
	struct srt_tsbpd tsbpd;
	uint32_t isn;		// of the peer: packet 0
	uint64_t ahead;		// last packet beyond the window, 0: none
	uint64_t given_up;	// packets that will not come any more
	struct srt_link *links; // by which it comes: one, or those of a group; borrowed
};

// arrival, ts: as for srt_tsbpd_init().
void srt_intake_init(
	struct srt_intake *in, uint32_t isn, ts_us arrival, uint32_t ts, uint32_t latency_us);
uint32_t srt_intake_seq(const struct srt_intake *in, uint64_t number);
// Packet number of a sequence number, nearest to what is expected next. False: before the first.
bool srt_intake_number(const struct srt_intake *in, uint32_t seq, uint64_t *out);
// Note that a packet is here, which is due at `play`.
enum srt_window_put srt_intake_put(struct srt_intake *in, uint64_t number, ts_us play);
// Wait no longer for those missing in first .. last.
void srt_intake_drop(struct srt_intake *in, uint64_t first, uint64_t last);
// Give up what is too late.
void srt_intake_late(struct srt_intake *in, ts_us now);
