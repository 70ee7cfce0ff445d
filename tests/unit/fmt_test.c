// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/fmt.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static void counts(void **)
{
	char b[FMT_LEN];

	assert_string_equal(fmt_count(0, b), "0");
	assert_string_equal(fmt_count(999999, b), "999999");
	assert_string_equal(fmt_count(1000000, b), "1.000 M");
	assert_string_equal(fmt_count(1234567, b), "1.235 M");
	assert_string_equal(fmt_count(9999.4e6, b), "9999 M");
	assert_string_equal(fmt_count(12345678901.0, b), "12.35 G");
	assert_string_equal(fmt_count(18446744073709551615.0, b), "18447 P");
}

static void sizes_and_rates(void **)
{
	char b[FMT_LEN];

	assert_string_equal(fmt_bytes(0, b), "0 B");
	assert_string_equal(fmt_bytes(999, b), "999 B");
	assert_string_equal(fmt_bytes(1500, b), "1.50 kB");
	assert_string_equal(fmt_bytes(999600, b), "1.00 MB");
	assert_string_equal(fmt_bytes(53.2e9, b), "53.2 GB");
	assert_string_equal(fmt_bitrate(4020000, b), "4.02 Mb/s");
	assert_string_equal(fmt_bitrate(400.4e6, b), "400 Mb/s");
	assert_string_equal(fmt_bitrate(0, b), "0 b/s");
}

static void times_and_ratios(void **)
{
	char b[FMT_LEN];

	assert_string_equal(fmt_ms(120, b), "120 ms");
	assert_string_equal(fmt_ms(0.354, b), "0.35 ms");
	assert_string_equal(fmt_ms(20.44, b), "20.4 ms");
	assert_string_equal(fmt_ratio(0.253, b), "25.3 %");
	assert_string_equal(fmt_duration(-3, b), "0 s");
	assert_string_equal(fmt_duration(59.9, b), "59 s");
	assert_string_equal(fmt_duration(200, b), "3 min 20 s");
	assert_string_equal(fmt_duration(11530, b), "3 h 12 min");
	assert_string_equal(fmt_duration(86400 * 5 + 3600 * 4 + 1, b), "5 d 4 h");
}

static void durations_are_parsed(void **)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} rows[] = {{"2", 2000}, {"0.5", 500}, {"500ms", 500}, {"90s", 90000}, {"5m", 300000},
		{"5min", 300000}, {"1h", 3600000}, {"1.5d", 129600000}, {"0", 0}, {".5", 500}};
	static const char *const bad[] = {"", "s", "-1", "+1", "1e3", "0x10", "inf", "nan", "1 s",
		" 1", "1.2.3", ".", "5x", "1ss", "400000d"};
	uint64_t ms;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(fmt_parse_duration(rows[i].text, &ms), 0);
		assert_int_equal(ms, rows[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(fmt_parse_duration(bad[i], &ms), -EINVAL);
}

static void rfc3339_is_parsed(void **)
{
	double t;

	assert_int_equal(fmt_parse_time("1970-01-01T00:00:01.250Z", &t), 0);
	assert_true(t == 1.25);
	// RFC 3339, section 5.8: the same instant in two zones.
	assert_int_equal(fmt_parse_time("1996-12-19T16:39:57-08:00", &t), 0);
	assert_true(t == 851042397);
	assert_int_equal(fmt_parse_time("1996-12-20T00:39:57Z", &t), 0);
	assert_true(t == 851042397);
	assert_int_equal(fmt_parse_time("1996-12-20T00:39:57", &t), -EINVAL);
	assert_int_equal(fmt_parse_time("yesterday", &t), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(sizes_and_rates),
		cmocka_unit_test(times_and_ratios),
		cmocka_unit_test(durations_are_parsed),
		cmocka_unit_test(rfc3339_is_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
