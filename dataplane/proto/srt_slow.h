#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Whether a subscriber can take its stream at all (srt-wire 9; decisions A15): one that
// acknowledges nothing new for too long, though packets were sent, or that has been over its repair
// budget all the time.
//
// Of a peer's ACKs one in THIN_EACH is seen (decisions A14), but libsrt repeats one that is not
// answered every RTT + 4 var under the next number: twice as many of these are allowed for, once
// there has been one at all. A hole holds an ACK back for the peer's latency at most: for two of
// them.

#include "base/thin.h"
#include "base/ts.h"
#include "proto/srt_rtt.h"

#include <stdint.h>

enum {
	SRT_SLOW_PACKETS = 16,		  // under way, at least
	SRT_SLOW_REPEATS = 2 * THIN_EACH, // of an ACK
	SRT_SLOW_ROW = 2 * TS_S,	  // refusals that come within this are of one row
	SRT_SLOW_GREEDY_TIMES = 3	  // as long as for a peer that is stuck
};

enum srt_slow_say {
	SRT_SLOW_FINE,
	SRT_SLOW_STUCK,	 // acknowledges nothing new
	SRT_SLOW_GREEDY, // asks for more than its budget without end
};

struct srt_slow {
	ts_us moved_at;		     // when an ACK was seen to say something new
	ts_us broke_since, broke_at; // the row of refused repairs, 0: there was none
	uint32_t acked;
};

void srt_slow_init(struct srt_slow *w, ts_us now, uint32_t isn);
// A repair was refused, for the budget is spent.
void srt_slow_broke(struct srt_slow *w, ts_us now);
// To be asked every second or so. after: how long is too long; acked: what the newest ACK says;
// next: the number of the peer's next packet.
enum srt_slow_say srt_slow_check(struct srt_slow *w, ts_us now, ts_us after, uint32_t acked,
	uint32_t next, uint32_t latency_us, const struct srt_rtt *rtt);
