// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/rand.h"
#include "base/wheel.h"
#include "test.h"

#include <string.h>

static void fires_in_time_and_once(void **state)
{
	struct wheel w;
	struct wheel_entry e = {0};

	(void)state;
	wheel_init(&w, 5 * TS_S);
	wheel_arm(&w, &e, 5 * TS_S + 20 * TS_MS);
	assert_null(wheel_pop(&w, 5 * TS_S + 19 * TS_MS));
	assert_ptr_equal(wheel_pop(&w, 5 * TS_S + 21 * TS_MS), &e);
	assert_false(wheel_armed(&e));
	assert_null(wheel_pop(&w, 60 * TS_S));
}

static void waits_through_whole_rounds(void **state)
{
	struct wheel w;
	struct wheel_entry e = {0};
	ts_us due = 10 * (ts_us)WHEEL_SLOTS * WHEEL_TICK + 3 * TS_MS;

	(void)state;
	wheel_init(&w, 0);
	wheel_arm(&w, &e, due);
	for (ts_us t = 0; t < due; t += 7 * TS_MS)
		assert_null(wheel_pop(&w, t));
	assert_int_equal(wheel_next(&w, due - 1), due);
	assert_ptr_equal(wheel_pop(&w, due + WHEEL_TICK), &e);
}

// Every armed entry fires exactly once, never early, at most a tick late, whatever the step.
static void random_load_is_never_early_nor_lost(void **state)
{
	enum { N = 2000 };
	static struct wheel_entry e[N];
	struct rand r = {42};
	struct wheel w;
	unsigned fired = 0;
	ts_us now = 0;

	(void)state;
	memset(e, 0, sizeof(e));
	wheel_init(&w, now);
	for (int i = 0; i < N; i++)
		wheel_arm(&w, &e[i], rand_below(&r, 5 * TS_S));
	while (w.n_armed) {
		struct wheel_entry *x;
		ts_us before = now;

		now += rand_below(&r, 40 * TS_MS);
		while ((x = wheel_pop(&w, now))) {
			assert_true(x->due <= now);
			assert_true(x->due + 2 * WHEEL_TICK > before);
			fired++;
		}
		assert_true(now < 10 * TS_S);
	}
	assert_int_equal(fired, N);
}

static void sleeping_until_next_never_oversleeps(void **state)
{
	struct wheel_entry e[3] = {0};
	struct wheel w;

	(void)state;
	wheel_init(&w, 0);
	assert_int_equal(wheel_next(&w, 0), TS_NEVER);
	wheel_arm(&w, &e[0], 3 * TS_S);
	wheel_arm(&w, &e[1], 40 * TS_MS);
	wheel_arm(&w, &e[2], TS_S + 40 * TS_MS);
	assert_int_equal(wheel_next(&w, 0), 40 * TS_MS);
	wheel_disarm(&w, &e[1]);
	assert_int_equal(wheel_next(&w, 0), TS_S + 40 * TS_MS);
}

// Due times fall anywhere in a tick; who sleeps until wheel_next() finds an entry each time.
static void waking_at_next_is_never_in_vain(void **)
{
	enum { N = 500 };
	static struct wheel_entry e[N];
	struct rand r = {9};
	struct wheel w;
	unsigned fired = 0, wakes = 0;
	ts_us now = 777;

	memset(e, 0, sizeof(e));
	wheel_init(&w, now);
	for (int i = 0; i < N; i++)
		wheel_arm(&w, &e[i], rand_below(&r, TS_S));
	while (w.n_armed) {
		ts_us next = wheel_next(&w, now);

		assert_true(next > now);
		now = next;
		wakes++;
		while (wheel_pop(&w, now))
			fired++;
		assert_true(fired >= wakes);
	}
	assert_int_equal(fired, N);
}

// Whatever is armed, moved and taken away meanwhile.
static void the_next_one_is_known_after_every_move(void **)
{
	enum { N = 40, MOVES = 20000 };
	static struct wheel_entry e[N];
	struct rand r = {11};
	struct wheel w;
	ts_us now = TS_S;

	memset(e, 0, sizeof(e));
	wheel_init(&w, now);
	for (int i = 0; i < MOVES; i++) {
		struct wheel_entry *x = &e[rand_below(&r, N)];
		ts_us best = TS_NEVER, ms = TS_MS;

		if (rand_below(&r, 4))
			wheel_arm(&w, x, now + 1 + rand_below(&r, 3 * TS_S));
		else
			wheel_disarm(&w, x);
		for (int k = 0; k < N; k++)
			if (wheel_armed(&e[k]))
				best = ts_min(best, (e[k].due + ms - 1) / ms * ms);
		assert_int_equal(wheel_next(&w, now), best);
		now += rand_below(&r, 2) ? rand_below(&r, 20 * TS_MS) : 0;
		while (wheel_pop(&w, now))
			;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_in_time_and_once),
		cmocka_unit_test(waits_through_whole_rounds),
		cmocka_unit_test(random_load_is_never_early_nor_lost),
		cmocka_unit_test(sleeping_until_next_never_oversleeps),
		cmocka_unit_test(waking_at_next_is_never_in_vain),
		cmocka_unit_test(the_next_one_is_known_after_every_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
