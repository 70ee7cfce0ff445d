// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/bytes.h"
#include "base/thin.h"
#include "sock_kit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

enum { WORKERS = 4, FULL_ACK = 44, SMALL_ACK = 32, HANDSHAKE = 64 };

struct listener {
	int fds[WORKERS];
	struct endpoint at;
};

static void listen_on(struct listener *l)
{
	struct endpoint any = endpoint_of_v4(LOOPBACK, 0);
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char err[160] = "";

	if (port_sock_listen(&any, WORKERS, &kit_uring, l->fds, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(getsockname(l->fds[0], (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(endpoint_from_sockaddr(&sa, &l->at), 0);
}

static void unlisten(struct listener *l)
{
	for (unsigned i = 0; i < WORKERS; i++)
		port_sock_close(l->fds[i]);
}

// Which worker's socket has a datagram? Takes it; -1 when none has.
static int arrived_at(const struct listener *l)
{
	uint8_t data[2048];

	for (int i = 0; i < WORKERS; i++)
		if (recv(l->fds[i], data, sizeof(data), MSG_DONTWAIT) >= 0)
			return i;
	return -1;
}

static void srt_data(uint8_t *out, uint32_t dst)
{
	memset(out, 0, 1316 + 16);
	be32_put(out, 12345);
	be32_put(out + 4, 0xc0000001);
	be32_put(out + 12, dst);
}

static void srt_ctrl(uint8_t *out, unsigned len, uint16_t type, uint32_t info, uint32_t dst)
{
	memset(out, 0, len);
	be32_put(out, 0x80000000u | (uint32_t)type << 16);
	be32_put(out + 4, info);
	be32_put(out + 12, dst);
}

// Socket ids as decisions A13 lays them out: 6 bits worker, 17 slot, 7 random.
static uint32_t socket_id(unsigned worker, unsigned slot, unsigned random)
{
	return worker << 24 | slot << 7 | random;
}

static void packets_go_to_the_worker_in_their_socket_id(void **)
{
	struct endpoint me;
	uint8_t pkt[1332];
	struct listener l;
	int fd;

	listen_on(&l);
	fd = kit_peer(LOOPBACK, 0, &me);
	for (unsigned w = 0; w < 64; w++) {
		srt_data(pkt, socket_id(w, 0x1ffff, 0x7f));
		kit_send(fd, &l.at, pkt, sizeof(pkt));
		assert_int_equal(arrived_at(&l), w % WORKERS); // out of range: wraps
		srt_ctrl(pkt, 20, 1, 0, socket_id(w, 3, 1));   // KEEPALIVE
		kit_send(fd, &l.at, pkt, 20);
		assert_int_equal(arrived_at(&l), w % WORKERS);
	}
	for (unsigned len = 0; len < 16; len++) { // too short for SRT: worker 0 counts it
		srt_data(pkt, socket_id(3, 1, 1));
		kit_send(fd, &l.at, pkt, len);
		assert_int_equal(arrived_at(&l), 0);
	}
	close(fd);
	unlisten(&l);
}

static void handshakes_of_a_caller_stay_together(void **)
{
	unsigned seen[WORKERS] = {0};
	struct endpoint me;
	uint8_t pkt[HANDSHAKE];
	struct listener l;

	listen_on(&l);
	for (uint32_t id = 1; id <= 200; id++) {
		int fd = kit_peer(LOOPBACK, 0, &me), first;

		srt_ctrl(pkt, sizeof(pkt), 0, 0, 0);
		be32_put(pkt + 40, 0x2a5b0000u + id * 77);
		kit_send(fd, &l.at, pkt, sizeof(pkt));
		first = arrived_at(&l);
		assert_true(first >= 0);
		seen[first]++;
		memset(pkt + 44, 0xee, 20); // the conclusion carries a cookie
		kit_send(fd, &l.at, pkt, sizeof(pkt));
		assert_int_equal(arrived_at(&l), first);
		close(fd);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		assert_true(seen[i] > 20);
	unlisten(&l);
}

// The program in the kernel and the rule that other ports go by agree.
static bool passes(const struct listener *l, int fd, const uint8_t *pkt, size_t len)
{
	bool there;

	kit_send(fd, &l->at, pkt, len);
	there = arrived_at(l) == 2;
	assert_int_equal(there, !thin_ack(pkt, len));
	return there;
}

static void those_of_a_slow_stream_all_pass(void **)
{
	uint32_t dst = socket_id(2, 9, 9);
	struct endpoint me;
	uint8_t pkt[FULL_ACK];
	struct listener l;
	int fd;

	listen_on(&l);
	fd = kit_peer(LOOPBACK, 0, &me);
	srt_ctrl(pkt, FULL_ACK, 2, 33, dst);
	for (uint32_t pps = 0; pps < 10; pps++) {
		be32_put(pkt + 32, pps);
		assert_int_equal(passes(&l, fd, pkt, FULL_ACK), pps >= 1 && pps <= 4);
		assert_int_equal(passes(&l, fd, pkt, 36), pps >= 1 && pps <= 4);
		assert_false(passes(&l, fd, pkt, 35));
	}
	be32_put(pkt + 32, UINT32_MAX);
	assert_false(passes(&l, fd, pkt, FULL_ACK));
	unlisten(&l);
	close(fd);
}

static void acks_are_thinned_and_nothing_else(void **)
{
	uint32_t dst = socket_id(2, 9, 9);
	struct port_stats st;
	struct endpoint me;
	uint8_t pkt[1332];
	struct port_rx rx[PORT_BURST];
	struct listener l;
	struct port *p;
	unsigned thinned = 0;
	int fd;

	listen_on(&l);
	fd = kit_peer(LOOPBACK, 0, &me);
	for (uint32_t n = 0; n < 300; n++) {
		bool pass = n <= 31 || n % 32 == 0;

		srt_ctrl(pkt, FULL_ACK, 2, n, dst);
		assert_int_equal(passes(&l, fd, pkt, FULL_ACK), pass);
		srt_ctrl(pkt, SMALL_ACK, 2, n, dst);
		assert_int_equal(passes(&l, fd, pkt, SMALL_ACK), pass);
		thinned += 2 * !pass;
		srt_ctrl(pkt, FULL_ACK, 3, n, dst); // NAK of the same length
		assert_true(passes(&l, fd, pkt, FULL_ACK));
		srt_ctrl(pkt, 20, 2, n, dst); // light ACK
		assert_true(passes(&l, fd, pkt, 20));
	}
	srt_data(pkt, dst);
	be32_put(pkt + 4, 37);
	assert_true(passes(&l, fd, pkt, FULL_ACK)); // data of that length
	assert_int_equal(port_sock_thinned(l.fds[0]), thinned);
	assert_int_equal(port_sock_thinned(l.fds[1]), 0);

	// Thinned ACKs are no overflow of the worker's socket.
	p = kit_open(&kit_uring);
	assert_int_equal(p->ops->add(p, l.fds[2], 5), 0);
	srt_data(pkt, dst);
	kit_send(fd, &l.at, pkt, 1332);
	assert_int_equal(kit_burst(p, rx, ts_now() + DEADLINE), 1);
	assert_int_equal(rx[0].tag, 5);
	p->ops->stats(p, &st);
	assert_int_equal(st.rx_overflow, 0);
	p->ops->close(p);
	port_sock_close(l.fds[0]);
	port_sock_close(l.fds[1]);
	port_sock_close(l.fds[3]);
	close(fd);
}

static void a_busy_port_is_refused_with_its_name(void **)
{
	struct endpoint busy, v6 = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 9000};
	struct endpoint foreign = endpoint_of_v4(0xc0000201, 9000);
	struct listener l;
	char err[160] = "";
	int fds[WORKERS], fd = kit_peer(LOOPBACK, 0, &busy);
	char text[ENDPOINT_STRLEN];

	assert_int_equal(
		port_sock_listen(&busy, 2, &kit_uring, fds, err, sizeof(err)), -EADDRINUSE);
	assert_non_null(strstr(err, endpoint_str(&busy, text, sizeof(text))));
	close(fd);
	listen_on(&l); // a second listener of our own may not share the port either
	assert_int_equal(
		port_sock_listen(&l.at, 2, &kit_uring, fds, err, sizeof(err)), -EADDRINUSE);
	unlisten(&l);
	assert_int_equal(port_sock_listen(&l.at, 2, &kit_uring, fds, err, sizeof(err)), 0);
	port_sock_close(fds[1]);
	port_sock_close(fds[0]);
	assert_int_equal(
		port_sock_listen(&foreign, 1, &kit_uring, fds, err, sizeof(err)), -EADDRNOTAVAIL);
	assert_non_null(strstr(err, "192.0.2.1"));
	assert_int_equal(
		port_sock_listen(&v6, 1, &kit_uring, fds, err, sizeof(err)), -EADDRNOTAVAIL);
	assert_non_null(strstr(err, "[2001:db8::1]:9000"));
}

// An io_uring keeps its sockets open a moment after its process was killed.
static void the_port_of_a_killed_process_is_had_again(void **)
{
	struct endpoint at;
	char err[160] = "";
	int fds[WORKERS], ready[2], pid, fd = kit_peer(LOOPBACK, 0, &at);
	char c;

	close(fd); // at: a free port
	for (int round = 0; round < 3; round++) {
		assert_int_equal(pipe(ready), 0);
		pid = fork();
		if (!pid) {
			struct port *p = port_sock_open(&kit_uring, err, sizeof(err));
			struct port_rx rx[PORT_BURST];

			if (!p || port_sock_listen(&at, 1, &kit_uring, fds, err, sizeof(err)) ||
				p->ops->add(p, fds[0], 1))
				_exit(1);
			port_rx_burst(p, rx, PORT_BURST);
			c = 1;
			_exit(write(ready[1], &c, 1) == 1 ? pause() : 1);
		}
		close(ready[1]);
		assert_int_equal(read(ready[0], &c, 1), 1);
		close(ready[0]);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		if (port_sock_listen(&at, 1, &kit_uring, fds, err, sizeof(err)))
			fail_msg("%s", err);
		port_sock_close(fds[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_go_to_the_worker_in_their_socket_id),
		cmocka_unit_test(handshakes_of_a_caller_stay_together),
		cmocka_unit_test(acks_are_thinned_and_nothing_else),
		cmocka_unit_test(those_of_a_slow_stream_all_pass),
		cmocka_unit_test(a_busy_port_is_refused_with_its_name),
		cmocka_unit_test(the_port_of_a_killed_process_is_had_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
