// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/bans.h"

#include "base/endpoint.h"
#include "test.h"

#include <string.h>

static struct bans bans;

static int fresh(void **state)
{
	memset(&bans, 0, sizeof(bans));
	return 0;
}

static void a_ban_is_of_one_address_one_stream_and_a_while(void **state)
{
	struct endpoint one = endpoint_of_v4(0x0a000001, 0), other = endpoint_of_v4(0x0a000002, 0);

	assert_true(ban_put(&bans, 0, one.ip, "a", 10 * TS_S));
	assert_true(ban_holds(&bans, TS_S, one.ip, "a"));
	assert_false(ban_holds(&bans, TS_S, one.ip, "b"));
	assert_false(ban_holds(&bans, TS_S, other.ip, "a"));
	assert_true(ban_holds(&bans, 10 * TS_S - 1, one.ip, "a"));
	assert_false(ban_holds(&bans, 10 * TS_S, one.ip, "a"));
}

static void another_ban_takes_the_place_of_the_first(void **state)
{
	struct endpoint one = endpoint_of_v4(0x0a000001, 0);

	assert_true(ban_put(&bans, 0, one.ip, "a", 10 * TS_S));
	assert_true(ban_put(&bans, TS_S, one.ip, "a", 2 * TS_S));
	assert_int_equal(bans.n, 1);
	assert_false(ban_holds(&bans, 3 * TS_S, one.ip, "a"));
}

static void there_are_only_so_many_until_some_end(void **state)
{
	struct endpoint e;

	for (uint32_t i = 0; i < BANS_MAX; i++) {
		e = endpoint_of_v4(0x0a000000 + i, 0);
		assert_true(ban_put(&bans, 0, e.ip, "a", i % 2 ? TS_S : 9 * TS_S));
	}
	e = endpoint_of_v4(0x0b000000, 0);
	assert_false(ban_put(&bans, 0, e.ip, "a", TS_S));
	assert_true(ban_put(&bans, 2 * TS_S, e.ip, "a", 9 * TS_S));
	assert_int_equal(bans.n, BANS_MAX / 2 + 1);
	for (uint32_t i = 0; i < BANS_MAX; i++) {
		e = endpoint_of_v4(0x0a000000 + i, 0);
		assert_int_equal(ban_holds(&bans, 2 * TS_S, e.ip, "a"), !(i % 2));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_ban_is_of_one_address_one_stream_and_a_while, fresh),
		cmocka_unit_test_setup(another_ban_takes_the_place_of_the_first, fresh),
		cmocka_unit_test_setup(there_are_only_so_many_until_some_end, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
