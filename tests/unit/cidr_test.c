// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/cidr.h"
#include "base/endpoint.h"
#include "test.h"

#include <errno.h>

static bool holds(const char *range, const char *ip)
{
	struct endpoint e = {0};
	struct cidr c;

	assert_int_equal(cidr_parse(range, &c), 0);
	assert_int_equal(endpoint_parse_ip(ip, &e), 0);
	return cidr_holds(&c, e.ip);
}

static void has_one_spelling(void **state)
{
	static const char *const rows[][2] = {
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.7", "192.0.2.7"},
		{"192.0.2.7/32", "192.0.2.7"},
		{"2001:DB8::/32", "2001:db8::/32"},
		{"2001:db8::1/128", "2001:db8::1"},
		{"::/0", "::/0"},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8"},
	};
	char buf[CIDR_STRLEN];
	struct cidr c;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(cidr_parse(rows[i][0], &c), 0);
		assert_string_equal(cidr_str(&c, buf, sizeof(buf)), rows[i][1]);
	}
}

static void refuses_what_is_no_range(void **state)
{
	static const char *const bad[] = {"", "/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08",
		"10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8", "10/8", "host", "2001:db8::/129",
		"2001:db8::1/64", "10.0.0.0/8/8", " 10.0.0.0/8",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222/8"};
	struct cidr c;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(cidr_parse(bad[i], &c), -EINVAL);
}

static void holds_what_lies_in_it(void **state)
{
	assert_true(holds("10.0.0.0/8", "10.255.0.1"));
	assert_false(holds("10.0.0.0/8", "11.0.0.0"));
	assert_true(holds("192.0.2.128/25", "192.0.2.200"));
	assert_false(holds("192.0.2.128/25", "192.0.2.127"));
	assert_true(holds("0.0.0.0/0", "203.0.113.9"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1"));
	assert_true(holds("::/0", "203.0.113.9")); // v4-mapped addresses are IPv6 ones too
	assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(holds("::1", "::1"));
	assert_false(holds("::1", "::2"));
}

static void a_source_is_what_one_customer_has(void **state)
{
	static const char *const rows[][2] = {
		{"203.0.113.9", "203.0.113.0/24"},
		{"0.0.0.0", "0.0.0.0/24"},
		{"255.255.255.255", "255.255.255.0/24"},
		{"2001:db8:1:2ff:ffff::1", "2001:db8:1:200::/56"},
		{"::1", "::/56"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[CIDR_STRLEN];
		struct endpoint e = {0};
		struct cidr c;

		assert_int_equal(endpoint_parse_ip(rows[i][0], &e), 0);
		c = cidr_source(e.ip);
		assert_string_equal(cidr_str(&c, text, sizeof(text)), rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_one_spelling),
		cmocka_unit_test(refuses_what_is_no_range),
		cmocka_unit_test(holds_what_lies_in_it),
		cmocka_unit_test(a_source_is_what_one_customer_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
