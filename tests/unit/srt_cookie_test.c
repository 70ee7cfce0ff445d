// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_cookie.h"

#include "base/rand.h"
#include "proto/halfsiphash.h"
#include "test.h"
#include "tests/data/halfsiphash.h"

#define MINUTE (60 * (ts_us)TS_S)

static const struct srt_cookie_key key = {.now = 0x1122334455667788, .before = 42};

static void the_published_vectors_hold(void **)
{
	uint8_t in[64];

	for (uint8_t n = 0; n < 64; n++) {
		assert_int_equal(halfsiphash24(0x0706050403020100, in, n), halfsiphash_vectors[n]);
		in[n] = n;
	}
}

// The XDP program makes the same cookies: the layout of the input is fixed. Expected values are an
// independent implementation's.
static void the_input_is_laid_out_as_written_down(void **)
{
	struct endpoint v4 = endpoint_of_v4(0xc0000207, 40000);
	struct endpoint v6 = {.port = 65535};

	assert_int_equal(endpoint_parse_ip("2001:db8::5", &v6), 0);
	assert_int_equal(srt_cookie_make(&key, &v4, 9000, 5 * MINUTE + 1), 0x696543e8);
	assert_int_equal(srt_cookie_make(&key, &v6, 1, 0xffffffff * MINUTE), 0xc0c433a5);
}

static void a_cookie_lives_for_its_minute_and_the_next(void **)
{
	struct endpoint e = endpoint_of_v4(0x0a000001, 5000);
	uint32_t cookie = srt_cookie_make(&key, &e, 9000, 7 * MINUTE + 59 * TS_S);

	assert_true(srt_cookie_ok(&key, &e, 9000, 7 * MINUTE + 59 * TS_S, cookie));
	assert_true(srt_cookie_ok(&key, &e, 9000, 9 * MINUTE - 1, cookie));
	assert_false(srt_cookie_ok(&key, &e, 9000, 9 * MINUTE, cookie));
	assert_false(srt_cookie_ok(&key, &e, 9000, 7 * MINUTE - 1, cookie));
}

static void a_replaced_key_is_good_until_the_next(void **)
{
	struct endpoint e = endpoint_of_v4(0x0a000001, 5000);
	struct srt_cookie_key second = {.now = 7, .before = key.now};
	struct srt_cookie_key third = {.now = 8, .before = 7};
	uint32_t cookie = srt_cookie_make(&key, &e, 9000, MINUTE);

	assert_true(srt_cookie_ok(&second, &e, 9000, 2 * MINUTE, cookie));
	assert_false(srt_cookie_ok(&third, &e, 9000, MINUTE, cookie));
}

static void it_belongs_to_one_address_and_never_is_zero(void **)
{
	struct endpoint e = endpoint_of_v4(0x0a000001, 5000);
	uint32_t cookie = srt_cookie_make(&key, &e, 9000, MINUTE);
	struct rand r = {1};

	assert_false(srt_cookie_ok(&key, &e, 9001, MINUTE, cookie));
	e.port++;
	assert_false(srt_cookie_ok(&key, &e, 9000, MINUTE, cookie));
	e.port--;
	e.ip[15]++;
	assert_false(srt_cookie_ok(&key, &e, 9000, MINUTE, cookie));
	for (int i = 0; i < 100000; i++) {
		e.port = (uint16_t)rand_u64(&r);
		assert_int_not_equal(srt_cookie_make(&key, &e, 9000, rand_u64(&r)), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_vectors_hold),
		cmocka_unit_test(the_input_is_laid_out_as_written_down),
		cmocka_unit_test(a_cookie_lives_for_its_minute_and_the_next),
		cmocka_unit_test(a_replaced_key_is_good_until_the_next),
		cmocka_unit_test(it_belongs_to_one_address_and_never_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
