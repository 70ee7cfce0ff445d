// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/share.h"

#include "base/endpoint.h"
#include "test.h"

#include <string.h>

#define CAP 4096u

static struct share share;

static struct endpoint at(const char *text)
{
	struct endpoint e = {0};

	assert_int_equal(endpoint_parse_ip(text, &e), 0);
	return e;
}

static int fresh(void **state)
{
	share_init(&share, 0x0123456789abcdefu);
	return 0;
}

static void counts_a_network_as_one(void **state)
{
	struct endpoint a = at("203.0.113.1"), b = at("203.0.113.200"), other = at("203.0.114.1");
	struct endpoint v6 = at("2001:db8:0:100::1"), same = at("2001:db8:0:1ff::9");

	share_take(&share, a.ip);
	share_take(&share, b.ip);
	share_take(&share, v6.ip);
	assert_int_equal(share_held(&share, a.ip), 2);
	assert_int_equal(share_held(&share, b.ip), 2);
	assert_int_equal(share_held(&share, other.ip), 0);
	assert_int_equal(share_held(&share, same.ip), 1);
	share_give(&share, a.ip);
	share_give(&share, b.ip);
	assert_int_equal(share_held(&share, b.ip), 0);
}

static void one_network_leaves_half_to_others(void **state)
{
	struct endpoint flood = at("203.0.113.1"), other = at("198.51.100.7");
	uint32_t used = 0;

	while (share_lets_in(&share, flood.ip, used, CAP)) {
		share_take(&share, flood.ip);
		used++;
	}
	assert_int_equal(used, CAP / 2);
	for (unsigned i = 0; i < CAP / SHARE_PARTS; i++, used++) {
		assert_true(share_lets_in(&share, other.ip, used, CAP));
		share_take(&share, other.ip);
	}
	assert_false(share_lets_in(&share, other.ip, used, CAP));
	assert_false(share_lets_in(&share, at("192.0.2.1").ip, CAP, CAP)); // none is left
}

// Many sources cannot be told apart by a sketch for certain, but none is undercounted, and one that
// holds nothing is hardly ever taken for one of 32 that hold their share.
static void strangers_are_hardly_ever_mistaken(void **state)
{
	struct endpoint e;
	unsigned mistaken = 0;

	for (uint32_t i = 0; i < 32; i++)
		for (unsigned k = 0; k < CAP / SHARE_PARTS; k++) {
			e = endpoint_of_v4(0x0a000000u + (i << 8), 0);
			share_take(&share, e.ip);
		}
	for (uint32_t i = 0; i < 10000; i++) {
		e = endpoint_of_v4(0x0b000000u + (i << 8), 0);
		mistaken += share_held(&share, e.ip) > 0;
	}
	assert_in_range(mistaken, 0, 40); // of 10000; 10 are expected
	for (uint32_t i = 0; i < 32; i++) {
		e = endpoint_of_v4(0x0a000000u + (i << 8), 0);
		assert_true(share_held(&share, e.ip) >= CAP / SHARE_PARTS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(counts_a_network_as_one, fresh),
		cmocka_unit_test_setup(one_network_leaves_half_to_others, fresh),
		cmocka_unit_test_setup(strangers_are_hardly_ever_mistaken, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
