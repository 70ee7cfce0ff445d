// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_tsbpd.h"

void srt_tsbpd_init(struct srt_tsbpd *t, ts_us arrival, uint32_t ts, uint32_t latency_us)
{
	*t = (struct srt_tsbpd){.base = (int64_t)arrival - ts,
		.applied = (int64_t)arrival - ts,
		.followed_at = arrival,
		.latency_us = latency_us};
}

// The peer's clock, unwrapped: the value nearest to what it should read now.
static int64_t unwrap(const struct srt_tsbpd *t, ts_us now, uint32_t ts)
{
	int64_t expected = (int64_t)now - t->base;

	return expected + (int32_t)(ts - (uint32_t)expected);
}

ts_us srt_tsbpd_play(const struct srt_tsbpd *t, ts_us now, uint32_t ts)
{
	int64_t play = t->applied + unwrap(t, now, ts) + t->latency_us;

	return play > 0 ? (ts_us)play : 0;
}

// What is beyond the limit moves the base; the rest stays drift (libsrt's drift tracer).
static void settle(struct srt_tsbpd *t)
{
	int64_t mean = t->sum_us / t->n;
	int64_t step = mean > SRT_DRIFT_MAX    ? SRT_DRIFT_MAX
		       : mean < -SRT_DRIFT_MAX ? -SRT_DRIFT_MAX
					       : 0;

	t->base += step;
	t->drift_us = mean - step;
	t->sum_us = 0;
	t->n = 0;
}

static void follow(struct srt_tsbpd *t, ts_us now)
{
	int64_t off = t->base + t->drift_us - t->applied;
	int64_t most = now > t->followed_at ? (int64_t)(now - t->followed_at) / SRT_DRIFT_SLEW : 0;

	if (!most)
		return; // keep the fraction
	t->applied += off > most ? most : off < -most ? -most : off;
	t->followed_at = now;
}

int64_t srt_tsbpd_lag(const struct srt_tsbpd *t, ts_us now, uint32_t ts)
{
	return (int64_t)now - (t->base + t->drift_us + unwrap(t, now, ts));
}

bool srt_tsbpd_sample(
	struct srt_tsbpd *t, ts_us now, uint32_t ts, uint32_t rtt_us, uint32_t first_rtt_us)
{
	int64_t late = (int64_t)now - (t->base + unwrap(t, now, ts));

	follow(t, now);
	t->sum_us += late - ((int64_t)rtt_us - first_rtt_us) / 2;
	if (!t->n++)
		t->begun = now;
	if (t->n < SRT_DRIFT_SAMPLES && (t->n < SRT_DRIFT_LEAST || now < t->begun + SRT_DRIFT_SPAN))
		return false;
	settle(t);
	return true;
}
