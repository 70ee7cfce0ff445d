// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/suggest.h"
#include "test.h"

#include <string.h>

static void distance_counts_edits(void **)
{
	static const struct {
		const char *a, *b;
		unsigned d;
	} rows[] = {
		{"stream", "stream", 0},
		{"strem", "stream", 1},
		{"streams", "stream", 1},
		{"staerm", "stream", 2},
		{"sub", "pub", 1},
		{"lsit", "list", 1},
		{"", "ab", 2},
		{"ab", "", 2},
		{"abc", "", 3},
		{"listener", "route", 3},
		{"ca", "abc", 3},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(suggest_distance(rows[i].a, rows[i].b), rows[i].d);
		assert_int_equal(suggest_distance(rows[i].b, rows[i].a), rows[i].d);
	}
}

static void long_words_are_far(void **)
{
	char word[100];

	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	assert_int_equal(suggest_distance(word, word), SUGGEST_WITHIN + 1);
	word[63] = 0;
	assert_int_equal(suggest_distance(word, word), 0);
}

static void the_nearest_wins(void **)
{
	struct suggest s;

	suggest_init(&s, "sourec");
	suggest_show(&s, "route");
	suggest_show(&s, "source");
	suggest_show(&s, "stream");
	assert_string_equal(s.best, "source");
	suggest_init(&s, "banana");
	suggest_show(&s, "source");
	assert_null(s.best);
	suggest_init(&s, "xy");
	suggest_show(&s, "ab");
	assert_null(s.best);
}

static void other_programs_words_are_known(void **)
{
	const char *own = "list";

	assert_string_equal(suggest_synonym("rm"), "del");
	assert_string_equal(suggest_synonym("ls"), "list");
	assert_ptr_equal(suggest_synonym(own), own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_counts_edits),
		cmocka_unit_test(long_words_are_far),
		cmocka_unit_test(the_nearest_wins),
		cmocka_unit_test(other_programs_words_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
