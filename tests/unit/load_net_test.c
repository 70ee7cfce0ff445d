// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// sluice-load's sockets on a port of the dataplane, over port `mem`.

#include "base/wire.h"
#include "io/port_mem.h"
#include "load/net_port.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static struct net net;
static struct port *port;
static struct endpoint local, relay;
static char err[128];

static struct {
	unsigned n, peeked[2];
	uint32_t index;
	ts_us now;
	size_t len;
	uint8_t data[64];
} got;

static void on_rx(void *arg, struct net_sock *s, ts_us now, const uint8_t *data, size_t len)
{
	(void)arg;
	got.n++;
	got.index = s->index;
	got.now = now;
	got.len = len;
	memcpy(got.data, data, len);
}

static void on_peek(void *arg, const uint8_t *data, size_t len, unsigned stage)
{
	(void)arg;
	assert_true(len > 0 && data[0]);
	assert_int_equal(got.n, 0); // of a whole burst before the first is handed over
	got.peeked[stage]++;
}

static int set_up(void **state)
{
	(void)state;
	memset(&got, 0, sizeof(got));
	net = (struct net){.on_rx = on_rx};
	port = port_mem_open(256);
	local = endpoint_of_v4(0x0a000002, 0);
	relay = endpoint_of_v4(0x0a000001, 9000);
	return net_port_take(&net, port, NULL, &local);
}

static int tear_down(void **state)
{
	(void)state;
	net_fini(&net);
	return 0;
}

static struct endpoint of_socket(unsigned i)
{
	return net.socks[i].local;
}

static void a_datagram_finds_its_socket(void **state)
{
	struct endpoint to;

	(void)state;
	assert_int_equal(net_connect(&net, &relay, 3, err, sizeof(err)), 0);
	port_mem_set_time(port, 77);
	to = of_socket(2);
	assert_int_equal(port_mem_inject(port, &relay, &to, 0, (const uint8_t *)"hello", 5), 0);
	net_wait(&net, 0, 0);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.index, 2);
	assert_int_equal(got.now, 77);
	assert_int_equal(got.len, 5);
	assert_memory_equal(got.data, "hello", 5);
	assert_int_equal(net.stats.rx, 1);
}

static void what_is_for_nobody_is_stray(void **state)
{
	struct endpoint to;

	(void)state;
	assert_int_equal(net_connect(&net, &relay, 1, err, sizeof(err)), 0);
	to = of_socket(0);
	to.port--;
	port_mem_inject(port, &relay, &to, 0, (const uint8_t *)"x", 1);
	net_wait(&net, 0, 0);
	assert_int_equal(got.n, 0);
	assert_int_equal(net.stats.stray, 1);
}

static void a_burst_is_peeked_at_first(void **state)
{
	struct endpoint to;

	(void)state;
	net.peek = on_peek;
	assert_int_equal(net_connect(&net, &relay, 1, err, sizeof(err)), 0);
	to = of_socket(0);
	for (unsigned i = 0; i < 10; i++)
		port_mem_inject(port, &relay, &to, 0, (const uint8_t *)"x", 1);
	net_wait(&net, 0, 0);
	assert_int_equal(got.peeked[0], 10);
	assert_int_equal(got.peeked[1], 10);
	assert_int_equal(got.n, 10);
}

static struct line_udp sent(const char *text)
{
	struct port_mem_desc d;
	struct line l;

	assert_int_equal(port_mem_take(port, &d, 1), 1);
	assert_int_equal(d.payload_len, strlen(text));
	assert_memory_equal(d.payload, text, strlen(text));
	memcpy(l.b, d.header, sizeof(l.b));
	return line_addresses(&l);
}

static void sent_ones_bear_their_sockets_address(void **state)
{
	struct endpoint from;
	struct line_udp l;

	(void)state;
	assert_int_equal(net_connect(&net, &relay, 2, err, sizeof(err)), 0);
	net_send(&net, 0, &net.socks[1], NULL, (const uint8_t *)"ping", 4);
	net_flush(&net);
	l = sent("ping");
	from = of_socket(1);
	assert_true(endpoint_eq(&l.local, &from));
	assert_true(endpoint_eq(&l.peer, &relay));
	assert_int_equal(net.stats.tx, 1);
}

static void one_socket_sends_anywhere(void **state)
{
	struct endpoint to = relay;
	struct line_udp l;

	(void)state;
	assert_int_equal(
		net_open(&net, &to, &(struct net_via){.ttl = 9, .dscp = 46}, err, sizeof(err)), 0);
	for (unsigned i = 0; i < 3; i++, to.port++) {
		net_send(&net, 0, &net.socks[0], &to, (const uint8_t *)"x", 1);
		l = sent("x");
		assert_int_equal(l.peer.port, 9000 + i);
		assert_int_equal(l.ttl, 9);
		assert_int_equal(l.dscp, 46);
	}
}

static void bound_ports_are_those_asked_for(void **state)
{
	struct net_bind b = {.at = local};
	struct endpoint to = local;

	(void)state;
	b.at.port = 5000;
	assert_int_equal(net_bind(&net, &b, 2, err, sizeof(err)), 0);
	to.port = 5001;
	port_mem_inject(port, &relay, &to, 0, (const uint8_t *)"x", 1);
	net_wait(&net, 0, 0);
	assert_int_equal(got.index, 1);
}

static void what_a_port_cannot_do_is_said(void **state)
{
	struct endpoint six;

	(void)state;
	endpoint_parse("[fd00::1]:9000", &six);
	assert_int_equal(net_connect(&net, &six, 1, err, sizeof(err)), -EAFNOSUPPORT);
	assert_string_equal(
		err, "no socket towards [fd00::1]:9000: Address family not supported by protocol");
}

static void a_full_ring_is_counted(void **state)
{
	(void)state;
	assert_int_equal(net_connect(&net, &relay, 1, err, sizeof(err)), 0);
	port_mem_defer(port, true);
	for (unsigned i = 0; i < 300; i++)
		net_send(&net, 0, &net.socks[0], NULL, (const uint8_t *)"x", 1);
	assert_int_equal(net.stats.tx, 256);
	assert_int_equal(net.stats.tx_refused, 44);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_datagram_finds_its_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_for_nobody_is_stray, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_burst_is_peeked_at_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			sent_ones_bear_their_sockets_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_socket_sends_anywhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bound_ports_are_those_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_port_cannot_do_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_ring_is_counted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
