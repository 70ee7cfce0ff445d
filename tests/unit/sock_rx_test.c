// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/bytes.h"
#include "sock_kit.h"

#include <netinet/udp.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

// Each test runs in both receive modes: *state is the options to open with.

static void mode_is_what_was_asked_for(void **state)
{
	const struct port_sock_opts *o = *state;
	struct port *p = kit_open(o);

	assert_string_equal(port_sock_mode(p), o->no_uring ? "epoll" : "io_uring");
	p->ops->close(p);
}

static void datagrams_come_with_tag_and_addresses(void **state)
{
	struct port *p = kit_open(*state);
	struct endpoint at[3], me;
	struct port_rx rx[PORT_BURST];
	int fd = kit_peer(LOOPBACK + 1, 0, &me);
	ts_us before = ts_now(), deadline = before + DEADLINE;

	for (uint16_t i = 0; i < 3; i++)
		kit_serve(p, (uint16_t)(100 + i), &at[i]);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t data[3] = {(uint8_t)i, 2, 3};

		kit_send(fd, &at[i], data, i + 1);
		assert_int_equal(kit_burst(p, rx, deadline), 1);
		assert_int_equal(rx[0].tag, 100 + i);
		assert_int_equal(rx[0].len, i + 1);
		assert_memory_equal(rx[0].data, data, i + 1);
		assert_null(rx[0].frame);
		assert_true(endpoint_eq(&rx[0].peer, &me));
		assert_true(endpoint_eq(&rx[0].local, &at[i]));
		assert_true(rx[0].arrival >= before && rx[0].arrival <= ts_now());
	}
	close(fd);
	p->ops->close(p);
}

// Two sockets flooded with more datagrams than there are staging buffers: all come, each socket's
// in order, and what was lent stays as it was until the next burst.
static void nothing_is_lost_when_buffers_run_out(void **state)
{
	enum { N = 500 };
	struct port *p = kit_open(*state);
	struct endpoint at[2], me;
	struct port_rx rx[PORT_BURST];
	uint32_t next[2] = {0};
	int fd = kit_peer(LOOPBACK, 0, &me);
	ts_us deadline = ts_now() + DEADLINE;
	unsigned n;

	kit_serve(p, 0, &at[0]);
	kit_serve(p, 1, &at[1]);
	for (uint32_t i = 0; i < 2 * N; i++) {
		uint8_t data[1316] = {0};

		be32_put(data, i / 2);
		memset(data + 4, (int)(i / 2 % 251), sizeof(data) - 4);
		kit_send(fd, &at[i % 2], data, sizeof(data));
	}
	while (next[0] + next[1] < 2 * N) {
		n = kit_burst(p, rx, deadline);
		assert_int_not_equal(n, 0);
		for (unsigned i = 0; i < n; i++) {
			uint32_t seq = next[rx[i].tag]++;

			assert_int_equal(rx[i].len, 1316);
			assert_int_equal(be32_get(rx[i].data), seq);
			assert_int_equal(rx[i].data[1315], seq % 251);
		}
	}
	assert_int_equal(port_rx_burst(p, rx, PORT_BURST), 0);
	close(fd);
	p->ops->close(p);
}

static void gro_bundles_are_cut_into_datagrams(void **state)
{
	enum { SEG = 1316, N = 40, TAIL = 188 };
	struct port *p = kit_open(*state);
	struct endpoint at, me;
	struct port_rx rx[PORT_BURST];
	static uint8_t bundle[(N - 1) * SEG + TAIL];
	int fd = kit_peer(LOOPBACK, 0, &me);
	ts_us deadline = ts_now() + DEADLINE;
	unsigned got = 0, rounds = 0;
	struct port_stats st;

	for (unsigned i = 0; i < N; i++)
		bundle[i * SEG] = (uint8_t)i;
	kit_serve(p, 7, &at);
	assert_int_equal(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &(int){SEG}, sizeof(int)), 0);
	kit_send(fd, &at, bundle, sizeof(bundle));
	kit_send(fd, &at, bundle, sizeof(bundle));
	while (got < 2 * N) {
		unsigned n = kit_burst(p, rx, deadline);

		assert_int_not_equal(n, 0);
		for (unsigned i = 0; i < n; i++, got++) {
			assert_int_equal(rx[i].len, got % N == N - 1 ? TAIL : SEG);
			assert_int_equal(rx[i].data[0], got % N);
			assert_int_equal(rx[i].tag, 7);
			assert_true(endpoint_eq(&rx[i].peer, &me));
		}
		rounds++;
	}
	assert_int_equal(got, 2 * N);
	assert_true(rounds <= 3); // bundles, not 80 single datagrams
	p->ops->stats(p, &st);
	assert_int_equal(st.rx_packets, 2 * N);
	assert_int_equal(st.rx_bytes, 2 * sizeof(bundle));
	close(fd);
	p->ops->close(p);
}

static void empty_and_largest_datagrams_pass(void **state)
{
	static uint8_t data[65507];
	struct port *p = kit_open(*state);
	struct endpoint at, me;
	struct port_rx rx[PORT_BURST];
	int fd = kit_peer(LOOPBACK, 0, &me);
	ts_us deadline = ts_now() + DEADLINE;

	memset(data, 0x5a, sizeof(data));
	kit_serve(p, 1, &at);
	kit_send(fd, &at, data, 0);
	assert_int_equal(kit_burst(p, rx, deadline), 1);
	assert_int_equal(rx[0].len, 0);
	kit_send(fd, &at, data, sizeof(data));
	assert_int_equal(kit_burst(p, rx, deadline), 1);
	assert_int_equal(rx[0].len, sizeof(data));
	assert_memory_equal(rx[0].data, data, sizeof(data));
	close(fd);
	p->ops->close(p);
}

// What the kernel drops because nobody reads is counted, to the datagram.
static void overflow_is_counted(void **state)
{
	enum { N = 3000 };
	struct port_sock_opts o = *(const struct port_sock_opts *)*state;
	struct port_sock_source src = {.bind = endpoint_of_v4(LOOPBACK, 0)};
	struct port_rx rx[PORT_BURST];
	struct endpoint me;
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	uint8_t data[1316] = {0};
	struct port_stats st;
	struct port *p;
	uint32_t rcv, snd;
	char err[160];
	ts_us deadline = ts_now() + DEADLINE;
	int fd, in;

	o.sockbuf = 65536;
	p = kit_open(&o);
	in = port_sock_bind(&src, &o, err, sizeof(err));
	assert_true(in >= 0);
	port_sock_buffers(in, &rcv, &snd);
	assert_int_equal(rcv, 65536);
	assert_int_equal(snd, 65536);
	getsockname(in, (struct sockaddr *)&sa, &len);
	assert_int_equal(p->ops->add(p, in, 1), 0);
	fd = kit_peer(LOOPBACK, 0, &me);
	for (int i = 0; i < N; i++)
		assert_int_equal(
			sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&sa, len), 1316);
	while (port_rx_burst(p, rx, PORT_BURST))
		;
	// The counter travels with the next datagram that gets in.
	do {
		sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&sa, len);
		kit_burst(p, rx, deadline);
		p->ops->stats(p, &st);
	} while (!st.rx_overflow && ts_now() < deadline);
	assert_true(st.rx_overflow > N / 2);
	assert_true(st.rx_overflow + st.rx_packets >= N);
	assert_true(st.rx_overflow < N);
	close(fd);
	p->ops->close(p);
}

static void a_removed_socket_is_silent_and_its_port_free(void **state)
{
	struct port *p = kit_open(*state);
	struct endpoint at[2], me;
	struct port_rx rx[PORT_BURST];
	int fd = kit_peer(LOOPBACK, 0, &me), again;
	struct port_sock_source src;
	ts_us deadline = ts_now() + DEADLINE;
	char err[160] = "";

	kit_serve(p, 1, &at[0]);
	kit_serve(p, 2, &at[1]);
	kit_send(fd, &at[0], "x", 1);
	kit_send(fd, &at[1], "y", 1);
	assert_int_equal(kit_burst(p, rx, deadline) + kit_burst(p, rx, ts_now()), 2);
	p->ops->del(p, 1);
	src = (struct port_sock_source){.bind = at[0]};
	again = port_sock_bind(&src, &kit_uring, err, sizeof(err));
	if (again < 0)
		fail_msg("%s", err);
	assert_int_equal(p->ops->add(p, again, 3), 0); // takes the old slot
	kit_send(fd, &at[0], "z", 1);
	assert_int_equal(kit_burst(p, rx, deadline), 1);
	assert_int_equal(rx[0].tag, 3);
	assert_int_equal(rx[0].data[0], 'z');
	p->ops->del(p, 99);
	close(fd);
	p->ops->close(p);
}

struct waker {
	struct port *p;
	_Atomic bool stop;
};

static void *wake_loop(void *arg)
{
	struct waker *w = arg;

	while (!w->stop)
		w->p->ops->wake(w->p);
	return NULL;
}

// A wake is never lost, whenever it comes: every wait ends long before its time-out.
static void wakes_are_not_lost(void **state)
{
	struct port *p = kit_open(*state);
	struct waker w = {.p = p};
	struct port_rx rx[PORT_BURST];
	struct endpoint at;
	ts_us begin = ts_now();
	pthread_t t;

	kit_serve(p, 1, &at);
	p->ops->wake(p);
	p->ops->wait(p, 60 * TS_S);
	assert_int_equal(pthread_create(&t, NULL, wake_loop, &w), 0);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(port_rx_burst(p, rx, PORT_BURST), 0);
		p->ops->wait(p, 60 * TS_S);
	}
	w.stop = true;
	pthread_join(t, NULL);
	assert_true(ts_now() - begin < 30 * TS_S);
	p->ops->close(p);
}

static ts_us cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (ts_us)t.tv_sec * TS_S + (ts_us)t.tv_nsec / 1000;
}

static void waiting_costs_nothing_and_ends_with_a_datagram(void **state)
{
	struct port *p = kit_open(*state);
	struct endpoint at, me;
	struct port_rx rx[PORT_BURST];
	int fd = kit_peer(LOOPBACK, 0, &me);
	ts_us wall, cpu;

	kit_serve(p, 1, &at);
	p->ops->wait(p, 1000);
	wall = ts_now();
	cpu = cpu_now();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(port_rx_burst(p, rx, PORT_BURST), 0);
		p->ops->wait(p, 20000);
	}
	assert_true(ts_now() - wall >= 100000); // of 200 ms: a wait may end early now and then
	assert_true(cpu_now() - cpu < 50000);
	kit_send(fd, &at, "x", 1);
	wall = ts_now();
	p->ops->wait(p, 60 * TS_S);
	assert_true(ts_now() - wall < 30 * TS_S);
	assert_int_equal(port_rx_burst(p, rx, PORT_BURST), 1);
	close(fd);
	p->ops->close(p);
}

#define BOTH(f)                                                             \
	{#f " (io_uring)", f, NULL, NULL, (void *)(uintptr_t)&kit_uring},   \
	{                                                                   \
#f " (epoll)", f, NULL, NULL, (void *)(uintptr_t)&kit_epoll \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(mode_is_what_was_asked_for),
		BOTH(datagrams_come_with_tag_and_addresses),
		BOTH(nothing_is_lost_when_buffers_run_out),
		BOTH(gro_bundles_are_cut_into_datagrams),
		BOTH(empty_and_largest_datagrams_pass),
		BOTH(overflow_is_counted),
		BOTH(a_removed_socket_is_silent_and_its_port_free),
		BOTH(wakes_are_not_lost),
		BOTH(waiting_costs_nothing_and_ends_with_a_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
