// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_naks.h"
#include "test.h"

#include "proto/srt_rtt.h"

#define T0 (1000 * (ts_us)TS_S)

enum { LATENCY = 800 * TS_MS, RTT = 100 * TS_MS };

static struct srt_naks n;
static struct srt_rtt rtt;
static struct srt_late late;
static struct srt_naks_way w;

// The oldest hole can wait until then.
static void due_at(ts_us play)
{
	srt_late_init(&late, LATENCY);
	srt_late_note(&late, 10, play);
}

// A round trip of 100 ms without any jitter to speak of, and time enough.
static int init(void **)
{
	srt_naks_init(&n);
	rtt = srt_rtt_initial();
	for (int i = 0; i < 200; i++)
		srt_rtt_sample(&rtt, RTT);
	assert_true(rtt.us == RTT && rtt.var_us < 10);
	due_at(T0 + 10 * TS_S);
	w = (struct srt_naks_way){
		.rtt = &rtt, .latency_us = LATENCY, .late = &late, .passed = UINT64_MAX};
	return 0;
}

static void lose(ts_us now, uint64_t first, uint64_t end)
{
	w.end = end + 1;
	srt_naks_note_loss(&n, &w, now, first, end);
}

static void is(struct srt_naks_range r, uint64_t first, uint64_t end)
{
	assert_int_equal(r.first, first);
	assert_int_equal(r.end, end);
}

static ts_us period(void)
{
	srt_naks_clear(&n);
	lose(T0, 10, 12);
	srt_naks_fresh(&n);
	return srt_naks_expiry(&n) - T0;
}

static void nothing_missing_is_never_reported(void **)
{
	assert_true(srt_naks_expiry(&n) == TS_NEVER);
	is(srt_naks_fresh(&n), 0, 0);
}

static void losses_are_reported_at_once_and_then_all_by_the_period(void **)
{
	ts_us due;

	lose(T0, 10, 12);
	lose(T0 + 1, 15, 16);
	assert_int_equal(srt_naks_expiry(&n), 0);
	is(srt_naks_fresh(&n), 10, 16);
	is(srt_naks_fresh(&n), 0, 0);
	due = srt_naks_expiry(&n);
	assert_int_equal(due, T0 + srt_rtt_nak_period(&rtt));
	assert_in_range(due - T0, RTT / 2, RTT / 2 + 100);
	lose(due - 1, 20, 21);
	w.passed = 22;
	is(srt_naks_all(&n, &w, due, 11), 11, 22); // 10 has come meanwhile; 20 is told with them
	assert_int_equal(srt_naks_expiry(&n), 2 * due - T0);
	srt_naks_clear(&n);
	assert_true(srt_naks_expiry(&n) == TS_NEVER);
}

static void reports_come_twice_as_often_when_time_runs_out(void **)
{
	ts_us calm = period();

	due_at(T0 + LATENCY / 2 + 1);
	assert_int_equal(period(), calm);
	due_at(T0 + LATENCY / 2);
	assert_int_equal(period(), calm / 2);
}

static void a_short_latency_has_four_reports(void **)
{
	w.latency_us = 120 * TS_MS;
	assert_int_equal(period(), 30 * TS_MS);
	w.latency_us = 4 * TS_MS;
	assert_int_equal(period(), 5 * TS_MS);
}

// One in twelve of 512 packets.
static void where_many_are_lost_reports_come_often(void **)
{
	ts_us calm = period();

	srt_naks_note_end(&n, 511, 400); // too few to tell
	assert_int_equal(period(), calm);
	srt_naks_note_end(&n, 516, 43);
	assert_int_equal(period(), LATENCY / 32);
	w.latency_us = 200 * TS_MS;
	assert_int_equal(period(), RTT / 8); // no more than eight in a round trip
	srt_naks_note_end(&n, 516 + 516, 43 + 42);
	w.latency_us = LATENCY;
	assert_int_equal(period(), calm);
}

static void reports_become_rarer_until_the_round_trip_is_known(void **)
{
	ts_us first, now = T0;

	rtt = srt_rtt_initial();
	lose(now, 10, 12);
	srt_naks_fresh(&n);
	first = srt_naks_expiry(&n) - now;
	for (unsigned i = 0; i < 4; i++) {
		now = srt_naks_expiry(&n);
		is(srt_naks_all(&n, &w, now, 10), 10, UINT64_MAX);
		assert_int_equal(srt_naks_expiry(&n) - now, first << (i < 2 ? i : 2));
		srt_naks_reported(&n);
	}
	for (int i = 0; i < 200; i++)
		srt_rtt_sample(&rtt, 20 * TS_MS);
	srt_naks_measured(&n, &w, now + 1);
	assert_int_equal(srt_naks_expiry(&n), now + 1 + srt_rtt_nak_period(&rtt));
	srt_naks_measured(&n, &w, now + 2); // nearer, never farther
	assert_int_equal(srt_naks_expiry(&n), now + 1 + srt_rtt_nak_period(&rtt));
}

// Another link has come to 11 only: it may bring the rest by itself.
static void what_another_link_may_bring_is_waited_for(void **)
{
	ts_us due;

	w.passed = 11;
	lose(T0, 10, 14);
	is(srt_naks_fresh(&n), 10, 11);
	lose(T0 + 1, 16, 18);
	is(srt_naks_fresh(&n), 0, 0);
	for (due = srt_naks_expiry(&n); due < T0 + LATENCY / 4; due = srt_naks_expiry(&n))
		is(srt_naks_all(&n, &w, due, 10), 10, 11);
	is(srt_naks_all(&n, &w, due, 10), 10, 15); // as it stood when the wait began
	due = srt_naks_expiry(&n);
	is(srt_naks_all(&n, &w, due, 10), 10, 11); // what came later is waited for as long
	is(srt_naks_all(&n, &w, due + LATENCY / 4, 10), 10, 19);
}

#define FRESH(f) cmocka_unit_test_setup(f, init)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(nothing_missing_is_never_reported),
		FRESH(losses_are_reported_at_once_and_then_all_by_the_period),
		FRESH(reports_come_twice_as_often_when_time_runs_out),
		FRESH(a_short_latency_has_four_reports),
		FRESH(where_many_are_lost_reports_come_often),
		FRESH(reports_become_rarer_until_the_round_trip_is_known),
		FRESH(what_another_link_may_bring_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
