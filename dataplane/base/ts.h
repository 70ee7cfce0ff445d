#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Time. Everything in the dataplane runs on CLOCK_MONOTONIC, counted in microseconds. Protocol
// code never reads a clock: `now` is an argument. Only workers and control call ts_now().

#include <stdint.h>
#include <time.h>

typedef uint64_t ts_us;

#define TS_NEVER UINT64_MAX
#define TS_MS 1000u
#define TS_S 1000000u

static inline ts_us ts_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (ts_us)t.tv_sec * TS_S + (ts_us)t.tv_nsec / 1000;
}

static inline ts_us ts_min(ts_us a, ts_us b)
{
	return a < b ? a : b;
}

static inline ts_us ts_max(ts_us a, ts_us b)
{
	return a > b ? a : b;
}
