#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Round-trip time, smoothed (draft-sharabayko-srt-01, 4.10; srt-wire 8.5). A receiver samples it
// from ACK and ACKACK; a sender copies what the receiver's ACKs say.

#include <stdbool.h>
#include <stdint.h>

enum {
	SRT_RTT_INITIAL = 100000, // until the first sample
	SRT_RTT_VAR_INITIAL = 50000,
	SRT_RTT_MAX = 60000000, // no sample is believed beyond a minute
};

struct srt_rtt {
	uint32_t us, var_us;
	uint32_t first_us; // the first sample, for the drift tracer; 0: none yet
};

static inline struct srt_rtt srt_rtt_initial(void)
{
	return (struct srt_rtt){.us = SRT_RTT_INITIAL, .var_us = SRT_RTT_VAR_INITIAL};
}

static inline bool srt_rtt_known(const struct srt_rtt *r)
{
	return r->first_us;
}

// It is known or, before the first sample, bounded.
static inline bool srt_rtt_bounded(const struct srt_rtt *r)
{
	return srt_rtt_known(r) || r->var_us != SRT_RTT_VAR_INITIAL;
}

// Before the first sample: it is no longer than that, for something was answered after that time.
void srt_rtt_bound(struct srt_rtt *r, uint32_t us);
// A measured round trip: ACK out, ACKACK in.
void srt_rtt_sample(struct srt_rtt *r, uint32_t us);
// What the peer measured, out of its ACK. Its initial pair says nothing and is passed over.
void srt_rtt_adopt(struct srt_rtt *r, uint32_t us, uint32_t var_us);

// After this long without an answer an ACK is repeated.
static inline uint32_t srt_rtt_ack_repeat(const struct srt_rtt *r)
{
	return r->us + 4 * r->var_us;
}

// Period of the loss report: max(20 ms, (RTT + 4 var) / 2) (srt-wire 7.2), 40 ms before the first
// sample.
uint32_t srt_rtt_nak_period(const struct srt_rtt *r);
// Known, and its changes are small: up to an eighth of it and 4 ms, what a busy machine adds.
static inline bool srt_rtt_even(const struct srt_rtt *r)
{
	return srt_rtt_known(r) && r->var_us <= r->us / 8 + 4000;
}
// A round trip that hardly any packet undercuts.
static inline uint32_t srt_rtt_floor(const struct srt_rtt *r)
{
	uint32_t slack = 2 * r->var_us;

	return r->us - (slack < r->us / 2 ? slack : r->us / 2);
}
// A round trip that hardly any packet exceeds; 1 ms for a machine that is busy.
static inline uint32_t srt_rtt_ceiling(const struct srt_rtt *r)
{
	return r->us + 2 * r->var_us + 1000;
}
// For so long after a repair the same request is a repetition: RTT/2 + 4 var (decisions A15), but
// at most three quarters of a round trip. After a whole one the request knows of the repair, and at
// short round trips requests come every 20 ms, which is as long: with jitter every second one
// would be taken for a repetition. 20 ms before the first sample.
uint32_t srt_rtt_suppress(const struct srt_rtt *r);
