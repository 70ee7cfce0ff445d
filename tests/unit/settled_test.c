// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/settled.h"

#include "test.h"

#include <string.h>

static struct settled settled;
static const struct endpoint peer = {.ip = {[10] = 0xff, 0xff, 10, 0, 0, 1}, .port = 5000};

static int fresh(void **state)
{
	memset(&settled, 0, sizeof(settled));
	settled_init(&settled, 7);
	return 0;
}

static session_key find(ts_us now, const struct endpoint *from, uint32_t caller_id)
{
	session_key key = 0;

	return settled_find(&settled, now, from, caller_id, &key) ? key : 0;
}

static void a_repeat_finds_its_session(void **state)
{
	struct endpoint other = peer;

	other.port++;
	settled_add(&settled, 1000, &peer, 7, 70);
	settled_add(&settled, 1000, &peer, 8, 80);
	assert_int_equal(find(2000, &peer, 7), 70);
	assert_int_equal(find(2000, &peer, 8), 80);
	assert_int_equal(find(2000, &peer, 9), 0);
	assert_int_equal(find(2000, &other, 7), 0);
}

static void after_a_while_it_is_a_new_call(void **state)
{
	settled_add(&settled, 1000, &peer, 7, 70);
	assert_int_equal(find(1000 + SETTLED_KEEP_US - 1, &peer, 7), 70);
	assert_int_equal(find(1000 + SETTLED_KEEP_US, &peer, 7), 0);
	settled_add(&settled, 1000 + SETTLED_KEEP_US, &peer, 7, 71);
	assert_int_equal(find(1000 + SETTLED_KEEP_US, &peer, 7), 71);
}

static void a_storm_forgets_the_oldest_only(void **state)
{
	for (uint32_t i = 0; i < 3 * SETTLED_CAP; i++)
		settled_add(&settled, 1000, &peer, i, i + 1);
	assert_int_equal(find(1000, &peer, 2 * SETTLED_CAP - 1), 0);
	for (uint32_t i = 2 * SETTLED_CAP; i < 3 * SETTLED_CAP; i++)
		assert_int_equal(find(1000, &peer, i), i + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_repeat_finds_its_session, fresh),
		cmocka_unit_test_setup(after_a_while_it_is_a_new_call, fresh),
		cmocka_unit_test_setup(a_storm_forgets_the_oldest_only, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
