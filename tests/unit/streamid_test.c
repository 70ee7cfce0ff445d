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
	{"publish:my/stream:joe:secret", STREAMID_PUBLISH, "my/stream", "joe", "secret", ""},
	{"publish:my/stream:joe:secret:token=abc", STREAMID_PUBLISH, "my/stream", "joe", "secret",
		"abc"},
	{"read:my/stream:a=b&token=abc", STREAMID_PLAY, "my/stream", "", "", "abc"},
	{"read:mystream", STREAMID_PLAY, "mystream", "", "", ""},
	{"publish/live/cam1", STREAMID_PUBLISH, "live/cam1", "", "", ""},
	{"play/live", STREAMID_PLAY, "live", "", "", ""},
	{"play:live", STREAMID_PLAY, "live", "", "", ""},
	{"res,mode:publish,token:abc", STREAMID_PUBLISH, "res", "", "", "abc"},
	{"live/cam1", STREAMID_UNSET, "live/cam1", "", "", ""},
	{" \t/live/cam1 \r\n", STREAMID_UNSET, "live/cam1", "", "", ""},
	{"//live/cam1//", STREAMID_UNSET, "live/cam1", "", "", ""},
	{"#!::r=/live/cam1/,m=publish\n", STREAMID_PUBLISH, "live/cam1", "", "", ""},
	{"#!::m=Publish,r=cam1", STREAMID_PUBLISH, "cam1", "", "", ""},
	{"publish%3Alive%2Fcam1%3Ajoe%3Asecret", STREAMID_PUBLISH, "live/cam1", "joe", "secret",
		""},
	{"publish%2Flive%2Fcam1", STREAMID_PUBLISH, "live/cam1", "", "", ""},
	{"res%2Cmode%3Apublish%2Ctoken%3Aabc", STREAMID_PUBLISH, "res", "", "", "abc"},
	{"live%2Fcam1%3Ftoken%3Dabc", STREAMID_UNSET, "live/cam1", "", "", "abc"},
	{"publish:a:joe:100%25", STREAMID_PUBLISH, "a", "joe", "100%25", ""}, // as sent
	{"#!::r=a,u=\xff\xfe,s=\xc3\x28", STREAMID_UNSET, "a", "\xff\xfe", "\xc3\x28", ""},
	{"publisher/x", STREAMID_UNSET, "publisher/x", "", "", ""},
	{"", STREAMID_UNSET, "", "", "", ""},
};

static void every_dialect_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct streamid id;

		assert_int_equal(streamid_parse(rows[i].text, 0, &id), 0);
		assert_int_equal(id.mode, rows[i].mode);
		assert_string_equal(id.name, rows[i].name);
		assert_string_equal(id.user, rows[i].user);
		assert_string_equal(id.session, rows[i].session);
		assert_string_equal(id.token, rows[i].token);
	}
}

#define D(name) (1u << STREAMID_##name)

// What these programs' own documentation tells users to type. A listener may be told to take only
// some of them; where 0 stands all may come that mean one thing only.
static const struct {
	const char *source;
	uint32_t dialects;
	const char *text;
	enum streamid_mode mode;
	const char *name, *session, *token;
} dialects[] = {
	{"SRS, srt.md", 0, "#!::r=live/livestream,m=publish", STREAMID_PUBLISH, "live/livestream",
		"", ""},
	{"SRS, srt.md", 0, "#!::h=srs.srt.com.cn,r=live/livestream?secret=x,m=request",
		STREAMID_PLAY, "live/livestream", "", ""},
	{"SRS, srt.md", D(SRS), "live/livestream?token=abc", STREAMID_UNSET, "live/livestream", "",
		"abc"},
	{"SRS, issue 2893", 0, "#!::h=live/livestream,m=publish", STREAMID_PUBLISH,
		"live/livestream", "", ""},
	{"SRS, issue 2893", 0, "#!::h=srs.srt.com.cn/live/livestream,m=request", STREAMID_PLAY,
		"live/livestream", "", ""},
	{"SRS, issue 2893", 0, "#!::h=live/livestream?secret=a/b,m=publish", STREAMID_PUBLISH,
		"live/livestream", "", ""},
	{"SRS, issue 2893", 0, "#!::h=host.com,r=app/stream,key1=value1,key2=value2",
		STREAMID_UNSET, "app/stream", "", ""},
	{"ZLMediaKit, srt.md", 0, "#!::h=zlmediakit.com,r=live/test,m=publish", STREAMID_PUBLISH,
		"live/test", "", ""},
	{"MediaMTX, README", D(MEDIAMTX), "publish:mystream:user:pass", STREAMID_PUBLISH,
		"mystream", "pass", ""},
	{"MediaMTX, README", D(MEDIAMTX), "read:mystream", STREAMID_PLAY, "mystream", "", ""},
	{"MediaMTX, README", D(MEDIAMTX), "#!::m=publish,r=mypath,u=myuser,s=mypass",
		STREAMID_PUBLISH, "mypath", "mypass", ""},
	{"MediaMTX, streamid.go", D(MEDIAMTX), "publish:mystream:user:pass:token=abc",
		STREAMID_PUBLISH, "mystream", "pass", "abc"},
	{"MediaMTX, streamid.go", D(MEDIAMTX), "read:mystream:token=abc", STREAMID_PLAY, "mystream",
		"", "abc"},
	{"srtrelay, streamid.go", D(SRTRELAY), "#!::m=publish,r=abc,u=joe,s=bob", STREAMID_PUBLISH,
		"abc", "bob", ""},
	{"ours beside it", D(SRTRELAY) | D(SLUICE), "publish/test/secret", STREAMID_PUBLISH, "test",
		"secret", ""},
	{"ours beside it", D(SRTRELAY) | D(SLUICE), "live/test", STREAMID_UNSET, "live/test", "",
		""},
	{"ours beside it", D(SLS) | D(SLUICE), "uplive.example.org/live/test", STREAMID_PUBLISH,
		"live/test", "", ""},
	{"ours beside it", D(SLS) | D(SLUICE), "live-2.example.org/live/test", STREAMID_PLAY,
		"live/test", "", ""},
	{"ours beside it", D(SLS) | D(SLUICE), "live/sport/test", STREAMID_UNSET, "live/sport/test",
		"", ""},
	{"ours", 0, "uplive.example.org/live/test", STREAMID_UNSET, "uplive.example.org/live/test",
		"", ""},
	{"srtrelay, README", D(SRTRELAY), "publish/test", STREAMID_PUBLISH, "test", "", ""},
	{"srtrelay, README", D(SRTRELAY), "publish/test/secret", STREAMID_PUBLISH, "test", "secret",
		""},
	{"srtrelay, README", D(SRTRELAY), "play/test/secret", STREAMID_PLAY, "test", "secret", ""},
	{"interface.md 5", 0, "publish/live/cam1", STREAMID_PUBLISH, "live/cam1", "", ""},
	{"SLS, README", 0, "uplive.sls.com/live/test", STREAMID_PUBLISH, "live/test", "", ""},
	{"SLS, README", 0, "live.sls.com/live/test", STREAMID_PLAY, "live/test", "", ""},
	{"SLS, sls.conf", D(SLS), "live-1.sls.com/live/test", STREAMID_PLAY, "live/test", "", ""},
	{"SLS, Directives", D(SLS), "uplive.sls/live/test", STREAMID_PUBLISH, "live/test", "", ""},
	{"SLS, sls.conf", D(SLS), "uplive/live/test", STREAMID_PUBLISH, "live/test", "", ""},
	{"SLS, sls.conf", D(SLS), "live/live/test", STREAMID_PLAY, "live/test", "", ""},
	{"SLS, sls.conf", D(SLS), "my.example/live/test", STREAMID_UNSET, "live/test", "", ""},
	{"a plain name", 0, "live/live/test", STREAMID_UNSET, "live/live/test", "", ""},
	{"OpenIRL, README", D(OPENIRL), "live_51fa3c", STREAMID_UNSET, "live_51fa3c", "", ""},
	{"OME, live-source/srt", D(OME), "default/app/stream", STREAMID_UNSET, "default/app/stream",
		"", ""},
	{"OME, streaming/srt", D(OME), "default/app/stream/playlist", STREAMID_PLAY,
		"default/app/stream", "", ""},
	{"OME, streaming/srt", D(OME), "default/app/stream/360p?token=a/b", STREAMID_PLAY,
		"default/app/stream", "", "a/b"},
	{"OME, live-source/srt", D(OME), "default%2Fapp%2Fstream", STREAMID_UNSET,
		"default/app/stream", "", ""},
	{"OME, live-source/srt-beta", D(OME), "srt%3A%2F%2Fome.example%3A9999%2Fapp%2Fstream",
		STREAMID_UNSET, "app/stream", "", ""},
	{"OME, live-source/srt-beta", D(OME), "srt://192.0.2.1/app/stream?token=abc",
		STREAMID_UNSET, "app/stream", "", "abc"},
	{"datarhei, url_test.go", D(RESTREAMER), "bla,token:foobar,mode:publish", STREAMID_PUBLISH,
		"bla", "", "foobar"},
	{"datarhei, url.go", D(RESTREAMER), "bla,token:foo,bar,mode:publish", STREAMID_PUBLISH,
		"bla", "", "foo,bar"},
	{"datarhei, url_test.go", D(RESTREAMER), "#!:m=publish,r=123456789,token=foobar",
		STREAMID_PUBLISH, "123456789", "", "foobar"},
	{"datarhei, url_test.go", 0, "%23%21%3Am%3Dpublish%2Cr%3D123456%2Ctoken%3Dbla",
		STREAMID_PUBLISH, "123456", "", "bla"},
	{"datarhei, guides/srt", D(RESTREAMER), "12345,mode:publish,token:foobar", STREAMID_PUBLISH,
		"12345", "", "foobar"},
	{"datarhei, guides/srt", D(RESTREAMER), "12345", STREAMID_UNSET, "12345", "", ""},
	{"datarhei, guides/srt", D(RESTREAMER), "12345,mode:Request,token:foobar", STREAMID_PLAY,
		"12345", "", "foobar"},
	{"libsrt, access-control.md", D(SLS), "#!::r=bluesbrothers1_hi", STREAMID_UNSET,
		"bluesbrothers1_hi", "", ""},
};

static void programs_are_understood_as_they_speak(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		struct streamid id;

		if (streamid_parse(dialects[i].text, dialects[i].dialects, &id))
			fail_msg("%s: %s", dialects[i].source, dialects[i].text);
		assert_int_equal(id.mode, dialects[i].mode);
		assert_string_equal(id.name, dialects[i].name);
		assert_string_equal(id.session, dialects[i].session);
		assert_string_equal(id.token, dialects[i].token);
	}
}

static void forms_that_a_listener_does_not_take_are_refused(void **state)
{
	static const struct {
		uint32_t dialects;
		const char *text;
	} other[] = {
		{D(SRS), "12345,mode:publish"},
		{D(MEDIAMTX), "live/cam1"},
		{D(MEDIAMTX), "publish/cam1"},
		{D(SRTRELAY), "cam1"},
		{D(SRTRELAY), "publish:cam1"},
		{D(SLS), "live/test"},
		{D(OME), "app/stream"},
		{D(OME), "srt://host/stream"},
		{D(OME), "srt://host"},
	};
	struct streamid id;

	(void)state;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		assert_int_equal(
			streamid_parse(other[i].text, other[i].dialects, &id), STREAMID_E_DIALECT);
	assert_int_equal(streamid_reject_code(STREAMID_E_DIALECT), 2400);
	assert_int_equal(streamid_parse("", D(SLS), &id), 0);
	assert_string_equal(id.name, ""); // the listener's default stream
}

static void dialects_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < STREAMID_DIALECTS; i++)
		assert_int_equal(streamid_dialect_find(streamid_dialect_name(i)), i);
	assert_int_equal(streamid_dialect_find("rtmp"), -1);
	assert_null(streamid_dialect_name(STREAMID_DIALECTS));
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
		{"live//cam", STREAMID_E_NAME, 2400},
		{"caf\xc3\xa9", STREAMID_E_NAME, 2400},
		{"\xff\xfe", STREAMID_E_NAME, 2400},
		{"live%2F%2E%2E%2Fcam", STREAMID_E_NAME, 2400},
		{"live%2Fcam%00", STREAMID_E_SYNTAX, 2400},
		{"publish:a:joe:secret:query:more", STREAMID_E_SYNTAX, 2400},
		{"#!:m=publish,r", STREAMID_E_SYNTAX, 2400},
		{"#!::h=a/../b,m=publish", STREAMID_E_NAME, 2400},
		{"record:live", STREAMID_E_NAME, 2400},
		{"#!::r=a,m=bidirectional", STREAMID_E_MODE, 2405},
		{"#!::r=a,t=file", STREAMID_E_MODE, 2405},
		{"#!::r=a,x=1", STREAMID_E_KEY, 2001},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct streamid id = {.name = "kept"};
		int rc = streamid_parse(bad[i].text, 0, &id);

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
	assert_int_equal(streamid_parse(text, 0, &id), 0);
	text[STREAM_NAME_MAX] = 'a';
	text[STREAM_NAME_MAX + 1] = '\0';
	assert_int_equal(streamid_parse(text, 0, &id), STREAMID_E_NAME);
	text[STREAM_NAME_MAX + 1] = 'a';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(streamid_parse(text, 0, &id), STREAMID_E_SYNTAX);
	memcpy(text, "#!::u=", 6);
	text[6 + STREAMID_FIELD_MAX] = '\0';
	assert_int_equal(streamid_parse(text, 0, &id), 0);
	text[6 + STREAMID_FIELD_MAX] = 'a';
	text[6 + STREAMID_FIELD_MAX + 1] = '\0';
	assert_int_equal(streamid_parse(text, 0, &id), STREAMID_E_SYNTAX);
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

// What may be told of a stream id that these dialects take, or no dialect does.
static void shows(const char *text, uint32_t taken, const char *want)
{
	struct streamid id = {0};
	char got[160];

	streamid_parse(text, taken, &id);
	streamid_show(text, &id, got, sizeof(got));
	assert_string_equal(got, want);
}

static void what_is_told_of_one_holds_no_secret(void **)
{
	const uint32_t srtrelay = 1u << STREAMID_SRTRELAY;

	shows("live/cam1", 0, "live/cam1");
	shows("#!::r=a,m=request,u=joe", 0, "#!::r=a,m=request,u=joe");
	shows("#!::r=a,sluice_token=v1.k1.0123456789ab.vf7lds.10.0.0.0/8.we8NBWbQhnDkY0TxBAyPIg", 0,
		"#!::r=a,sluice_token=v1.k1.0123456789ab.vf7lds.10.0.0.0/8.***");
	shows("#!::r=a,sluice_token=v1.short.one", 0, "#!::r=a,sluice_token=***");
	shows("#!::m=publish,r=a,u=joe,s=mypass", 0, "#!::m=publish,r=a,u=joe,s=***");
	shows("#!::r=live/a,secret=xxx,m=publish", 0, "#!::r=live/a,secret=***,m=publish");
	shows("#!::r=a, s=mypass", 0, "#!::r=a,\\x20s=***");
	shows("#!::r=a,jwt=abc,token2=abc", 0, "#!::r=a,jwt=***,token2=***");
	shows("#!::r=live/a?token=abc&k=1,m=request", 0, "#!::r=live/a?token=***&k=***,m=request");
	shows("#!::h=v.example/live/a,m=publish", 0, "#!::h=v.example/live/a,m=publish");
	shows("%23%21%3A%3Ar%3Dlive/a%2Cs%3Dmypass", 0, "#!::r=live/a,s=***"); // quote() keeps /
	shows("live/a%3Ftoken%3Dabc", 0, "live/a?token=***");
	shows("#!:m=publish,r=a,token=abc", 0, "#!:m=publish,r=a,token=***");
	shows("srt://joe:pw@h:9/app/s", 1u << STREAMID_OME, "srt://***/app/s");
	shows("read:a:joe:joe", 0, "read:a:joe:***");
	shows("play:play:play:secret:u?iky", 0, "play:play:play:***:***");
	shows("read:live/a:joe:live", 0, "***"); // a password that the name holds
	shows("read:a:joe:a", 0, "read:a:joe:***");
	shows("publish:a:joe:secret", 0, "publish:a:joe:***");
	shows("publish:a:joe:secret:token=abc", 0, "publish:a:joe:***:token=***");
	shows("publish%3Aa%3Ajoe%3Asecret", 0, "publish:a:joe:***");
	shows("res,mode:publish,token:a,b,c", 0, "res,mode:publish,token:***");
	shows("live/a?token=abc&x=1", 0, "live/a?token=***&x=***");
	shows("publish/a/secret", srtrelay, "publish/a/***");
	shows("publish/a/sec:ret", srtrelay, "publish/a/***");
	shows("publish/a/secret", 0, "publish/a/secret"); // a stream a/secret
}

static void what_is_told_of_a_wrong_one_holds_none_either(void **)
{
	const uint32_t srtrelay = 1u << STREAMID_SRTRELAY;

	shows("x=1,token=abc", 0, "x***");
	shows("#!::r=a%2Cs=mypass", 0, "#!::r=a***");
	shows("#!::r=live/a,m=bidirectional,x=1", 0, "#!::r=live/a,m=bidirectional,x=***");
	shows("live/a;token=abc", 0, "live/a***");
	shows("live/a token=abc", 0, "live/a***");
	shows("#!:{\"token\":\"abc\"}", 0, "***");
	shows("publish/bad name/secret", srtrelay, "publish/bad***");
	shows("publish/a/sec,ret", srtrelay, "publish/a/***");
	shows("srt://joe:pw@h/app/s", 0, "srt***");
	shows("#!::r=a,r=b,s=mypass", 0, "#!::r=a,r=b,s=***");
	shows("publish:a b:joe:secret:x:y", 0, "publish***");
	shows("a\x1b[2J\xff\"", 0, "a***");
	shows("", 0, "");
}

static void what_is_told_is_short(void **)
{
	struct streamid id = {0};
	char text[601], got[16];

	memset(text, 'a', 600);
	text[600] = '\0';
	streamid_show(text, &id, got, sizeof(got)); // longer than one may be
	assert_string_equal(got, "..");
	text[512] = '\0';
	streamid_show(text, &id, got, sizeof(got));
	assert_string_equal(got, "aaaaaaaaaaaaa..");
	streamid_show("12345678901\n2\n", &id, got, sizeof(got)); // no code is cut in two
	assert_string_equal(got, "12345678901..");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_of_one_holds_no_secret),
		cmocka_unit_test(what_is_told_of_a_wrong_one_holds_none_either),
		cmocka_unit_test(what_is_told_is_short),
		cmocka_unit_test(every_dialect_is_understood),
		cmocka_unit_test(programs_are_understood_as_they_speak),
		cmocka_unit_test(forms_that_a_listener_does_not_take_are_refused),
		cmocka_unit_test(dialects_have_names),
		cmocka_unit_test(each_fault_has_its_name_and_code),
		cmocka_unit_test(fields_have_their_limits),
		cmocka_unit_test(stream_names_follow_one_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
