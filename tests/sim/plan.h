#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What a run is given: two legs, a stream, and where its numbers begin. A plan is a function of its
// seed.

#include "sim/link.h"

#include <stdbool.h>
#include <stdint.h>

struct plan {
	uint64_t seed;
	bool chain;
	struct link_cfg leg[2]; // of both directions: publisher's, subscriber's
	uint32_t latency_ms, packets, period_us;
	uint32_t tick_us; // the program looks only so often, 0: at once
	uint32_t isn, clock_shift, msgno0;
	uint32_t join_after; // chain: the player calls after so many packets
	bool roomy;	     // the latency allows every repair: nothing may be missing
	uint32_t heal_after; // after so many packets the path loses nothing more; 0: never
};

struct plan plan_random(uint64_t seed);
// The same with a path that is bad for the packets of plan_random(), then perfect for four seconds
// of latency and media.
struct plan plan_healing(uint64_t seed);
// 5 % lost, 2 % reordered by up to 10 ms, 1 % doubled, RTT 20 ms, 120 ms latency.
struct plan plan_bad_path(uint64_t seed, uint32_t period_us, uint32_t packets);
