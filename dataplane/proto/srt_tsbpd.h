#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Timestamp-based packet delivery: when a packet of the peer is due here (draft-sharabayko-srt-01,
// 4.5 to 4.7; srt-wire 10).
//
// A timestamp is taken for the one nearest to the peer's clock now, so the wrap of its 32 bits (71
// min 35 s) needs no mode and no window: libsrt's trap at the wrap (srt-wire 10.4) does not exist.

#include "base/ts.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SRT_DRIFT_SAMPLES = 1000, // a mean is taken of so many, or of those of 10 s ...
	SRT_DRIFT_LEAST = 64,	  // ... when they are this many: ACKs become rare on a calm way
	SRT_DRIFT_MAX = 5000,	  // microseconds; what is beyond moves the base
	SRT_DRIFT_SLEW = 2000,	  // followed by one microsecond in so many
};

#define SRT_DRIFT_SPAN (10 * TS_S)

// Base and drift are libsrt's. What packets are given follows them at half a millisecond a second:
// the mean comes in steps of milliseconds, and a stream's clock must not step back (decisions A4).
struct srt_tsbpd {
	int64_t base;	   // when the peer's clock read 0, here; negative when before our own 0
	int64_t drift_us;  // mean of the last full set of samples
	int64_t applied;   // base + drift as far as it has been followed
	ts_us followed_at; // up to when
	int64_t sum_us;	   // of the set that is being collected
	ts_us begun;	   // when its first came
	uint32_t n;	   // samples in it
	uint32_t latency_us;
};

// arrival, ts: of the packet that fixes the base: the conclusion, or its answer (srt-wire 10.1).
void srt_tsbpd_init(struct srt_tsbpd *t, ts_us arrival, uint32_t ts, uint32_t latency_us);

// When a packet that arrived at `now` with this timestamp is due: base + drift (as followed) +
// timestamp + latency.
ts_us srt_tsbpd_play(const struct srt_tsbpd *t, ts_us now, uint32_t ts);

// By how much a packet with this timestamp came later than base and drift say: a path that is
// longer than the one of the packet that fixed the base.
int64_t srt_tsbpd_lag(const struct srt_tsbpd *t, ts_us now, uint32_t ts);

// An ACKACK arrived with this timestamp; rtt_us is the round trip now, first_rtt_us the first one.
// True when base or drift moved.
bool srt_tsbpd_sample(
	struct srt_tsbpd *t, ts_us now, uint32_t ts, uint32_t rtt_us, uint32_t first_rtt_us);
