#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What all peers of this program together make of time: how long packets travel, each and, where
// many receive the same one, its first and its last copy; how long a call takes; how late a sender
// was. One machine's clock, so sender and receiver have to run on the same one.

#include "base/ts.h"
#include "load/hist.h"
#include "load/payload.h"

#include <stdbool.h>

enum { METER_OPEN = 4096 }; // packets whose copies are still coming in

struct meter_copies {
	bool used;
	uint32_t tag;
	uint64_t n, first, last; // microseconds since it was sent
};

struct meter {
	struct payload_reader reader; // of all that is received
	ts_us from;		      // what was sent before then is not measured: warming up
	struct hist latency;	      // every packet received
	struct hist first, last;      // per packet, over all receivers of it
	struct hist join;	      // a call's begin to its answer
	struct hist lag;	      // a sender's packet, behind the moment it was due
	struct meter_copies open[METER_OPEN];
};

// A payload was received.
void meter_note(struct meter *m, const struct payload *p, ts_us now);
// No copies will come any more.
void meter_close(struct meter *m);
