// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "test.h"

static void distance_takes_the_shorter_way_round(void **state)
{
	(void)state;
	assert_int_equal(seq31_off(5, 9), 4);
	assert_int_equal(seq31_off(9, 5), -4);
	assert_int_equal(seq31_off(SEQ31_MASK, 0), 1);
	assert_int_equal(seq31_off(0, SEQ31_MASK), -1);
	assert_int_equal(seq31_off(0, 0x3fffffff), 0x3fffffff);
	assert_int_equal(seq31_off(0, 0x40000000), -0x40000000);
	assert_int_equal(seq16_off(65535, 1), 2);
}

static void extending_follows_wraps_both_ways(void **state)
{
	uint64_t near = (1ull << 33) + SEQ31_MASK;

	(void)state;
	assert_int_equal(seq31_extend(near, 0), near + 1);
	assert_int_equal(seq31_extend(near, SEQ31_MASK - 1), near - 1);
	assert_int_equal(seq31_extend(1ull << 33, SEQ31_MASK), (1ull << 33) - 1);
	assert_int_equal(seq16_extend(0x1fffe, 3), 0x20003);
}

static void message_numbers_never_are_zero(void **state)
{
	(void)state;
	assert_int_equal(seq_msgno(0), 1);
	assert_int_equal(seq_msgno(MSGNO_MAX - 1), MSGNO_MAX);
	assert_int_equal(seq_msgno(MSGNO_MAX), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_takes_the_shorter_way_round),
		cmocka_unit_test(extending_follows_wraps_both_ways),
		cmocka_unit_test(message_numbers_never_are_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
