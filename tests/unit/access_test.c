// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Who may come in: rules of addresses, users, tokens, the hook. Codes are wire values (srt-wire
// 5.3), written as numbers here.

#include "base/cidr.h"
#include "control_rig.h"
#include "ctl/dp/dp_id.h"
#include "ctl/dp/token.h"
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PUB "#!::r=live/a,m=publish"
#define SUB "#!::r=live/a,m=request"
#define KEY "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

// A listener and the stream live/a.
static int fresh(void **state)
{
	struct rig *r = rig_new();
	struct dp_listener l = rig_listener(9000);
	struct dp_stream s = rig_stream("live/a");

	rig_set(r, DP_LISTENER, "l", &l);
	rig_set(r, DP_STREAM, "live/a", &s);
	rig_settle(r);
	*state = r;
	return 0;
}

static int leave(void **state)
{
	rig_free(*state);
	return 0;
}

static void declare(struct rig *r, struct dp_stream s)
{
	rig_set(r, DP_STREAM, s.name, &s);
	rig_settle(r);
}

static int call(struct rig *r, const char *streamid, session_key *key)
{
	unsigned park = rig_call(r, 0, "l", streamid);

	rig_settle(r);
	if (key)
		*key = rig_key(r, 0, park);
	return rig_code(r, 0, park);
}

static int call_from(struct rig *r, const char *ip, const char *streamid)
{
	unsigned park = rig_call(r, 0, "l", streamid);

	assert_int_equal(endpoint_parse_ip(ip, &r->workers[0].parks[park].p.peer), 0);
	rig_settle(r);
	return rig_code(r, 0, park);
}

// --- addresses ------------------------------------------------------------------------------

static void rule(struct dp_acl *a, const char *range, bool deny)
{
	struct dp_acl_rule *x = &a->rules[a->n++];
	struct cidr c;

	assert_int_equal(cidr_parse(range, &c), 0);
	memcpy(x->ip, c.ip, sizeof(x->ip));
	x->bits = c.bits;
	x->deny = deny;
}

static void the_first_rule_that_matches_decides(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);

	rule(&l.acl, "10.1.0.0/16", false);
	rule(&l.acl, "10.0.0.0/8", true);
	rule(&l.acl, "2001:db8::/32", false);
	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
	assert_int_equal(call_from(r, "10.1.2.3", SUB), 0);
	assert_int_equal(call_from(r, "10.2.2.3", SUB), 2403);
	assert_int_equal(call_from(r, "2001:db8::7", SUB), 0);
	assert_int_equal(call_from(r, "192.0.2.1", SUB), 2403); // an allow list refuses the rest
	assert_int_equal(call_from(r, "2001:db9::7", SUB), 2403);
}

static void a_deny_list_lets_the_rest_in(void **state)
{
	struct rig *r = *state;
	struct dp_stream s = rig_stream("live/a");

	rule(&s.acl, "192.0.2.0/25", true);
	declare(r, s);
	assert_int_equal(call_from(r, "192.0.2.1", SUB), 2403);
	assert_int_equal(call_from(r, "192.0.2.129", SUB), 0);
	assert_int_equal(call_from(r, "2001:db8::1", SUB), 0);
}

static void the_listeners_rules_come_before_anything_is_told(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);

	rule(&l.acl, "10.0.0.0/8", false);
	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
	assert_int_equal(call_from(r, "10.0.0.1", "#!::r=no/such"), 2404);
	assert_int_equal(call_from(r, "11.0.0.1", "#!::r=no/such"), 2403);
	assert_int_equal(call_from(r, "11.0.0.1", "#!:{}"), 2403);
}

static void a_listener_takes_the_dialects_it_was_told(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);

	l.dialects = 1u << STREAMID_SLS;
	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
	assert_int_equal(call(r, "live/live/a", NULL), 0);
	assert_int_equal(call(r, "live/a", NULL), 2400);
	assert_int_equal(call(r, SUB, NULL), 0);
}

static void handshakes_that_cannot_be_taken_are_refused_in_words(void **state)
{
	static const int codes[] = {1004, 1008, 1012, 1013, 1014, 1015};
	struct rig *r = *state;
	uint32_t at = notices_next(&r->c->notices);
	struct dp_notice x;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		unsigned park = rig_call(r, 0, "l", SUB);

		r->workers[0].parks[park].p.refused = codes[i];
		rig_settle(r);
		assert_int_equal(rig_code(r, 0, park), codes[i]);
		assert_true(notices_get(&r->c->notices, &at, &x));
		assert_int_equal(x.code, codes[i]);
		assert_true(strlen(x.text) > 10);
	}
	assert_int_equal(r->c->admits.n, 0);
}

// --- users ----------------------------------------------------------------------------------

static void add_user(struct rig *r, const char *name, const char *prefix, bool publish, bool play)
{
	struct dp_policy p = rig_policy(DP_POLICY_USER, name, 0);
	char identity[80];

	p.publish = publish;
	p.play = play;
	snprintf(p.prefix, sizeof(p.prefix), "%s", prefix);
	snprintf(identity, sizeof(identity), "user %s", name);
	assert_int_equal(rig_set(r, DP_POLICY, identity, &p), 0);
}

static void a_user_may_what_its_prefix_and_mode_say(void **state)
{
	struct rig *r = *state;

	add_user(r, "pub", "live/", true, false);
	add_user(r, "sub", "", false, true);
	add_user(r, "other", "other/", true, true);
	assert_int_equal(call(r, PUB ",u=pub", NULL), 0);
	assert_int_equal(call(r, SUB ",u=pub", NULL), 2403);
	assert_int_equal(call(r, SUB ",u=sub", NULL), 0);
	assert_int_equal(call(r, PUB ",u=sub", NULL), 2403);
	assert_int_equal(call(r, SUB ",u=other", NULL), 2403);
	assert_int_equal(call(r, SUB ",u=stranger", NULL), 0); // the stream asks for nothing
}

static void deleting_a_user_ends_its_sessions(void **state)
{
	struct rig *r = *state;
	session_key joe, jim, nobody;
	struct dp_session shown = {0};

	add_user(r, "joe", "", true, true);
	add_user(r, "jim", "", true, true);
	assert_int_equal(call(r, PUB ",u=joe", &joe), 0);
	assert_int_equal(call(r, SUB ",u=jim", &jim), 0);
	assert_int_equal(call(r, SUB, &nobody), 0);
	shown.key = joe;
	assert_int_equal(r->c->badges.n, 3);
	badge_show(r->c, &shown);
	assert_string_equal(shown.streamid, PUB ",u=joe");
	assert_string_equal(shown.user, "joe");
	rig_del(r, DP_POLICY, "user joe");
	rig_settle(r);
	assert_null(rig_session(r, joe));
	assert_non_null(rig_session(r, jim));
	assert_non_null(rig_session(r, nobody));
	rig_leave(r, jim, DP_CLOSE_PEER);
	rig_leave(r, nobody, DP_CLOSE_PEER);
	rig_settle(r);
	assert_int_equal(r->c->badges.n, 0);
}

static void a_user_deleted_while_its_worker_is_at_it_is_ended(void **state)
{
	struct rig *r = *state;
	unsigned park;

	add_user(r, "joe", "", true, true);
	park = rig_call(r, 0, "l", SUB ",u=joe");
	rig_turn(r); // the worker has its order
	rig_del(r, DP_POLICY, "user joe");
	rig_settle(r);
	assert_null(rig_session(r, rig_key(r, 0, park)));
	assert_int_equal(r->c->n_subscribers, 0);
}

// --- tokens ---------------------------------------------------------------------------------

static void add_key(struct rig *r, const char *kid, const char *prefix)
{
	struct dp_secret k = rig_secret(KEY);
	struct dp_policy p = rig_policy(DP_POLICY_KEY, kid, dp_id("secret key"));

	snprintf(p.prefix, sizeof(p.prefix), "%s", prefix);
	rig_set(r, DP_SECRET, "secret key", &k);
	rig_set(r, DP_POLICY, kid, &p);
}

static const char *with_token(const char *id, int64_t seconds, const char *from, enum dp_mode mode,
	const char *stream, const char *asked)
{
	static char text[600];
	char token[TOKEN_MAX + 1];
	struct cidr range;

	if (from)
		assert_int_equal(cidr_parse(from, &range), 0);
	assert_int_equal(token_sign("k1", id, (uint64_t)((int64_t)time(NULL) + seconds),
				 from ? &range : NULL, KEY, strlen(KEY), mode, stream, token),
		0);
	snprintf(text, sizeof(text), "%s,sluice_token=%s", asked, token);
	return text;
}

static void ask_for_tokens(struct rig *r)
{
	struct dp_stream s = rig_stream("live/a");

	s.play_auth = DP_AUTH_TOKEN;
	declare(r, s);
	add_key(r, "k1", "live/");
}

static void a_token_is_for_one_stream_mode_and_time(void **state)
{
	struct rig *r = *state;

	ask_for_tokens(r);
	assert_int_equal(call(r, PUB, NULL), 0); // only players are asked
	assert_int_equal(call(r, SUB, NULL), 2401);
	assert_int_equal(call(r, SUB ",sluice_token=nonsense", NULL), 2401);
	assert_int_equal(call(r, with_token("a", 60, NULL, DP_MODE_PLAY, "live/a", SUB), NULL), 0);
	assert_int_equal(
		call(r, with_token("a", -1, NULL, DP_MODE_PLAY, "live/a", SUB), NULL), 2401);
	assert_int_equal(
		call(r, with_token("a", 60, NULL, DP_MODE_PLAY, "live/b", SUB), NULL), 2401);
	assert_int_equal(
		call(r, with_token("a", 60, NULL, DP_MODE_PUBLISH, "live/a", SUB), NULL), 2403);
}

static void a_token_may_be_bound_to_addresses(void **state)
{
	struct rig *r = *state;
	const char *text;

	ask_for_tokens(r);
	text = with_token("a", 60, "10.0.0.0/8", DP_MODE_PLAY, "live/a", SUB);
	assert_int_equal(call_from(r, "10.9.9.9", text), 0);
	assert_int_equal(call_from(r, "::ffff:10.9.9.9", text), 0); // by a socket of both families
	assert_int_equal(call_from(r, "11.9.9.9", text), 2403);
	text = with_token("b", 60, "::ffff:10.0.0.0/104", DP_MODE_PLAY, "live/a", SUB);
	assert_non_null(strstr(text, ".10.0.0.0/8.")); // one spelling
	assert_int_equal(call_from(r, "10.9.9.9", text), 0);
	assert_int_equal(call_from(r, "2001:db8::10", text), 2403);
	text = with_token("c", 60, "2001:db8::/32", DP_MODE_PLAY, "live/a", SUB);
	assert_int_equal(call_from(r, "2001:db8::10", text), 0);
	assert_int_equal(call_from(r, "10.9.9.9", text), 2403);
}

static void a_token_needs_its_key(void **state)
{
	struct rig *r = *state;
	const char *text;

	ask_for_tokens(r);
	text = with_token("a", 60, NULL, DP_MODE_PLAY, "live/a", SUB);
	add_key(r, "k1", "other/");
	assert_int_equal(call(r, text, NULL), 2403);
	add_key(r, "k1", "");
	assert_int_equal(call(r, text, NULL), 0);
	rig_del(r, DP_SECRET, "secret key");
	assert_int_equal(call(r, text, NULL), 1003);
	rig_del(r, DP_POLICY, "k1");
	assert_int_equal(call(r, text, NULL), 2401);
}

static void revoking_a_token_ends_its_sessions(void **state)
{
	struct rig *r = *state;
	struct dp_policy p = rig_policy(DP_POLICY_REVOKED, "bad", 0);
	session_key bad, good;

	ask_for_tokens(r);
	assert_int_equal(
		call(r, with_token("bad", 60, NULL, DP_MODE_PLAY, "live/a", SUB), &bad), 0);
	assert_int_equal(
		call(r, with_token("good", 60, NULL, DP_MODE_PLAY, "live/a", SUB), &good), 0);
	p.until_s = (uint64_t)time(NULL) + 60;
	rig_set(r, DP_POLICY, "revoked bad", &p);
	rig_settle(r);
	assert_null(rig_session(r, bad));
	assert_non_null(rig_session(r, good));
	assert_int_equal(
		call(r, with_token("bad", 60, NULL, DP_MODE_PLAY, "live/a", SUB), NULL), 2401);
}

static void no_refusal_tells_a_token(void **state)
{
	struct rig *r = *state;
	uint32_t at = notices_next(&r->c->notices);
	struct dp_notice x;

	ask_for_tokens(r);
	call(r, with_token("hidden", -1, NULL, DP_MODE_PLAY, "live/a", SUB), NULL);
	while (notices_get(&r->c->notices, &at, &x)) {
		assert_null(strstr(x.text, "hidden"));
		assert_null(strstr(x.text, "v1."));
		if (x.event == DP_EV_REJECT)
			assert_int_equal(x.code, 2401);
	}
}

// --- the hook -------------------------------------------------------------------------------

static void ask_the_hook(struct rig *r, enum dp_hook_failure otherwise)
{
	struct dp_stream s = rig_stream("live/a");

	s.play_auth = DP_AUTH_HOOK;
	s.hook_failure = otherwise;
	declare(r, s);
}

static void answer(struct rig *r, uint32_t verdict, uint32_t code, uint32_t ttl_ms)
{
	const struct admission *a = TAILQ_FIRST(&r->c->admits.waiting);
	struct dp_admit_r v = {.verdict = verdict, .code = code, .ttl_ms = ttl_ms};

	assert_non_null(a);
	assert_int_equal(a->waits, ADMIT_FOR_HOOK);
	v.id = admit_id(r->c, a);
	admit_hook_answered(r->c, &v);
	rig_settle(r);
}

static unsigned call_and_answer(
	struct rig *r, const char *text, uint32_t verdict, uint32_t code, uint32_t ttl_ms)
{
	unsigned park = rig_call(r, 0, "l", text);

	rig_settle(r);
	answer(r, verdict, code, ttl_ms);
	return park;
}

static void the_hook_decides(void **state)
{
	struct rig *r = *state;

	ask_the_hook(r, DP_HOOK_OPEN);
	assert_int_equal(rig_code(r, 0, call_and_answer(r, SUB, DP_VERDICT_ALLOW, 0, 0)), 0);
	assert_int_equal(rig_code(r, 0, call_and_answer(r, SUB, DP_VERDICT_REFUSE, 2401, 0)), 2401);
	assert_int_equal(rig_code(r, 0, call_and_answer(r, SUB, DP_VERDICT_REFUSE, 0, 0)), 2403);
	assert_int_equal(rig_code(r, 0, call_and_answer(r, SUB, DP_VERDICT_REFUSE, 7, 0)), 2403);
	assert_int_equal(r->c->admits.n, 0);
}

static void limits_are_looked_at_before_the_hook_is_asked(void **state)
{
	struct rig *r = *state;
	struct dp_stream s = rig_stream("live/a");

	s.play_auth = DP_AUTH_HOOK;
	s.max_subscribers = 1;
	declare(r, s);
	call_and_answer(r, SUB, DP_VERDICT_ALLOW, 0, 0);
	assert_int_equal(call(r, SUB, NULL), 2402);
}

static void a_place_taken_while_the_hook_thinks_is_taken(void **state)
{
	struct rig *r = *state;
	struct dp_stream s = rig_stream("live/a");
	unsigned first, second;

	s.play_auth = DP_AUTH_HOOK;
	s.max_subscribers = 1;
	declare(r, s);
	first = rig_call(r, 0, "l", SUB);
	second = rig_call(r, 0, "l", SUB);
	rig_settle(r);
	answer(r, DP_VERDICT_ALLOW, 0, 0);
	answer(r, DP_VERDICT_ALLOW, 0, 0);
	assert_int_equal(rig_code(r, 0, first), 0);
	assert_int_equal(rig_code(r, 0, second), 2402);
}

static void without_an_answer_the_stream_decides_after_two_seconds(void **state)
{
	struct rig *r = *state;
	unsigned park;

	ask_the_hook(r, DP_HOOK_CLOSED);
	park = rig_call(r, 0, "l", SUB);
	rig_pass(r, 1999);
	assert_true(r->workers[0].parks[park].waits);
	rig_pass(r, 1);
	assert_int_equal(rig_code(r, 0, park), 2424);
	ask_the_hook(r, DP_HOOK_OPEN);
	park = rig_call(r, 0, "l", SUB);
	rig_pass(r, 2000);
	assert_int_equal(rig_code(r, 0, park), 0);
	assert_int_equal(rig_code(r, 0, call_and_answer(r, SUB, DP_VERDICT_FAILED, 0, 0)), 0);
}

static int call_unanswered(struct rig *r, const char *text)
{
	unsigned park = rig_call(r, 0, "l", text);

	rig_pass(r, 2000);
	return rig_code(r, 0, park);
}

static void without_an_answer_the_last_one_holds_for_a_while(void **state)
{
	struct rig *r = *state;

	ask_the_hook(r, DP_HOOK_CLOSED);
	call_and_answer(r, SUB ",u=joe", DP_VERDICT_ALLOW, 0, 60000);
	call_and_answer(r, SUB ",u=jim", DP_VERDICT_REFUSE, 2403, 0);
	assert_int_equal(call_unanswered(r, SUB ",u=joe"), 0);
	assert_int_equal(call_unanswered(r, SUB ",u=jim"), 2403);
	assert_int_equal(call_unanswered(r, SUB ",u=joe,s=other"), 2424); // another question
	rig_pass(r, 30000);
	assert_int_equal(call_unanswered(r, SUB ",u=joe"), 0);
	assert_int_equal(call_unanswered(r, SUB ",u=jim"), 2424);
	rig_pass(r, 30000);
	assert_int_equal(call_unanswered(r, SUB ",u=joe"), 2424);
}

static void who_gives_up_while_the_hook_thinks_holds_nothing(void **state)
{
	struct rig *r = *state;
	unsigned park;

	ask_the_hook(r, DP_HOOK_OPEN);
	park = rig_call(r, 0, "l", SUB);
	rig_settle(r);
	r->workers[0].parks[park].p.generation++;
	answer(r, DP_VERDICT_ALLOW, 0, 0);
	assert_int_equal(r->c->admits.n, 0);
	assert_int_equal(r->c->n_subscribers, 0);
}

static void a_stream_that_goes_while_the_hook_thinks_is_gone(void **state)
{
	struct rig *r = *state;
	unsigned park;

	ask_the_hook(r, DP_HOOK_OPEN);
	park = rig_call(r, 0, "l", SUB);
	rig_settle(r);
	rig_del(r, DP_STREAM, "live/a");
	rig_settle(r);
	answer(r, DP_VERDICT_ALLOW, 0, 0);
	assert_int_equal(rig_code(r, 0, park), 2404);
}

static void answers_to_nobody_change_nothing(void **state)
{
	struct rig *r = *state;
	struct dp_admit_r v = {.verdict = DP_VERDICT_ALLOW};

	for (v.id = 0; v.id < 3 * ADMITS_MAX; v.id += 77)
		admit_hook_answered(r->c, &v);
	v.id = UINT64_MAX;
	admit_hook_answered(r->c, &v);
	assert_int_equal(r->c->admits.n, 0);
}

// What was said is kept in bounded room, however many ask.
static void the_cache_is_bounded(void **state)
{
	struct rig *r = *state;
	struct hook_verdict v = {.until = r->now + TS_S};
	unsigned found = 0;

	for (uint32_t i = 0; i < 40000; i++) {
		struct dp_admit q = {.listener = i};

		hook_cache_key(&q, v.key);
		hook_cache_put(&r->c->hook_cache, &v);
		assert_non_null(hook_cache_find(&r->c->hook_cache, r->now, v.key));
	}
	for (uint32_t i = 0; i < 40000; i++) {
		struct dp_admit q = {.listener = i};

		hook_cache_key(&q, v.key);
		found += hook_cache_find(&r->c->hook_cache, r->now, v.key) != NULL;
	}
	assert_in_range(found, 9900, 10000);
}

// --- passphrases ----------------------------------------------------------------------------

static void a_passphrase_has_to_be_known_and_to_be_here(void **state)
{
	struct rig *r = *state;
	struct dp_stream s = rig_stream("live/a");

	s.play_secret = dp_id("secret play");
	declare(r, s);
	assert_int_equal(call(r, PUB, NULL), 0); // that is the players'
	assert_int_equal(call(r, SUB, NULL), 1011);
	assert_int_equal(call(r, SUB ",u=stranger", NULL), 2401);
}

static void a_users_passphrase_stands_in_for_the_streams(void **state)
{
	struct rig *r = *state;
	struct dp_policy p = rig_policy(DP_POLICY_USER, "joe", dp_id("secret joe"));
	unsigned park;

	p.play = 1;
	rig_set(r, DP_POLICY, "user joe", &p);
	assert_int_equal(call(r, SUB, NULL), 0);
	assert_int_equal(call(r, SUB ",u=joe", NULL), 1011); // clear, and the user has one
	park = rig_call(r, 0, "l", SUB ",u=joe");
	r->workers[0].parks[park].p.req.encrypted = true;
	rig_settle(r);
	assert_int_equal(rig_code(r, 0, park), 1003); // it has not come yet
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_rule_that_matches_decides),
		TEST(a_deny_list_lets_the_rest_in),
		TEST(the_listeners_rules_come_before_anything_is_told),
		TEST(a_listener_takes_the_dialects_it_was_told),
		TEST(handshakes_that_cannot_be_taken_are_refused_in_words),
		TEST(a_user_may_what_its_prefix_and_mode_say),
		TEST(deleting_a_user_ends_its_sessions),
		TEST(a_user_deleted_while_its_worker_is_at_it_is_ended),
		TEST(a_token_is_for_one_stream_mode_and_time),
		TEST(a_token_may_be_bound_to_addresses),
		TEST(a_token_needs_its_key),
		TEST(revoking_a_token_ends_its_sessions),
		TEST(no_refusal_tells_a_token),
		TEST(the_hook_decides),
		TEST(limits_are_looked_at_before_the_hook_is_asked),
		TEST(a_place_taken_while_the_hook_thinks_is_taken),
		TEST(without_an_answer_the_stream_decides_after_two_seconds),
		TEST(without_an_answer_the_last_one_holds_for_a_while),
		TEST(who_gives_up_while_the_hook_thinks_holds_nothing),
		TEST(a_stream_that_goes_while_the_hook_thinks_is_gone),
		TEST(answers_to_nobody_change_nothing),
		TEST(the_cache_is_bounded),
		TEST(a_passphrase_has_to_be_known_and_to_be_here),
		TEST(a_users_passphrase_stands_in_for_the_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
