// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/resources.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static int check(const char *noun, const char *text, enum resource_op op, char *err, size_t cap)
{
	json_t *doc = json_loads(text, JSON_ALLOW_NUL, NULL);
	int rc;

	assert_non_null(doc);
	rc = resource_validate(resource_find(noun), doc, op, err, cap);
	json_decref(doc);
	return rc;
}

static void takes_documents_as_documented(void **state)
{
	static const char *const good[][2] = {
		{"stream", "{\"name\": \"cam1\"}"},
		{"stream", "{\"name\": \"live/a.b_c-d\", \"latency_ms\": 200, \"takeover\": "
			   "\"replace\"}"},
		{"stream", "{\"name\": \"x\", \"latency_ms\": null}"},
		{"listener", "{\"url\": \"srt://0.0.0.0:9000\", \"open\": true}"},
		{"listener", "{\"url\": \"srt://[::1]:9000\", \"default_stream\": \"a/b\"}"},
		{"source", "{\"stream\": \"a\", \"url\": \"udp://:5000\"}"},
		{"route", "{\"stream\": \"a\", \"url\": \"rtp://239.1.1.1:5000?ttl=4\"}"},
		{"stream", "{\"name\": \"x\", \"play_passphrase\": \"0123456789\", "
			   "\"publish_passphrase\": {\"ref\": \"x0000000001\"}, \"play_auth\": "
			   "\"token\", \"hook\": \"https://a.example:81/x?y\"}"},
		{"listener", "{\"url\": \"srt://:9000\", \"acl\": [\"allow 10.0.0.0/8\", "
			     "\"deny ::/0\", \"deny 192.0.2.7\"]}"},
		{"user", "{\"name\": \"joe\", \"prefix\": \"live/\", \"mode\": \"publish\", "
			 "\"passphrase\": \"0123456789\"}"},
		{"key", "{\"prefix\": null}"},
		{"token", "{\"stream\": \"a\", \"mode\": \"request\", \"ip\": \"192.0.2.0/24\"}"},
	};
	char err[256] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (check(good[i][0], good[i][1], RESOURCE_ADD, err, sizeof(err)))
			fail_msg("%s: %s", good[i][1], err);
}

// Each wrong document gets a sentence that names the field.
static void names_what_is_wrong(void **state)
{
	static const char *const bad[][3] = {
		{"stream", "[]", "a stream is a JSON object"},
		{"stream", "{}", "a stream needs the field name"},
		{"stream", "{\"name\": null}", "name must be a string"},
		{"stream", "{\"name\": 1}", "name must be a string"},
		{"stream", "{\"name\": \"a\\u0000b\"}", "name holds a NUL character"},
		{"stream", "{\"name\": \"a\", \"latency_ms\": 120000}",
			"latency_ms must be between 1 and 20000 milliseconds, not 120000"},
		{"stream", "{\"name\": \"a\", \"latency_ms\": \"120\"}",
			"latency_ms must be a whole number"},
		{"stream", "{\"name\": \"a\", \"latency_ms\": 1.5}",
			"latency_ms must be a whole number"},
		{"stream", "{\"name\": \"a\", \"takeover\": \"maybe\"}",
			"takeover must be reject, replace or replace-stalled, not \"maybe\""},
		{"stream", "{\"name\": \"a\", \"colour\": 1}", "a stream has no field \"colour\""},
		{"stream", "{\"name\": \"a\", \"rx_packets\": 1}",
			"rx_packets is reported, it cannot be set"},
		{"listener", "{\"url\": \"srt://0.0.0.0:9000\", \"open\": \"yes\"}",
			"open must be true or false"},
		{"route", "{\"url\": \"udp://10.0.0.1:5000\"}", "a route needs the field stream"},
		{"sub", "{\"id\": \"s-1\"}", "id is reported, it cannot be set"},
		{"stream", "{\"name\": \"a\", \"play_passphrase\": \"short\"}",
			"play_passphrase: a passphrase has 10 to 80 bytes, this one has 5"},
		{"stream", "{\"name\": \"a\", \"play_passphrase\": 1}",
			"play_passphrase must be a string, or {\"ref\": ID} as it was shown"},
		{"stream", "{\"name\": \"a\", \"acl\": [\"allow 10.0.0.1/8\"]}",
			"acl: a range is an address or ADDRESS/BITS with no bit set behind BITS: "
			"192.0.2.0/24"},
		{"stream", "{\"name\": \"a\", \"acl\": [\"permit 10.0.0.0/8\"]}",
			"acl: a rule is \"allow RANGE\" or \"deny RANGE\""},
		{"stream", "{\"name\": \"a\", \"acl\": \"allow ::1\"}", "acl must be a list"},
		{"stream", "{\"name\": \"a\", \"acl\": [1]}", "acl must be a list of strings"},
		{"stream", "{\"name\": \"a\", \"hook\": \"ftp://x\"}",
			"hook: a hook is http://HOST/.. or https://HOST/.."},
		{"stream", "{\"name\": \"a\", \"hook\": \"http://joe:secret@x/\"}",
			"hook: a hook's URL is shown to readers and carries no password"},
		{"user", "{\"name\": \"joe\", \"mode\": \"publish\"}",
			"a user needs the field passphrase"},
		{"user", "{\"name\": \"j o\", \"mode\": \"publish\"}",
			"name: a user's name is made of A-Z a-z 0-9 . _ -"},
		{"user", "{\"name\": \"joe\", \"prefix\": \"a//\"}",
			"prefix: a prefix is how stream names may begin: live/"},
		{"token", "{\"stream\": \"a\", \"mode\": \"request\", \"ttl_s\": 0}",
			"ttl_s must be between 1 and 31536000 seconds, not 0"},
	};
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		*err = '\0';
		assert_int_equal(
			check(bad[i][0], bad[i][1], RESOURCE_ADD, err, sizeof(err)), -EINVAL);
		assert_string_equal(err, bad[i][2]);
	}
}

static void checks_stream_names(void **state)
{
	static const char *const bad[] = {"", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/.",
		"a b", "a%2fb", "é", "a\nb"};
	static const char *const good[] = {"a", "...", "a/..b", "A-Z_0.9/x/y/z", ".hidden"};
	const struct resource_field *f = resource_field_find(resource_find("stream"), "name");
	char err[256], longest[130] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(f->check(bad[i], err, sizeof(err)), -EINVAL);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(f->check(good[i], err, sizeof(err)), 0);
	memset(longest, 'x', 128);
	assert_int_equal(f->check(longest, err, sizeof(err)), 0);
	longest[128] = 'x';
	assert_int_equal(f->check(longest, err, sizeof(err)), -EINVAL);
}

static void checks_urls_by_their_use(void **state)
{
	static const char *const bad[][2] = {
		{"{\"url\": \"udp://0.0.0.0:9000\"}", "listener"},
		{"{\"url\": \"srt://0.0.0.0\"}", "listener"},
		{"{\"url\": \"srt://0.0.0.0:99999\"}", "listener"},
		{"{\"stream\": \"a\", \"url\": \"http://x:1\"}", "source"},
		{"{\"stream\": \"a\", \"url\": \"udp://x:1?colour=1\"}", "route"},
		{"{\"stream\": \"a\", \"url\": \"udp://:5000\"}", "route"},
	};
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		*err = '\0';
		assert_int_equal(
			check(bad[i][1], bad[i][0], RESOURCE_ADD, err, sizeof(err)), -EINVAL);
		assert_int_equal(strncmp(err, "url: ", 5), 0);
		assert_null(strchr(err, '\n'));
	}
}

// What GET gave can be put back; the intent is the same as that of the bare document.
static void intent_fills_defaults_and_drops_reports(void **state)
{
	const struct resource *r = resource_find("stream");
	json_t *bare = json_pack("{s:s}", "name", "a");
	json_t *full = json_pack("{s:s, s:n, s:s, s:i, s:b}", "name", "a", "latency_ms", "takeover",
		"reject", "rx_packets", 7, "declared", 1);
	json_t *a = resource_intent(r, bare), *b = resource_intent(r, full);
	char err[256];

	(void)state;
	assert_int_equal(resource_validate(r, full, RESOURCE_REPLACE, err, sizeof(err)), 0);
	assert_true(json_equal(a, b));
	assert_null(json_object_get(b, "rx_packets"));
	assert_string_equal(json_string_value(json_object_get(a, "leg")), "own");
	assert_int_equal(json_integer_value(json_object_get(a, "repair_percent")), 50);
	assert_true(json_is_null(json_object_get(a, "history_ms")));
	json_decref(bare);
	json_decref(full);
	json_decref(a);
	json_decref(b);
}

static void parses_flags(void **state)
{
	const struct resource *r = resource_find("stream");
	const struct resource_field *latency = resource_field_find(r, "latency_ms");
	static const char *const bad[] = {"", "12x", " 12", "+5", "0x10", "99999999999999999999"};
	char err[256];
	json_t *v;

	(void)state;
	assert_string_equal(latency->flag, "latency");
	assert_int_equal(resource_parse(latency, "200", &v, err, sizeof(err)), 0);
	assert_int_equal(json_integer_value(v), 200);
	json_decref(v);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(resource_parse(latency, bad[i], &v, err, sizeof(err)), -EINVAL);
	assert_int_equal(resource_parse(latency, "0", &v, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "--latency must be between 1 and 20000 milliseconds, not 0");
	assert_int_equal(
		resource_parse(resource_field_find(r, "leg"), "both", &v, err, sizeof(err)),
		-EINVAL);
	assert_string_equal(err, "--leg must be own or shared, not \"both\"");
}

// The table itself: every field has a name, help and one role; defaults pass their own check.
static void table_is_sound(void **state)
{
	const unsigned roles = RESOURCE_KEY | RESOURCE_SET | RESOURCE_REPORTED;

	(void)state;
	for (size_t i = 0; i < n_resources; i++) {
		const struct resource *r = &resources[i];

		assert_ptr_equal(resource_find_collection(r->collection), r);
		assert_true(!r->id || resource_field_find(r, r->id));
		for (size_t k = 0; k < r->n_fields; k++) {
			const struct resource_field *f = &r->fields[k];

			assert_true(f->name && f->help);
			assert_int_equal(__builtin_popcount(f->flags & roles), 1);
			assert_ptr_equal(resource_field_find(r, f->name), f);
			assert_true(f->type != RESOURCE_WORD || f->words);
			assert_true(!(f->flags & RESOURCE_SET) || f->flag ||
				    (f->type == RESOURCE_LIST && f->words));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_documents_as_documented),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(checks_stream_names),
		cmocka_unit_test(checks_urls_by_their_use),
		cmocka_unit_test(intent_fills_defaults_and_drops_reports),
		cmocka_unit_test(parses_flags),
		cmocka_unit_test(table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
