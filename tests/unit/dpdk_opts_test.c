// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/port_dpdk.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static void ours_are_taken_and_the_rest_is_the_devices(void **)
{
	static const uint8_t peer[6] = {2, 0, 0, 0xa, 0xb, 0xff};
	struct port_dpdk_opts o;
	char err[256], ip[ENDPOINT_STRLEN];

	assert_int_equal(port_dpdk_parse("net_memif0,role=client,addr=10.0.0.1,queues=2,"
					 "socket=/x/y,addr=fd00::1,peer=02:00:00:0a:0b:FF,"
					 "mtu=1400,vlan=7,name=up,id=3",
				 &o, err, sizeof(err)),
		0);
	assert_string_equal(o.device, "net_memif0,role=client,socket=/x/y,id=3");
	assert_string_equal(o.name, "up");
	assert_int_equal(o.n_addr, 2);
	assert_string_equal(endpoint_ip_str(&o.addr[0], ip, sizeof(ip)), "10.0.0.1");
	assert_string_equal(endpoint_ip_str(&o.addr[1], ip, sizeof(ip)), "fd00::1");
	assert_memory_equal(o.peer, peer, 6);
	assert_int_equal(o.queues, 2);
	assert_int_equal(o.mtu, 1400);
	assert_int_equal(o.vlan, 7);
	assert_null(o.arena);
}

static void what_is_left_out_has_a_default(void **)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct port_dpdk_opts o;
	char err[256];

	assert_int_equal(port_dpdk_parse("net_null3,addr=10.0.0.1", &o, err, sizeof(err)), 0);
	assert_string_equal(o.device, "net_null3");
	assert_string_equal(o.name, "net_null3");
	assert_memory_equal(o.peer, broadcast, 6);
	assert_int_equal(o.queues, 0);
	assert_int_equal(o.mtu, 1500);
	assert_int_equal(o.vlan, 0);
	assert_false(o.any_port);
}

static void a_wrong_one_gets_a_sentence_that_names_it(void **)
{
	static const struct {
		const char *spec, *says;
	} rows[] = {
		{"", "''"},
		{"0000:3b:00.0,addr=10.0.0.1", "0000:3b:00.0"},
		{"eth0", "eth0"},
		{"net_null0", "addr="},
		{"net_null0,addr=", "addr="},
		{"net_null0,addr=0.0.0.0", "0.0.0.0"},
		{"net_null0,addr=239.1.1.1", "239.1.1.1"},
		{"net_null0,addr=nowhere", "nowhere"},
		{"net_null0,addr=10.0.0.1,mtu=9000", "9000"},
		{"net_null0,addr=10.0.0.1,mtu=-1", "mtu="},
		{"net_null0,addr=10.0.0.1,vlan=4095", "4095"},
		{"net_null0,addr=10.0.0.1,vlan=", "vlan="},
		{"net_null0,addr=10.0.0.1,queues=0", "queues="},
		{"net_null0,addr=10.0.0.1,queues=2x", "2x"},
		{"net_null0,addr=10.0.0.1,peer=02:00", "02:00"},
		{"net_null0,addr=10.0.0.1,peer=02:00:00:00:00:01:02", "peer="},
		{"net_null0,addr=10.0.0.1,name=", "name="},
		{"net_null0,addr=10.0.0.1,layout=round", "round"},
		{"net_null0,addr=10.0.0.1,cores=1", "cores"},
		{"net_null0,addr=10.0.0.1,egress=100", "egress"},
		{"net_null0,addr=1.0.0.1,addr=1.0.0.2,addr=1.0.0.3,addr=1.0.0.4,addr=1.0.0.5,"
		 "addr=1.0.0.6,addr=1.0.0.7,addr=1.0.0.8,addr=1.0.0.9",
			"at most 8"},
	};
	struct port_dpdk_opts o;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char err[256] = "";

		assert_int_equal(port_dpdk_parse(rows[i].spec, &o, err, sizeof(err)), -EINVAL);
		if (!strstr(err, rows[i].says))
			fail_msg("%s: %s", rows[i].spec, err);
	}
}

static void a_device_takes_only_so_many_arguments(void **)
{
	char spec[600] = "net_null0,addr=10.0.0.1,size=", err[256];
	struct port_dpdk_opts o;
	size_t at = strlen(spec);

	memset(spec + at, '1', sizeof(spec) - at - 1);
	assert_int_equal(port_dpdk_parse(spec, &o, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "dpdk: too many arguments");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_are_taken_and_the_rest_is_the_devices),
		cmocka_unit_test(what_is_left_out_has_a_default),
		cmocka_unit_test(a_wrong_one_gets_a_sentence_that_names_it),
		cmocka_unit_test(a_device_takes_only_so_many_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
