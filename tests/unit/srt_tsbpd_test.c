// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_tsbpd.h"

#include "test.h"

enum { LATENCY = 120 * TS_MS };

static void play_time_is_base_and_timestamp_and_latency(void **)
{
	struct srt_tsbpd t;

	srt_tsbpd_init(&t, 50 * TS_S, 100 * TS_S, LATENCY); // base lies before our own zero
	assert_int_equal(srt_tsbpd_play(&t, 51 * TS_S, 101 * TS_S), 51 * TS_S + LATENCY);
	assert_int_equal(srt_tsbpd_play(&t, 51 * TS_S, 99 * TS_S), 49 * TS_S + LATENCY);
	assert_int_equal(srt_tsbpd_play(&t, 51 * TS_S, 102 * TS_S), 52 * TS_S + LATENCY);
	assert_int_equal(srt_tsbpd_play(&t, TS_S, 1), 0); // before our zero
}

// srt-wire 10.4: the base is taken just before the 32 bits wrap, the first packet comes just after.
static void a_wrap_right_after_the_base_is_no_trap(void **)
{
	struct srt_tsbpd t;
	ts_us now = 5000 * (ts_us)TS_S;

	srt_tsbpd_init(&t, now, UINT32_MAX, LATENCY);
	assert_int_equal(srt_tsbpd_play(&t, now + 1, 0), now + 1 + LATENCY);
	assert_int_equal(srt_tsbpd_play(&t, now + 1, UINT32_MAX), now + LATENCY);
	assert_int_equal(srt_tsbpd_play(&t, now + 10, 9), now + 10 + LATENCY);
}

static void a_day_of_wraps_keeps_the_spacing(void **)
{
	const ts_us begin = 77 * TS_S, day = 86400 * (ts_us)TS_S;
	struct srt_tsbpd t;

	srt_tsbpd_init(&t, begin, 123456789, LATENCY);
	for (ts_us at = begin; at < begin + day; at += 7 * TS_S + 13) {
		uint32_t ts = (uint32_t)(at - begin + 123456789);

		assert_int_equal(srt_tsbpd_play(&t, at, ts), at + LATENCY);
		assert_int_equal(srt_tsbpd_play(&t, at + 30 * TS_MS, ts), at + LATENCY);
	}
}

// The tracer of libsrt, by hand: a mean of 1,000; beyond 5 ms the base takes 5 ms of it.
static void feed(struct srt_tsbpd *t, ts_us now, int late, uint32_t rtt, uint32_t first, bool moves)
{
	for (int i = 0; i < SRT_DRIFT_SAMPLES; i++) {
		ts_us at = now + (ts_us)i * 10 * TS_MS;
		uint32_t ts = (uint32_t)((int64_t)at - late);
		bool moved = srt_tsbpd_sample(t, at, ts, rtt, first);

		assert_int_equal(moved, moves && i == SRT_DRIFT_SAMPLES - 1);
	}
}

// A calm way has ten ACKs a second: the drift is not waited for any longer than with a hundred.
static void ten_seconds_of_few_samples_will_do(void **)
{
	struct srt_tsbpd t;

	srt_tsbpd_init(&t, 0, 0, LATENCY);
	for (ts_us at = TS_S; at < 11 * TS_S; at += 100 * TS_MS)
		assert_false(srt_tsbpd_sample(&t, at, (uint32_t)(at - 2000), 100, 100));
	assert_true(srt_tsbpd_sample(&t, 11 * TS_S, (uint32_t)(11 * TS_S - 2000), 100, 100));
	assert_int_equal(t.drift_us, 2000);
	for (unsigned i = 1; i < SRT_DRIFT_LEAST; i++) // too few of them say nothing
		assert_false(srt_tsbpd_sample(
			&t, (11 + i) * (ts_us)TS_S, (uint32_t)((11 + i) * (ts_us)TS_S), 100, 100));
}

static void drift_is_the_mean_of_a_thousand(void **)
{
	struct srt_tsbpd t;

	srt_tsbpd_init(&t, 0, 0, LATENCY);
	feed(&t, TS_S, 2000, 20000, 20000, true);
	assert_int_equal(t.drift_us, 2000);
	assert_int_equal(t.base, 0);
	assert_int_equal(srt_tsbpd_play(&t, 20 * TS_S, 20 * TS_S), 20 * TS_S + LATENCY);
	feed(&t, 20 * TS_S, 7000, 20000, 20000, true); // absolute, not added up
	assert_int_equal(t.base, 5000);
	assert_int_equal(t.drift_us, 2000);
	feed(&t, 40 * TS_S, 7000, 20000, 20000, true); // 7 ms against a base moved by 5
	assert_int_equal(t.base, 5000);
	assert_int_equal(t.drift_us, 2000);
	feed(&t, 60 * TS_S, -4000, 20000, 20000, true); // 9 ms early
	assert_int_equal(t.base, 0);
	assert_int_equal(t.drift_us, -4000);
}

// The mean comes in steps; play times follow it without ever stepping back.
static void packets_follow_the_drift_slowly(void **)
{
	ts_us last = 0, now = TS_S;
	struct srt_tsbpd t;

	srt_tsbpd_init(&t, 0, 0, LATENCY);
	for (int i = 0; i < 4000; i++, now += 10 * TS_MS) {
		ts_us play = srt_tsbpd_play(&t, now, (uint32_t)(now + 4000));

		assert_true(i == 0 || (play >= last + 9990 && play <= last + 10010));
		last = play;
		srt_tsbpd_sample(&t, now, (uint32_t)(now + 4000), 20000, 20000); // 4 ms early
	}
	assert_int_equal(last, now - 10 * TS_MS + LATENCY);
}

static void a_longer_way_is_not_drift(void **)
{
	struct srt_tsbpd t;

	srt_tsbpd_init(&t, 0, 0, LATENCY);
	feed(&t, TS_S, 3000, 26000, 20000, true); // 3 ms later, for the round trip grew by 6
	assert_int_equal(t.drift_us, 0);
	assert_int_equal(t.base, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(play_time_is_base_and_timestamp_and_latency),
		cmocka_unit_test(a_wrap_right_after_the_base_is_no_trap),
		cmocka_unit_test(a_day_of_wraps_keeps_the_spacing),
		cmocka_unit_test(ten_seconds_of_few_samples_will_do),
		cmocka_unit_test(drift_is_the_mean_of_a_thousand),
		cmocka_unit_test(packets_follow_the_drift_slowly),
		cmocka_unit_test(a_longer_way_is_not_drift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
