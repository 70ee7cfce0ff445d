// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/yaml_doc.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static json_t *read_good(const char *text)
{
	struct yaml_doc d;
	char err[256];
	json_t *root;

	if (yaml_doc_read(&d, "f", text, strlen(text), err, sizeof(err)))
		fail_msg("%s", err);
	root = json_incref(d.root);
	yaml_doc_free(&d);
	return root;
}

static void is_read_as(const char *yaml, const char *json)
{
	json_t *have = read_good(yaml), *want = json_loads(json, 0, NULL);
	char *text = json_dumps(have, JSON_COMPACT);

	assert_non_null(want);
	if (!json_equal(have, want))
		fail_msg("%s reads as %s", yaml, text);
	free(text);
	json_decref(have);
	json_decref(want);
}

static void is_refused(const char *text, size_t len, const char *want)
{
	struct yaml_doc d;
	char err[256];

	assert_int_equal(yaml_doc_read(&d, "f", text, len, err, sizeof(err)), -EINVAL);
	assert_null(d.root);
	if (strncmp(err, want, strlen(want)))
		fail_msg("\"%s\" instead of \"%s\"", err, want);
}

// Examples 10.3 and 10.9 of YAML 1.2.2, chapter 10.3 (core schema).
static void scalars_follow_the_core_schema(void **)
{
	is_read_as(
		"{a: ~, b: null, c: , d: Null}", "{\"a\":null,\"b\":null,\"c\":null,\"d\":null}");
	is_read_as("{a: true, b: FALSE, c: yes, d: on}",
		"{\"a\":true,\"b\":false,\"c\":\"yes\",\"d\":\"on\"}");
	is_read_as("{a: 0, b: 0o7, c: 0x3A, d: -19, e: +12, f: 010}",
		"{\"a\":0,\"b\":7,\"c\":58,\"d\":-19,\"e\":12,\"f\":10}");
	is_read_as("{a: 0., b: -0.0, c: .5, d: +12e03, e: -2E+05}",
		"{\"a\":0.0,\"b\":-0.0,\"c\":0.5,\"d\":12e3,\"e\":-2e5}");
	is_read_as("{a: 1.2.3.4, b: 12e, c: '7', d: \"true\", e: 1_000, f: ., g: e3}",
		"{\"a\":\"1.2.3.4\",\"b\":\"12e\",\"c\":\"7\",\"d\":\"true\",\"e\":\"1_000\","
		"\"f\":\".\",\"g\":\"e3\"}");
}

static void maps_and_lists_nest(void **)
{
	is_read_as("a:\n- 1\n- b: [x, {y: z}]\nc: |\n  two\n  lines\n",
		"{\"a\":[1,{\"b\":[\"x\",{\"y\":\"z\"}]}],\"c\":\"two\\nlines\\n\"}");
	is_read_as("{\"json\": [1, \"\\u00e4\", null, {\"is\": true}]}",
		"{\"json\":[1,\"\xc3\xa4\",null,{\"is\":true}]}");
	is_read_as("", "{}");
	is_read_as("# only this\n", "{}");
}

static void what_has_two_readings_is_refused(void **)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"a: 1\nb: 2\na: 3\n", "f:3: the key \"a\" stands here twice"},
		{"\"a\\nb\": 1\n\"a\\nb\": 2\n", "f:2: the key \"a?b\" stands here twice"},
		{"a: &x 1\nb: *x\n", "f:1: aliases, anchors and tags are not read here"},
		{"a: 1\nb: *x\n", "f:2: aliases"},
		{"a: !!str 1\n", "f:1: aliases"},
		{"a: 1\n? [x]\n: 2\n", "f:2: a key must be plain text"},
		{"a: 1\n---\nb: 2\n", "f:2: only one document is read"},
		{"- a\n", "f:1: the document must be a map"},
		{"word\n", "f:1: the document must be a map"},
		{"a: 99999999999999999999\n", "f:1: the number 99999999999999999999 is too large"},
		{"a: 1e999\n", "f:1: the number 1e999 is too large"},
		{"a: .inf\n", "f:1: .inf is not a number that can be used here"},
		{"a: \"x\\0y\"\n", "f:1: a value holds a NUL character"},
		{"a: [1\nb: 2\n", "f:2: "},
		{"a:\n\t- 1\n", "f:2: "},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		is_refused(rows[i].text, strlen(rows[i].text), rows[i].want);
}

static void depth_and_size_are_bounded(void **)
{
	char deep[256] = "a: ";
	char *large = malloc(YAML_DOC_MAX + 1);

	memset(deep + 3, '[', YAML_DOC_DEPTH);
	is_refused(deep, strlen(deep), "f:1: more than 32 levels");
	memset(large, ' ', YAML_DOC_MAX + 1);
	is_refused(large, YAML_DOC_MAX + 1, "f:1: longer than 1048576 bytes");
	free(large);
}

static void lines_are_remembered(void **)
{
	static const char text[] = "sluice: 1\n\nstreams:\n  live/a:\n    latency_ms: 1\n  b: {}\n";
	struct yaml_doc d;
	char err[256];

	assert_int_equal(yaml_doc_read(&d, "f", text, sizeof(text) - 1, err, sizeof(err)), 0);
	assert_int_equal(yaml_doc_line(&d, "sluice", NULL, NULL), 1);
	assert_int_equal(yaml_doc_line(&d, "streams", NULL, NULL), 3);
	assert_int_equal(yaml_doc_line(&d, "streams", "live/a", NULL), 4);
	assert_int_equal(yaml_doc_line(&d, "streams", "live/a", "latency_ms"), 5);
	assert_int_equal(yaml_doc_line(&d, "streams", "b", NULL), 6);
	assert_int_equal(yaml_doc_line(&d, "streams", "c", NULL), 0);
	yaml_doc_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_follow_the_core_schema),
		cmocka_unit_test(maps_and_lists_nest),
		cmocka_unit_test(what_has_two_readings_is_refused),
		cmocka_unit_test(depth_and_size_are_bounded),
		cmocka_unit_test(lines_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
