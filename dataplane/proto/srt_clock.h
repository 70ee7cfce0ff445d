#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A connection's own clock: microseconds, 32 bits, starting at 100 s. Not at 0: packets older than
// the connection must not get timestamps below the wrap, which receivers take for the far future
// (srt-wire 5.5, 10.4).

#include "base/ts.h"

#define SRT_CLOCK_START (100u * TS_S)
#define SRT_KEEPALIVE_AFTER (1u * TS_S) // since the last packet sent, of any kind (srt-wire 6)
#define SRT_DEAD_AFTER (5u * TS_S)	// since the last packet received

// t0: when the clock read 100 s.
static inline uint32_t srt_clock_at(ts_us t0, ts_us now)
{
	return (uint32_t)(now - t0 + SRT_CLOCK_START);
}

// What to add to a time here for one on that clock.
static inline uint32_t srt_clock_delta(ts_us t0)
{
	return (uint32_t)(SRT_CLOCK_START - t0);
}
