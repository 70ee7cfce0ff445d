#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A stream: the object that outlives its publishers. Control writes the first part before the
// stream is opened; the owner worker writes the rest (decisions A4 to A6).

#include "base/ts.h"
#include "ctl/dp/dp_stats.h"

#include <stdbool.h>
#include <stdint.h>

struct stream_follow;

struct stream_cfg {
	uint64_t id; // object id: 40 bits of the name's SHA-256
	char name[DP_STREAM_NAME];
	bool declared;
	bool leg_shared;	 // the publisher's latency is left out of the play time (A5)
	uint32_t history_us;	 // depth wanted
	uint32_t repair_percent; // of the stream's rate, per subscriber
	uint32_t slow_us;	 // a subscriber that is stuck for so long is closed; 0: never
	uint32_t km_refresh;	 // packets under one key towards subscribers; 0: 2^24
};

struct stream {
	// control: rw before STREAM_OPEN, ro until every worker has done STREAM_CLOSE. worker: ro
	uint32_t index; // slot in the table and in the stats segment
	uint32_t owner; // worker
	struct stream_cfg cfg;
	void *control; // control's own

	// owner worker: rw at STREAM_OPEN, ro from then on
	struct stream_follow *follow; // how far followers use the frames (state/note.h)
};
