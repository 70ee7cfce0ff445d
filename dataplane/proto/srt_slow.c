// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_slow.h"

#include "base/seq.h"

void srt_slow_init(struct srt_slow *w, ts_us now, uint32_t isn)
{
	*w = (struct srt_slow){.moved_at = now, .acked = isn & SEQ31_MASK};
}

void srt_slow_broke(struct srt_slow *w, ts_us now)
{
	if (!w->broke_at || now > w->broke_at + SRT_SLOW_ROW)
		w->broke_since = now;
	w->broke_at = now;
}

enum srt_slow_say srt_slow_check(struct srt_slow *w, ts_us now, ts_us after, uint32_t acked,
	uint32_t next, uint32_t latency_us, const struct srt_rtt *rtt)
{
	ts_us stuck = ts_max(after, 2 * (ts_us)latency_us);

	if (srt_rtt_known(rtt))
		stuck = ts_max(stuck, SRT_SLOW_REPEATS * (ts_us)srt_rtt_ack_repeat(rtt));
	if (acked != w->acked || seq31_off(acked, next) < SRT_SLOW_PACKETS) {
		w->acked = acked;
		w->moved_at = now;
	}
	if (now >= w->moved_at + stuck)
		return SRT_SLOW_STUCK;
	if (w->broke_at && now <= w->broke_at + SRT_SLOW_ROW &&
		w->broke_at - w->broke_since >= SRT_SLOW_GREEDY_TIMES * after)
		return SRT_SLOW_GREEDY;
	return SRT_SLOW_FINE;
}
