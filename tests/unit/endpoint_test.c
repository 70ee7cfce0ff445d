// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/endpoint.h"
#include "test.h"

#include <errno.h>
#include <sys/socket.h>

static void parses_and_prints_both_families(void **state)
{
	static const char *const good[] = {
		"10.0.0.1:9000", "0.0.0.0:0", "[::1]:9000", "[2001:db8::5]:65535"};
	char buf[ENDPOINT_STRLEN];
	struct endpoint e;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(endpoint_parse(good[i], &e), 0);
		assert_string_equal(endpoint_str(&e, buf, sizeof(buf)), good[i]);
	}
	assert_int_equal(endpoint_parse(":9000", &e), 0);
	assert_true(endpoint_is_any(&e) && endpoint_is_v4(&e));
}

static void refuses_what_is_no_endpoint(void **state)
{
	static const char *const bad[] = {"", "10.0.0.1", "10.0.0.1:", "10.0.0.1:65536",
		"10.0.0.256:1", "::1:9000", "[::1]", "1.2.3.4:9x", "host:1", "1.2.3.4:-1"};
	struct endpoint e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(endpoint_parse(bad[i], &e), -EINVAL);
}

static void sockaddr_round_trip(void **state)
{
	static const char *const some[] = {"239.1.2.3:5000", "[ff02::1]:7"};
	struct sockaddr_storage sa = {0};
	struct endpoint e, back = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(endpoint_parse(some[i], &e), 0);
		assert_true(endpoint_is_multicast(&e));
		endpoint_to_sockaddr(&e, &sa);
		assert_int_equal(endpoint_from_sockaddr(&sa, &back), 0);
		assert_true(endpoint_eq(&e, &back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints_both_families),
		cmocka_unit_test(refuses_what_is_no_endpoint),
		cmocka_unit_test(sockaddr_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
