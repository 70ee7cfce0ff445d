// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_late.h"

#include "base/rand.h"
#include "test.h"

enum { LATENCY = 120 * TS_MS, GRAIN = LATENCY / 48 };

static void holes_fall_due_one_by_one(void **)
{
	struct srt_late l;
	uint64_t seq;

	srt_late_init(&l, LATENCY);
	assert_int_equal(srt_late_expiry(&l), TS_NEVER);
	srt_late_note(&l, 10, 1000);
	srt_late_note(&l, 20, 1000 + GRAIN);
	assert_int_equal(srt_late_expiry(&l), 1000);
	assert_false(srt_late_due(&l, 999, &seq));
	assert_true(srt_late_due(&l, 1000, &seq));
	assert_int_equal(seq, 10);
	assert_false(srt_late_due(&l, 1000, &seq));
	assert_true(srt_late_due(&l, 1000 + GRAIN, &seq));
	assert_int_equal(seq, 20);
}

static void near_holes_share_a_note(void **)
{
	struct srt_late l;
	uint64_t seq;

	srt_late_init(&l, LATENCY);
	srt_late_note(&l, 10, 1000);
	srt_late_note(&l, 12, 1000 + GRAIN - 1);
	assert_int_equal(l.n, 1);
	assert_false(srt_late_due(&l, 1000 + GRAIN - 2, &seq));
	assert_true(srt_late_due(&l, 1000 + GRAIN - 1, &seq));
	assert_int_equal(seq, 12);
}

static void filled_holes_are_forgotten(void **)
{
	struct srt_late l;

	srt_late_init(&l, LATENCY);
	srt_late_note(&l, 10, 1000);
	srt_late_note(&l, 20, 9000);
	srt_late_forget(&l, 9);
	assert_int_equal(srt_late_expiry(&l), 1000);
	srt_late_forget(&l, 15);
	assert_int_equal(srt_late_expiry(&l), 9000);
	srt_late_forget(&l, 20);
	assert_int_equal(srt_late_expiry(&l), TS_NEVER);
}

// Whatever the rate: each hole falls due no earlier than its play time and at most a grain later,
// while packets come with steady timestamps.
static void none_is_early_nor_later_than_a_grain(void **)
{
	static const uint32_t gaps[] = {100, 900, 2600, 30000}; // microseconds between holes
	struct rand r = {3};

	for (int g = 0; g < 4; g++) {
		struct srt_late l;
		uint64_t given = 0, seq;
		ts_us now = 0, hole_at[4000];

		srt_late_init(&l, LATENCY);
		for (uint64_t i = 0; i < 4000; i++) {
			now += rand_below(&r, 2 * gaps[g]);
			while (srt_late_due(&l, now, &seq))
				for (; given < seq; given++) {
					assert_true(now >= hole_at[given]);
					assert_true(now <= hole_at[given] + GRAIN + 2 * gaps[g]);
				}
			hole_at[i] = now + LATENCY;
			srt_late_note(&l, i + 1, hole_at[i]);
			assert_true(l.n < SRT_LATE_NOTES || gaps[g] < GRAIN);
		}
		assert_true(given > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_fall_due_one_by_one),
		cmocka_unit_test(near_holes_share_a_note),
		cmocka_unit_test(filled_holes_are_forgotten),
		cmocka_unit_test(none_is_early_nor_later_than_a_grain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
