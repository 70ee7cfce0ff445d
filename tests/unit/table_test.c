// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/table.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static const struct table_col cols[] = {
	{"NAME", false, 1}, {"PACKETS", true, 0}, {"WHY", false, 2}};

static char *drawn(const char *const *cells, size_t n, size_t width)
{
	struct table *t = table_new(cols, 3);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(t);
	assert_non_null(to);
	for (size_t i = 0; i < n; i++)
		table_cell(t, cells[i]);
	assert_int_equal(table_rows(t), n / 3);
	table_write(t, width, to);
	fclose(to);
	table_free(t);
	return text;
}

static const char *const cells[] = {"cam1", "12", "short", "a-rather-long-stream-name", "1234567",
	"a reason that goes on and on"};

static void columns_are_aligned(void **)
{
	char *s = drawn(cells, 6, 0);

	assert_string_equal(s,
		"NAME                       PACKETS  WHY\n"
		"cam1                            12  short\n"
		"a-rather-long-stream-name  1234567  a reason that goes on and on\n");
	free(s);
}

static void the_least_important_is_cut_first(void **)
{
	char *s = drawn(cells, 6, 50);

	assert_string_equal(s, "NAME                       PACKETS  WHY\n"
			       "cam1                            12  short\n"
			       "a-rather-long-stream-name  1234567  a reason tha..\n");
	free(s);
	s = drawn(cells, 6, 30);
	assert_string_equal(s, "NAME           PACKETS  WHY\n"
			       "cam1                12  short\n"
			       "a-rather-lo..  1234567  a re..\n");
	free(s);
}

static void what_may_not_be_cut_stays(void **)
{
	char *s = drawn(cells, 6, 10);

	assert_non_null(strstr(s, "\na-ra..  1234567  a re..\n"));
	free(s);
}

static void equals_are_cut_evenly(void **)
{
	static const struct table_col alike[] = {{"A", false, 1}, {"B", false, 1}};
	static const char *const row[] = {"0123456789abcdef", "0123456789"};
	struct table *t = table_new(alike, 2);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	table_cell(t, row[0]);
	table_cell(t, row[1]);
	table_write(t, 20, to);
	fclose(to);
	table_free(t);
	assert_string_equal(text, "A          B\n0123456..  0123456..\n");
	free(text);
}

static void a_number_goes_whole_or_not_at_all(void **)
{
	static const struct table_col with_spare[] = {
		{"NAME", false, 1}, {"N", true, 0}, {"SPARE", true, 3}, {"EXTRA", true, 2}};
	static const char *const row[] = {"camera-one", "1", "22222", "33333"};
	struct table *t = table_new(with_spare, 4);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	for (size_t i = 0; i < 4; i++)
		table_cell(t, row[i]);
	table_write(t, 21, to);
	table_write(t, 11, to);
	fclose(to);
	table_free(t);
	assert_string_equal(text, "NAME        N  EXTRA\n"
				  "camera-one  1  33333\n"
				  "NAME      N\n"
				  "camera..  1\n");
	free(text);
}

static void no_rows_still_have_a_heading(void **)
{
	char *s = drawn(NULL, 0, 80);

	assert_string_equal(s, "NAME  PACKETS  WHY\n");
	free(s);
}

static void terminals_are_not_steered(void **)
{
	char text[] = "a\x1b[31mb\n\xc2\x9b"
		      "0m \xc3\xa4";

	assert_string_equal(table_clean(text), "a?[31mb???0m \xc3\xa4");
	assert_null(table_clean(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(the_least_important_is_cut_first),
		cmocka_unit_test(what_may_not_be_cut_stays),
		cmocka_unit_test(equals_are_cut_evenly),
		cmocka_unit_test(a_number_goes_whole_or_not_at_all),
		cmocka_unit_test(no_rows_still_have_a_heading),
		cmocka_unit_test(terminals_are_not_steered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
