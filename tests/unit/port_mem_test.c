// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/bytes.h"
#include "io/port_mem.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { RING = 64 };

static const uint8_t payload[3][4] = {"aaa", "bbb", "ccc"};

static void lines_of(struct line *l, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct line_udp u = {
			endpoint_of_v4(0x0a000001, 9000), endpoint_of_v4(0x0a000100 + i, 5000)};
		struct line_srt s = {.dseq = 10 * i, .dst_id = 1000 + i};

		line_build_srt(&l[i], &u, &s);
	}
}

static void payloads_of(struct port_payload *pl, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		pl[k] = (struct port_payload){payload[k], 3, line_sum(payload[k], 3), k, 0, 0};
}

static void copies_come_out_subscriber_by_subscriber(void **)
{
	struct port *p = port_mem_open(RING);
	struct port_mem_desc d[RING];
	struct port_payload pl[3];
	struct port_stats st;
	struct line l[4];

	lines_of(l, 4);
	payloads_of(pl, 3);
	assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, 3, l, 4), 12);
	assert_int_equal(port_mem_take(p, d, RING), 12);
	for (unsigned i = 0; i < 12; i++) {
		uint8_t want[WIRE_LINE];

		line_render(&l[i / 3], LINE_SRT, pl[i % 3].seq, 0, 0, 3, pl[i % 3].sum, want);
		assert_memory_equal(d[i].header, want, WIRE_LINE);
		assert_int_equal(be32_get(d[i].header + WIRE_SRT_DST), 1000 + i / 3);
		assert_ptr_equal(d[i].payload, payload[i % 3]);
		assert_int_equal(d[i].payload_len, 3);
		assert_int_equal(d[i].kind, LINE_SRT);
	}
	assert_int_equal(port_mem_take(p, d, RING), 0);
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_packets, 12);
	assert_int_equal(st.tx_bytes, 12 * (16 + 3));
	p->ops->close(p);
}

static void private_payloads_go_to_their_own_lines(void **)
{
	static const uint8_t own[4][2][5] = {
		{"a0", "a1"}, {"b0", "b1"}, {"c0", "c1"}, {"d0", "d1"}};
	struct port *p = port_mem_open(RING);
	struct port_mem_desc d[RING];
	struct port_payload pl[8];
	struct line l[4];

	lines_of(l, 4);
	for (unsigned i = 0; i < 8; i++)
		pl[i] = (struct port_payload){.data = own[i / 2][i % 2], .len = 5, .seq = i % 2};
	assert_int_equal(port_tx_private(p, LINE_SRT, pl, 2, l, 4), 8);
	assert_int_equal(port_mem_take(p, d, RING), 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_ptr_equal(d[i].payload, own[i / 2][i % 2]);
		assert_int_equal(be32_get(d[i].header + WIRE_SRT_DST), 1000 + i / 2);
		assert_int_equal(be32_get(d[i].header + WIRE_SRT_SEQ), 10 * (i / 2) + i % 2);
	}
	p->ops->close(p);
}

static void payloads_are_held_until_their_completion(void **)
{
	struct port *p = port_mem_open(RING);
	struct port_payload pl[3];
	struct port_stats st;
	struct line l[30];
	uint64_t posted;

	lines_of(l, 30);
	payloads_of(pl, 3);
	port_mem_defer(p, true);
	assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, 1, l, 10), 10);
	posted = p->ops->tx_posted(p);
	assert_int_equal(posted, 10);
	assert_int_equal(p->ops->tx_done(p), 0);
	assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, 3, l, 30), RING - 10);
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_full, 90 - (RING - 10));
	port_mem_complete(p, 9);
	assert_true(p->ops->tx_done(p) < posted);
	port_mem_complete(p, 1);
	assert_true(p->ops->tx_done(p) >= posted);
	assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, 1, l, 30), 10);
	port_mem_complete(p, 1000);
	assert_int_equal(p->ops->tx_done(p), p->ops->tx_posted(p));
	p->ops->close(p);
}

static void a_narrow_path_refuses_what_is_too_long(void **)
{
	struct port *p = port_mem_open(RING);
	struct port_tx_error e[8];
	struct port_mem_desc d[RING];
	struct port_payload pl[3];
	struct line_udp u;
	struct port_stats st;
	struct line l[4];

	lines_of(l, 4);
	payloads_of(pl, 3);
	u = line_addresses(&l[1]);
	port_mem_narrow(p, &u.peer, 20 + 8 + 16 + 2);
	assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, 3, l, 4), 9);
	assert_int_equal(port_send(p, &l[1], payload[0], 3), 0); // without the SRT header it fits
	assert_int_equal(port_mem_take(p, d, RING), 10);
	for (unsigned i = 0; i < 9; i++)
		assert_int_not_equal(be32_get(d[i].header + WIRE_SRT_DST), 1001);
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_error, 3);
	assert_int_equal(st.tx_full, 0);
	assert_int_equal(p->ops->tx_errors(p, e, 8), 1);
	assert_int_equal(p->ops->tx_errors(p, e + 1, 7), 0);
	assert_true(port_tx_error_is(&e[0], &u));
	assert_int_equal(e[0].error, EMSGSIZE);
	assert_int_equal(e[0].packets, 3);
	port_mem_narrow(p, &u.peer, 0);
	assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, 3, l, 4), 12);
	p->ops->close(p);
}

static void own_datagrams_are_copied(void **)
{
	struct port *p = port_mem_open(RING);
	uint8_t data[] = "handshake";
	struct port_mem_desc d;
	struct line l;

	lines_of(&l, 1);
	assert_int_equal(port_send(p, &l, data, sizeof(data)), 0);
	memset(data, 0, sizeof(data));
	assert_int_equal(port_mem_take(p, &d, 1), 1);
	assert_int_equal(d.kind, LINE_UDP);
	assert_int_equal(d.payload_len, 10);
	assert_memory_equal(d.payload, "handshake", 10);
	assert_int_equal(be16_get(d.header + WIRE_UDP_LEN), 8 + 10);
	assert_memory_equal(d.header + WIRE_IP_SRC, l.b + WIRE_IP_SRC, 12);
	for (unsigned i = 0; i < 3 * RING; i++)
		assert_int_equal(port_send(p, &l, data, sizeof(data)), 0);
	p->ops->close(p);
}

static void injected_datagrams_arrive_in_order_at_the_set_time(void **)
{
	struct endpoint peer = endpoint_of_v4(0x0a000002, 7), local = endpoint_of_v4(0x0a000001, 9);
	struct port *p = port_mem_open(RING);
	struct port_rx rx[PORT_BURST];
	unsigned seen = 0, n;

	port_mem_set_time(p, 12345);
	for (unsigned i = 0; i < 100; i++) {
		uint8_t b = (uint8_t)i;

		assert_int_equal(port_mem_inject(p, &peer, &local, (uint16_t)i, &b, 1), 0);
	}
	p->ops->wait(p, 10 * TS_S); // returns at once: something is there
	while ((n = port_rx_burst(p, rx, PORT_BURST))) {
		for (unsigned i = 0; i < n; i++, seen++) {
			assert_int_equal(rx[i].data[0], seen);
			assert_int_equal(rx[i].tag, seen);
			assert_int_equal(rx[i].arrival, 12345);
			assert_null(rx[i].frame);
			assert_true(endpoint_eq(&rx[i].peer, &peer));
			assert_true(endpoint_eq(&rx[i].local, &local));
		}
	}
	assert_int_equal(seen, 100);
	while (port_mem_inject(p, &peer, &local, 0, payload[0], 3) == 0)
		seen++;
	assert_int_equal(seen, 100 + 4096);
	p->ops->close(p);
}

static void *wake(void *arg)
{
	struct port *p = arg;

	p->ops->wake(p);
	return NULL;
}

static void a_waiting_worker_is_woken(void **)
{
	struct port *p = port_mem_open(RING);
	ts_us before = ts_now();
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, wake, p), 0);
	p->ops->wait(p, 30 * TS_S);
	assert_true(ts_now() - before < 20 * TS_S);
	pthread_join(t, NULL);
	before = ts_now();
	p->ops->wait(p, 2000);
	assert_true(ts_now() - before >= 2000);
	p->ops->close(p);
}

static void a_ring_is_a_power_of_two(void **)
{
	assert_null(port_mem_open(0));
	assert_null(port_mem_open(48));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_come_out_subscriber_by_subscriber),
		cmocka_unit_test(private_payloads_go_to_their_own_lines),
		cmocka_unit_test(payloads_are_held_until_their_completion),
		cmocka_unit_test(a_narrow_path_refuses_what_is_too_long),
		cmocka_unit_test(own_datagrams_are_copied),
		cmocka_unit_test(injected_datagrams_arrive_in_order_at_the_set_time),
		cmocka_unit_test(a_waiting_worker_is_woken),
		cmocka_unit_test(a_ring_is_a_power_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
