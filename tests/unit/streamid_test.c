// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/streamid.h"
#include "test.h"

#include <string.h>

struct good {
	const char *text;
	enum streamid_mode mode;
	const char *name, *user, *session, *token;
};

// Examples of libsrt's docs/features/access-control.md, of the documentation of SRS, MediaMTX,
// srtrelay and Restreamer, and of interface.md 5.
static const struct good rows[] = {
	{"#!::u=admin,r=bluesbrothers1_hi", STREAMID_UNSET, "bluesbrothers1_hi", "admin", "", ""},
	{"#!::u=johnny,t=stream,m=publish,r=cam", STREAMID_PUBLISH, "cam", "johnny", "", ""},
	{"#!::h=srs.srt.com.cn,r=live/livestream,m=request", STREAMID_PLAY, "live/livestream", "",
		"", ""},
	{"#!::r=live/livestream,secret=xxx,m=publish", STREAMID_PUBLISH, "live/livestream", "", "",
		""},
	{"#!::m=publish,r=mystream,u=myuser,s=mypass", STREAMID_PUBLISH, "mystream", "myuser",
		"mypass", ""},
	{"#!::r=a,m=PUBLISH,sluice_token=v1.k.i.9.10.0.0.0/8.mac", STREAMID_PUBLISH, "a", "", "",
		"v1.k.i.9.10.0.0.0/8.mac"},
	{"%23%21%3A%3Ar%3Dlive%2Fcam1%2Cm%3Dpublish", STREAMID_PUBLISH, "live/cam1", "", "", ""},
	{"#%21::r=live/cam1,m=request", STREAMID_PLAY, "live/cam1", "", "", ""},
	{"#!::r=live%2fcam1", STREAMID_UNSET, "live/cam1", "", "", ""},
	{"#!::r=/live/cam1,", STREAMID_UNSET, "live/cam1", "", "", ""},
	{"#!::", STREAMID_UNSET, "", "", "", ""},
	{"publish:mystream", STREAMID_PUBLISH, "mystream", "", "", ""},
	{"publish:my/stream:joe:se:cret", STREAMID_PUBLISH, "my/stream", "joe", "se:cret", ""},
	{"read:mystream", STREAMID_PLAY, "mystream", "", "", ""},
	{"publish/live/cam1", STREAMID_PUBLISH, "live/cam1", "", "", ""},
	{"play/live", STREAMID_PLAY, "live", "", "", ""},
	{"play:live", STREAMID_PLAY, "live", "", "", ""},
	{"res,mode:publish,token:abc", STREAMID_PUBLISH, "res", "", "", "abc"},
	{"live/cam1", STREAMID_UNSET, "live/cam1", "", "", ""},
	{" \t/live/cam1 \r\n", STREAMID_UNSET, "live/cam1", "", "", ""},
	{"publisher/x", STREAMID_UNSET, "publisher/x", "", "", ""},
	{"", STREAMID_UNSET, "", "", "", ""},
};

static void every_dialect_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct streamid id;

		assert_int_equal(streamid_parse(rows[i].text, &id), 0);
		assert_int_equal(id.mode, rows[i].mode);
		assert_string_equal(id.name, rows[i].name);
		assert_string_equal(id.user, rows[i].user);
		assert_string_equal(id.session, rows[i].session);
		assert_string_equal(id.token, rows[i].token);
	}
}

static void each_fault_has_its_name_and_code(void **state)
{
	static const struct {
		const char *text;
		int error, code;
	} bad[] = {
		{"#!:{r=x}", STREAMID_E_SYNTAX, 2400},
		{"#!", STREAMID_E_SYNTAX, 2400},
		{"#!::r", STREAMID_E_SYNTAX, 2400},
		{"#!::=x", STREAMID_E_SYNTAX, 2400},
		{"#!::r=a,r=b", STREAMID_E_SYNTAX, 2400},
		{"#!::m=request,m=publish,r=a", STREAMID_E_SYNTAX, 2400},
		{"%23%21%3A%3Ar%3Da%00b", STREAMID_E_SYNTAX, 2400},
		{"res,mode=publish", STREAMID_E_SYNTAX, 2400},
		{"#!::r=../etc", STREAMID_E_NAME, 2400},
		{"#!::r=a%2f..%2fb", STREAMID_E_NAME, 2400},
		{"%23%21%3A%3Ar%3Da%252Fb", STREAMID_E_NAME, 2400}, // decoded once, not twice
		{"live cam", STREAMID_E_NAME, 2400},
		{"record:live", STREAMID_E_NAME, 2400},
		{"#!::r=a,m=bidirectional", STREAMID_E_MODE, 2405},
		{"#!::r=a,t=file", STREAMID_E_MODE, 2405},
		{"#!::r=a,x=1", STREAMID_E_KEY, 2001},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct streamid id = {.name = "kept"};
		int rc = streamid_parse(bad[i].text, &id);

		assert_int_equal(rc, bad[i].error);
		assert_int_equal(streamid_reject_code(rc), bad[i].code);
		assert_string_not_equal(streamid_error_str(rc), streamid_error_str(0));
		assert_string_equal(id.name, "kept");
	}
}

static void fields_have_their_limits(void **state)
{
	char text[600];
	struct streamid id;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[STREAM_NAME_MAX] = '\0';
	assert_int_equal(streamid_parse(text, &id), 0);
	text[STREAM_NAME_MAX] = 'a';
	text[STREAM_NAME_MAX + 1] = '\0';
	assert_int_equal(streamid_parse(text, &id), STREAMID_E_NAME);
	text[STREAM_NAME_MAX + 1] = 'a';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(streamid_parse(text, &id), STREAMID_E_SYNTAX);
	memcpy(text, "#!::u=", 6);
	text[6 + STREAMID_FIELD_MAX] = '\0';
	assert_int_equal(streamid_parse(text, &id), 0);
	text[6 + STREAMID_FIELD_MAX] = 'a';
	text[6 + STREAMID_FIELD_MAX + 1] = '\0';
	assert_int_equal(streamid_parse(text, &id), STREAMID_E_SYNTAX);
}

static void stream_names_follow_one_rule(void **state)
{
	static const char *const good[] = {"a", "live/cam1", "A.b_c-9", "...", "a/.b/..c"};
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/..",
		"../a", "a b", "a%20", "a:b", "\xc3\xa4"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(stream_name_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(stream_name_ok(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_dialect_is_understood),
		cmocka_unit_test(each_fault_has_its_name_and_code),
		cmocka_unit_test(fields_have_their_limits),
		cmocka_unit_test(stream_names_follow_one_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
