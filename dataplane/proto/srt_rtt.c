// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_rtt.h"

enum {
	NAK_PERIOD_MIN = 20000,
	// Before the first sample. The initial pair would give 150 ms, which is longer than a usual
	// latency: one lost report and the packet is gone.
	NAK_PERIOD_UNKNOWN = 40000,
	SUPPRESS_UNKNOWN = 20000,
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

void srt_rtt_sample(struct srt_rtt *r, uint32_t us)
{
	us = min_u32(max_u32(us, 1), SRT_RTT_MAX);
	if (!srt_rtt_known(r)) {
		*r = (struct srt_rtt){.us = us, .var_us = us / 2, .first_us = us};
		return;
	}
	r->var_us = (3 * r->var_us + (us > r->us ? us - r->us : r->us - us)) / 4;
	r->us = (7 * r->us + us) / 8;
}

void srt_rtt_bound(struct srt_rtt *r, uint32_t us)
{
	if (srt_rtt_known(r))
		return;
	r->us = srt_rtt_bounded(r) ? min_u32(r->us, us) : min_u32(us, SRT_RTT_MAX);
	r->var_us = 0;
}

void srt_rtt_adopt(struct srt_rtt *r, uint32_t us, uint32_t var_us)
{
	if (!us || (us == SRT_RTT_INITIAL && var_us == SRT_RTT_VAR_INITIAL))
		return;
	r->us = min_u32(us, SRT_RTT_MAX);
	r->var_us = min_u32(var_us, SRT_RTT_MAX);
	if (!srt_rtt_known(r))
		r->first_us = r->us;
}

uint32_t srt_rtt_nak_period(const struct srt_rtt *r)
{
	if (!srt_rtt_known(r))
		return NAK_PERIOD_UNKNOWN;
	return max_u32(NAK_PERIOD_MIN, (r->us + 4 * r->var_us) / 2);
}

uint32_t srt_rtt_suppress(const struct srt_rtt *r)
{
	if (!srt_rtt_known(r))
		return SUPPRESS_UNKNOWN;
	return min_u32(r->us / 2 + 4 * r->var_us, r->us * 3 / 4);
}
