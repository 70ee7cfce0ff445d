// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/history.h"

#include "test.h"

static struct history_entry entries[HISTORY_CAP];
static struct rte_mbuf *const frame = (struct rte_mbuf *)entries; // never followed

static struct history fresh(uint64_t next)
{
	struct history h;

	history_init(&h, entries, next);
	return h;
}

static void holes_are_covered_but_not_found(void **state)
{
	struct history h = fresh(1000);
	struct history_entry e = {.frame = frame, .play = 7};

	assert_int_equal(history_extend(&h, 1002), 0);
	history_put(&h, 1002, &e);
	assert_true(history_covers(&h, 1000));
	assert_null(history_find(&h, 1000));
	assert_int_equal(history_find(&h, 1002)->play, 7);
	assert_null(history_find(&h, 1003));
	assert_null(history_find(&h, 999));
	assert_int_equal(h.n_frames, 1);
}

static void a_full_history_asks_for_room(void **state)
{
	struct history h = fresh(5);
	struct history_entry out;

	assert_int_equal(history_extend(&h, 5 + HISTORY_CAP - 1), 0);
	assert_int_equal(history_extend(&h, 5 + HISTORY_CAP), -ENOSPC);
	assert_true(history_pop(&h, &out));
	assert_int_equal(history_extend(&h, 5 + HISTORY_CAP), 0);
	assert_int_equal(h.first, 6);
}

static void entries_leave_in_order_and_whole(void **state)
{
	struct history h = fresh(0);
	struct history_entry e = {.frame = frame}, out;

	for (uint64_t i = 0; i < 3 * HISTORY_CAP; i++) {
		e.play = i;
		while (history_extend(&h, i))
			assert_true(history_pop(&h, &out));
		history_put(&h, i, &e);
	}
	assert_int_equal(h.n_frames, HISTORY_CAP);
	for (uint64_t i = 2 * HISTORY_CAP; i < 3 * HISTORY_CAP; i++) {
		assert_true(history_pop(&h, &out));
		assert_int_equal(out.play, i);
	}
	assert_false(history_pop(&h, &out));
	assert_int_equal(h.n_frames, 0);
}

static void the_newest_random_access_point_is_kept_while_it_is_here(void **state)
{
	struct history h = fresh(0);
	struct history_entry out;

	history_extend(&h, 3);
	history_note_random(&h, 3);
	history_note_random(&h, 1); // a repair: older
	assert_int_equal(h.random, 3);
	for (int i = 0; i < 4; i++)
		history_pop(&h, &out);
	assert_true(h.random == HISTORY_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_covered_but_not_found),
		cmocka_unit_test(a_full_history_asks_for_room),
		cmocka_unit_test(entries_leave_in_order_and_whole),
		cmocka_unit_test(the_newest_random_access_point_is_kept_while_it_is_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
