// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_slow.h"

#include "base/seq.h"
#include "test.h"

#define T0 (1000 * (ts_us)TS_S)
#define ISN 0x7ffffffcu // wraps

enum { AFTER = 10 * TS_S, LATENCY = 120 * TS_MS };

static const struct srt_rtt near = {.us = 20000, .var_us = 1000, .first_us = 20000};
static const struct srt_rtt far = {.us = 600000, .var_us = 50000, .first_us = 600000};
static struct srt_slow w;

static int init(void **)
{
	srt_slow_init(&w, T0, ISN);
	return 0;
}

static enum srt_slow_say check(ts_us now, uint32_t acked, uint32_t next)
{
	return srt_slow_check(
		&w, now, AFTER, seq31_add(ISN, acked), seq31_add(ISN, next), LATENCY, &near);
}

static void one_that_acknowledges_is_fine(void **)
{
	for (unsigned s = 1; s < 100; s++)
		assert_int_equal(check(T0 + s * TS_S, s, 1000 * s), SRT_SLOW_FINE);
}

static void one_that_stands_still_is_stuck(void **)
{
	for (unsigned s = 1; s < 5; s++)
		assert_int_equal(check(T0 + s * TS_S, 1000 * s, 1000 * s + 10), SRT_SLOW_FINE);
	for (unsigned s = 5; s < 14; s++)
		assert_int_equal(check(T0 + s * TS_S, 4000, 1000 * s), SRT_SLOW_FINE);
	assert_int_equal(check(T0 + 14 * TS_S, 4000, 14000), SRT_SLOW_STUCK);
}

static void a_pause_of_the_stream_is_nobodys_fault(void **)
{
	for (unsigned s = 1; s < 100; s++)
		assert_int_equal(check(T0 + s * TS_S, 1, 1 + SRT_SLOW_PACKETS - 1), SRT_SLOW_FINE);
	assert_int_equal(check(T0 + 100 * TS_S, 1, 1 + SRT_SLOW_PACKETS), SRT_SLOW_FINE);
	assert_int_equal(check(T0 + 109 * TS_S, 1, 1 + SRT_SLOW_PACKETS), SRT_SLOW_STUCK);
}

// One ACK in 32 is seen, and a repeat of it needs a round trip.
static void a_far_peer_and_a_long_latency_have_more_time(void **)
{
	assert_int_equal(
		srt_slow_check(&w, T0 + 51 * TS_S, AFTER, ISN, seq31_add(ISN, 100), LATENCY, &far),
		SRT_SLOW_FINE);
	assert_int_equal(
		srt_slow_check(&w, T0 + 52 * TS_S, AFTER, ISN, seq31_add(ISN, 100), LATENCY, &far),
		SRT_SLOW_STUCK);
	assert_int_equal(srt_slow_check(&w, T0 + 15 * TS_S, AFTER, ISN, seq31_add(ISN, 100),
				 8 * TS_S, &near),
		SRT_SLOW_FINE);
	assert_int_equal(srt_slow_check(&w, T0 + 16 * TS_S, AFTER, ISN, seq31_add(ISN, 100),
				 8 * TS_S, &near),
		SRT_SLOW_STUCK);
}

static void one_over_its_budget_all_the_time_is_greedy(void **)
{
	for (unsigned s = 0; s < 30; s++) {
		srt_slow_broke(&w, T0 + s * TS_S);
		assert_int_equal(check(T0 + s * TS_S, s, 1000 * s), SRT_SLOW_FINE);
	}
	srt_slow_broke(&w, T0 + 30 * TS_S);
	assert_int_equal(check(T0 + 30 * TS_S, 30, 30000), SRT_SLOW_GREEDY);
}

static void a_pause_begins_a_new_row(void **)
{
	for (unsigned s = 0; s < 29; s++)
		srt_slow_broke(&w, T0 + s * TS_S);
	for (unsigned s = 32; s < 61; s++) {
		srt_slow_broke(&w, T0 + s * TS_S);
		assert_int_equal(check(T0 + s * TS_S, s, 1000 * s), SRT_SLOW_FINE);
	}
	srt_slow_broke(&w, T0 + 62 * TS_S);
	assert_int_equal(check(T0 + 65 * TS_S, 65, 65000), SRT_SLOW_FINE); // it is over
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_that_acknowledges_is_fine, init),
		cmocka_unit_test_setup(one_that_stands_still_is_stuck, init),
		cmocka_unit_test_setup(a_pause_of_the_stream_is_nobodys_fault, init),
		cmocka_unit_test_setup(a_far_peer_and_a_long_latency_have_more_time, init),
		cmocka_unit_test_setup(one_over_its_budget_all_the_time_is_greedy, init),
		cmocka_unit_test_setup(a_pause_begins_a_new_row, init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
