// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/percent.h"
#include "test.h"

#include <string.h>

static void what_was_encoded_comes_back(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"%23%21%3a%3Ar%3Dx", "#!::r=x"},
		{"%E2%82%AC", "\xe2\x82\xac"}, // RFC 3986, 2.5: UTF-8
		{"100%", "100%"},
		{"%2", "%2"},
		{"%zz%41", "%zzA"},
		{"a+b", "a+b"},
	};
	char buf[32];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			percent_decode(rows[i].in, strlen(rows[i].in), buf, sizeof(buf), &n), 0);
		assert_string_equal(buf, rows[i].out);
		assert_int_equal(n, strlen(rows[i].out));
	}
}

static void controls_and_overflow_are_refused(void **state)
{
	char buf[4];

	(void)state;
	assert_int_equal(percent_decode("%00", 3, buf, sizeof(buf), NULL), -1);
	assert_int_equal(percent_decode("%0a", 3, buf, sizeof(buf), NULL), -1);
	assert_int_equal(percent_decode("a\tb", 3, buf, sizeof(buf), NULL), -1);
	assert_int_equal(percent_decode("abcd", 4, buf, sizeof(buf), NULL), -1);
	assert_int_equal(percent_decode("%61%62%63", 9, buf, sizeof(buf), NULL), 0);
	assert_string_equal(buf, "abc");
}

static void only_what_must_is_encoded(void **state)
{
	char buf[32] = "x=";

	(void)state;
	assert_int_equal(percent_append(buf, sizeof(buf), "#!::r=a,m=b &%\xe4"), 0);
	assert_string_equal(buf, "x=#!::r=a,m=b%20%26%25%E4");
	assert_int_equal(percent_append(buf, sizeof(buf), "1234567"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_encoded_comes_back),
		cmocka_unit_test(controls_and_overflow_are_refused),
		cmocka_unit_test(only_what_must_is_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
