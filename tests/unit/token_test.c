// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/endpoint.h"
#include "ctl/dp/token.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY "3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs"
#define K80                                        \
	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define S64 "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"

// Made with Python's hmac, hashlib and base64 by the rule in token.h.
static const struct vector {
	const char *token, *kid, *id, *from, *key;
	uint64_t until_s;
	enum dp_mode mode;
	const char *stream, *ip;
} vectors[] = {
	{"v1.k1.t0001.vf7lds.-.we8NBWbQhnDkY0TxBAyPIg", "k1", "t0001", NULL, KEY, 1900000000,
		DP_MODE_PLAY, "live/cam1", "203.0.113.1"},
	{"v1.k1.t0001.vf7lds.-.JTM7wUAKFcuZaze54MB2TQ", "k1", "t0001", NULL, KEY, 1900000000,
		DP_MODE_PUBLISH, "live/cam1", "::1"},
	{"v1.prod_2-a.ZZ-_09.1vuhmo0.192.0.2.0/24.53A_HDu0x-KTTw2xHZQNsw", "prod_2-a", "ZZ-_09",
		"192.0.2.0/24", KEY, 4102444800, DP_MODE_PLAY, "a", "192.0.2.200"},
	{"v1.k1.x.1.2001:db8::1.s6KLQBCtf-bOJr2txKECgg", "k1", "x", "2001:db8::1", KEY, 1,
		DP_MODE_PUBLISH, "news/de/1", "2001:db8::1"},
	{"v1.AAAAAAAAAAAAAAA.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.zzzzzzzzzz.2001:db8:1111:2222:3333:"
	 "4444:5555::/112.ShpVyr6eDm-HaBn7LGhUGA",
		"AAAAAAAAAAAAAAA", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", NULL, K80, 3656158440062975,
		DP_MODE_PUBLISH, S64 S64, "2001:db8:1111:2222:3333:4444:5555:9"},
};

static enum token_verdict check_at(const struct vector *v, const char *key, enum dp_mode mode,
	const char *stream, const char *ip, uint64_t now_s)
{
	struct endpoint e = {0};
	struct token t;

	assert_int_equal(token_parse(v->token, &t), 0);
	assert_int_equal(endpoint_parse_ip(ip, &e), 0);
	return token_check(&t, key, strlen(key), mode, stream, e.ip, now_s);
}

static void checks_what_others_signed(void **state)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		const struct vector *v = &vectors[i];
		struct token t;

		assert_int_equal(token_parse(v->token, &t), 0);
		assert_string_equal(t.kid, v->kid);
		assert_string_equal(t.id, v->id);
		assert_int_equal(t.until_s, v->until_s);
		assert_int_equal(
			check_at(v, v->key, v->mode, v->stream, v->ip, v->until_s - 1), TOKEN_GOOD);
	}
}

static void signs_as_others_do(void **state)
{
	for (size_t i = 0; i < 4; i++) {
		const struct vector *v = &vectors[i];
		char text[TOKEN_MAX + 1];
		struct cidr from;

		if (v->from)
			assert_int_equal(cidr_parse(v->from, &from), 0);
		assert_int_equal(token_sign(v->kid, v->id, v->until_s, v->from ? &from : NULL,
					 v->key, strlen(v->key), v->mode, v->stream, text),
			0);
		assert_string_equal(text, v->token);
	}
}

static void refuses_every_other_use(void **state)
{
	const struct vector *v = &vectors[2];

	assert_int_equal(check_at(v, v->key, v->mode, v->stream, v->ip, v->until_s), TOKEN_EXPIRED);
	assert_int_equal(check_at(v, K80, v->mode, v->stream, v->ip, 0), TOKEN_FORGED);
	assert_int_equal(check_at(v, v->key, DP_MODE_PUBLISH, v->stream, v->ip, 0), TOKEN_FORGED);
	assert_int_equal(check_at(v, v->key, v->mode, "b", v->ip, 0), TOKEN_FORGED);
	assert_int_equal(
		check_at(v, v->key, v->mode, v->stream, "192.0.3.1", 0), TOKEN_OTHER_ADDRESS);
}

// Whatever is changed, it is no token any more or not signed.
static void every_changed_character_is_noticed(void **state)
{
	const struct vector *v = &vectors[2];
	struct endpoint e = {0};
	char text[TOKEN_MAX + 1];

	assert_int_equal(endpoint_parse_ip(v->ip, &e), 0);
	for (size_t i = 0; i < strlen(v->token); i++) {
		struct token t;

		snprintf(text, sizeof(text), "%s", v->token);
		text[i] = text[i] == '0' ? '1' : '0';
		if (!token_parse(text, &t))
			assert_int_equal(token_check(&t, v->key, strlen(v->key), v->mode, v->stream,
						 e.ip, 0),
				TOKEN_FORGED);
	}
}

static void refuses_what_is_no_token(void **state)
{
	static const char *const bad[] = {
		"",
		".",
		"v1",
		"v1.k1.t0001.vf7lds.-",
		"v1.k1.t0001.vf7lds.-.we8NBWbQhnDkY0TxBAyPI",	// 21 characters
		"v1.k1.t0001.vf7lds.-.we8NBWbQhnDkY0TxBAyPIgg", // 23
		"v1.k1.t0001.vf7lds.-.we8NBWbQhnDkY0TxBAyP+g",
		"v2.k1.t0001.vf7lds.-.we8NBWbQhnDkY0TxBAyPIg",
		"v1..t0001.vf7lds.-.we8NBWbQhnDkY0TxBAyPIg",
		"v1.k1..vf7lds.-.we8NBWbQhnDkY0TxBAyPIg",
		"v1.k1.t0001..-.we8NBWbQhnDkY0TxBAyPIg",
		"v1.k1.t0001.0f7lds.-.we8NBWbQhnDkY0TxBAyPIg",
		"v1.k1.t0001.VF7LDS.-.we8NBWbQhnDkY0TxBAyPIg",
		"v1.k1.t0001.vf7lds..we8NBWbQhnDkY0TxBAyPIg",
		"v1.k1.t0001.vf7lds.10.0.0.1/8.we8NBWbQhnDkY0TxBAyPIg",
		"v1.k 1.t0001.vf7lds.-.we8NBWbQhnDkY0TxBAyPIg",
		"v1.aaaaaaaaaaaaaaaa.t0001.vf7lds.-.we8NBWbQhnDkY0TxBAyPIg",
		"v1.k1.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.vf7lds.-.we8NBWbQhnDkY0TxBAyPIg",
		"v1.k1.t0001.10000000000.-.we8NBWbQhnDkY0TxBAyPIg",
	};
	struct token t;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(token_parse(bad[i], &t), -EBADMSG);
}

static void signs_no_bad_fields(void **state)
{
	char text[TOKEN_MAX + 1];

	assert_int_equal(
		token_sign("k.1", "x", 1, NULL, KEY, 43, DP_MODE_PLAY, "a", text), -EINVAL);
	assert_int_equal(token_sign("k1", "", 1, NULL, KEY, 43, DP_MODE_PLAY, "a", text), -EINVAL);
	assert_int_equal(token_sign("k1", "x", 0, NULL, KEY, 43, DP_MODE_PLAY, "a", text), -EINVAL);
	assert_int_equal(
		token_sign("k1", "x", UINT64_MAX, NULL, KEY, 43, DP_MODE_PLAY, "a", text), -EINVAL);
	assert_int_equal(token_sign("k1", "x", 1, NULL, KEY, 0, DP_MODE_PLAY, "a", text), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_what_others_signed),
		cmocka_unit_test(signs_as_others_do),
		cmocka_unit_test(refuses_every_other_use),
		cmocka_unit_test(every_changed_character_is_noticed),
		cmocka_unit_test(refuses_what_is_no_token),
		cmocka_unit_test(signs_no_bad_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
