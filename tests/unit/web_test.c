// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The page must live under its own policy: nothing inline, nothing from elsewhere, and all that it
// names is in the program.

#include "ctl/web/assets.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static bool is_asset(const char *path, size_t len)
{
	for (size_t i = 0; i < n_web_assets; i++)
		if (strlen(web_assets[i].path) == len && !strncmp(web_assets[i].path, path, len))
			return true;
	return false;
}

static char *text_of(const struct http_asset *a)
{
	return strndup((const char *)a->data, a->len);
}

// Every path in quotes behind `before` is one of ours.
static unsigned check_references(const char *text, const char *before)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, before)); n++) {
		p += strlen(before);
		if (!is_asset(p, strcspn(p, "\"")))
			fail_msg("%s\"%.40s is not in the program", before, p);
	}
	return n;
}

static void names_only_what_is_there(void **state)
{
	unsigned n = 0;

	(void)state;
	assert_true(is_asset("/", 1));
	for (size_t i = 0; i < n_web_assets; i++) {
		char *text = text_of(&web_assets[i]);

		n += check_references(text, "href=\"");
		n += check_references(text, "src=\"");
		n += check_references(text, "from \"");
		free(text);
	}
	assert_true(n >= 6);
}

static void holds_nothing_inline_or_foreign(void **state)
{
	static const char *const forbidden[] = {"<script>", "<style",
		" style=", "onclick=", "https:", "http:", "innerHTML", "eval(", "document.write"};

	(void)state;
	for (size_t i = 0; i < n_web_assets; i++) {
		char *text = text_of(&web_assets[i]);

		assert_true(strlen(text) == web_assets[i].len);
		for (size_t k = 0; k < sizeof(forbidden) / sizeof(*forbidden); k++) {
			const char *at = strstr(text, forbidden[k]);

			// The one name that looks like an address and is none: of the SVG language.
			if (at && strncmp(at, "http://www.w3.org/2000/svg", 26))
				fail_msg("%s: %.60s", web_assets[i].path, at);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_only_what_is_there),
		cmocka_unit_test(holds_nothing_inline_or_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
