// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "sock_kit.h"

#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

// A network of our own, with IPv6 on its loopback interface and on a link that carries groups.
static bool network_of_our_own(void)
{
	return !unshare(CLONE_NEWNET) &&
	       !system("ip link set lo up && ip link add v0 type veth peer name v1 && "
		       "ip addr add fd00::1/64 dev v0 nodad && ip link set v1 up && "
		       "ip link set v0 up");
}

static const struct endpoint loopback6 = {.ip[15] = 1};

static int peer6(struct endpoint *at)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(sa);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*at = loopback6;
	at->port = ntohs(sa.sin6_port);
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct endpoint e;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(endpoint_from_sockaddr(&sa, &e), 0);
	return e.port;
}

// One listener on :: with one worker, served under tag 4; returns its port.
static uint16_t listen_on_all(struct port *p)
{
	struct endpoint any = {0};
	char err[160] = "";
	int fds[1];
	uint16_t port;

	if (port_sock_listen(&any, 1, &kit_uring, fds, err, sizeof(err)))
		fail_msg("%s", err);
	port = port_of(fds[0]);
	assert_int_equal(p->ops->add(p, fds[0], 4), 0);
	return port;
}

// A peer says hello to `to` and hears the answer, and a copy, from there.
static void talk(struct port *p, int fd, const struct endpoint *to, const struct endpoint *me)
{
	struct port_payload pl = {.data = (const uint8_t *)"data", .len = 4};
	struct port_rx rx[PORT_BURST];
	struct endpoint from;
	uint8_t got[64];
	struct line l;

	kit_send(fd, to, "hello", 5);
	assert_int_equal(kit_burst(p, rx, ts_now() + DEADLINE), 1);
	assert_true(endpoint_eq(&rx[0].local, to));
	assert_true(endpoint_eq(&rx[0].peer, me));
	assert_int_equal(rx[0].tag, 4);
	line_build_udp(&l, &(struct line_udp){.local = rx[0].local, .peer = rx[0].peer});
	assert_int_equal(port_send(p, &l, (const uint8_t *)"answer", 6), 0);
	p->ops->flush(p);
	assert_int_equal(kit_recv(fd, got, sizeof(got), &from, 5000), 6);
	assert_true(endpoint_eq(&from, to));
	assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, &l, 1), 1);
	assert_int_equal(kit_recv(fd, got, sizeof(got), &from, 5000), 4);
	assert_true(endpoint_eq(&from, to));
}

static void one_listener_serves_both_from_the_contacted_address(void **state)
{
	struct port *p = kit_open(*state);
	uint16_t port = listen_on_all(p);
	struct endpoint me4, me6, to = loopback6;
	int fd4 = kit_peer(LOOPBACK, 0, &me4), fd6 = peer6(&me6);

	to.port = port;
	for (uint32_t i = 0; i < 10; i++) {
		struct endpoint to4 = endpoint_of_v4(0x7f010100 + i, port);

		talk(p, fd6, &to, &me6);
		talk(p, fd4, &to4, &me4);
	}
	close(fd4);
	close(fd6);
	p->ops->close(p);
}

// Bundles leave as UDP_SEGMENT and come as UDP_GRO, in one fan-out to peers of both versions.
static void bundles_go_to_both(void **state)
{
	enum { N = 16, LEN = 1316 };
	static uint8_t data[N][LEN];
	struct port *p = kit_open(*state);
	uint16_t port = listen_on_all(p);
	struct endpoint local6 = loopback6, local4 = endpoint_of_v4(LOOPBACK, port), at[2];
	int fd[2] = {peer6(&at[0]), kit_peer(LOOPBACK, 0, &at[1])};
	struct port_payload pl[N];
	struct port_stats st;
	struct line lines[2];
	uint8_t got[2048];

	local6.port = port;
	for (unsigned i = 0; i < N; i++) {
		memset(data[i], (int)i, LEN);
		pl[i] = (struct port_payload){.data = data[i], .len = LEN, .seq = i};
	}
	line_build_srt(&lines[0], &(struct line_udp){.local = local6, .peer = at[0]},
		&(struct line_srt){.dst_id = 6});
	line_build_srt(&lines[1], &(struct line_udp){.local = local4, .peer = at[1]},
		&(struct line_srt){.dst_id = 4});
	assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, N, lines, 2), 2 * N);
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < N; i++) {
			assert_int_equal(kit_recv(fd[k], got, sizeof(got), NULL, 5000), LEN + 16);
			assert_int_equal(got[3], i);
			assert_int_equal(got[15], k ? 4 : 6);
			assert_memory_equal(got + 16, data[i], LEN);
		}
	p->ops->stats(p, &st);
	assert_int_equal(st.bundles, 2);
	close(fd[0]);
	close(fd[1]);
	p->ops->close(p);
}

// By the worker in the socket id, and ACKs thinned, as over IPv4 (sock_listen_test).
static void packets_go_to_their_worker(void **)
{
	enum { WORKERS = 4 };
	struct endpoint to = loopback6, any = {0}, me;
	int fds[WORKERS], fd = peer6(&me);
	uint8_t data[1332] = {0}, got[2048];
	char err[160] = "";

	if (port_sock_listen(&any, WORKERS, &kit_uring, fds, err, sizeof(err)))
		fail_msg("%s", err);
	to.port = port_of(fds[0]);
	for (unsigned i = 0; i < 3 * WORKERS; i++) {
		data[12] = (uint8_t)(i % WORKERS); // of 30 bits, the top six
		kit_send(fd, &to, data, sizeof(data));
		assert_int_equal(kit_recv(fds[i % WORKERS], got, sizeof(got), NULL, 5000), 1332);
	}
	data[0] = 0x80;
	data[1] = 2;
	data[7] = 33; // an ACK that nobody needs
	kit_send(fd, &to, data, 44);
	data[7] = 32; // and one that is let through
	kit_send(fd, &to, data, 44);
	assert_int_equal(kit_recv(fds[data[12]], got, sizeof(got), NULL, 5000), 44);
	assert_int_equal(got[7], 32);
	assert_int_equal(port_sock_thinned(fds[0]), 1);
	for (unsigned i = 0; i < WORKERS; i++)
		port_sock_close(fds[i]);
	close(fd);
}

static int cmsg_of(struct msghdr *m, int type)
{
	int v = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == type)
			memcpy(&v, CMSG_DATA(c), sizeof(v));
	return v;
}

static void pushes_have_the_lines_hop_limit_and_class(void **state)
{
	struct port *p = kit_open(*state);
	struct port_payload pl = {.data = (const uint8_t *)"x", .len = 1};
	struct line_udp u = {.ttl = 9, .dscp = 34};
	alignas(struct cmsghdr) uint8_t control[256];
	uint8_t got[8];
	struct iovec v = {got, sizeof(got)};
	struct msghdr m = {.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	int fd = peer6(&u.peer);
	struct line l;

	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &(int){1}, sizeof(int));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &(int){1}, sizeof(int));
	line_build_udp(&l, &u);
	assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, &l, 1), 1);
	assert_int_equal(recvmsg(fd, &m, 0), 1);
	assert_int_equal(cmsg_of(&m, IPV6_HOPLIMIT), 9);
	assert_int_equal(cmsg_of(&m, IPV6_TCLASS), 34 << 2);
	close(fd);
	p->ops->close(p);
}

// A push to a group of one link, and a source that joined it there.
static void groups_go_out_and_come_in(void **state)
{
	struct port_sock_source src = {
		.bind.ip = {0xff, 0x12, [14] = 0x51, [15] = 0x1c}, .iface = "v0"};
	struct port *p = kit_open(*state);
	struct port_payload pl = {.data = (const uint8_t *)"to many", .len = 7};
	struct line_udp u = {.ifindex = if_nametoindex("v0")};
	struct port_rx rx[PORT_BURST];
	char err[160] = "";
	int fd = port_sock_bind(&src, &kit_uring, err, sizeof(err));
	struct line l;

	if (fd < 0)
		fail_msg("%s", err);
	u.peer = src.bind;
	u.peer.port = port_of(fd);
	assert_int_equal(p->ops->add(p, fd, 2), 0);
	line_build_udp(&l, &u);
	assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, &l, 1), 1);
	assert_int_equal(kit_burst(p, rx, ts_now() + DEADLINE), 1);
	assert_int_equal(rx[0].tag, 2);
	assert_memory_equal(rx[0].data, "to many", 7);
	p->ops->close(p);
}

// What is too long for the path is told, not cut into fragments (decisions A23). The loopback's MTU
// is 65,536.
static void too_long_for_the_path_is_told(void **state)
{
	static uint8_t data[65500];
	struct port *p = kit_open(*state);
	struct line_udp u = {0};
	struct port_tx_error e;
	int fd = peer6(&u.peer);
	struct line l;

	line_build_udp(&l, &u);
	assert_int_equal(port_send(p, &l, data, 65000), 0);
	assert_int_equal(port_send(p, &l, data, sizeof(data)), -EMSGSIZE);
	assert_int_equal(p->ops->tx_errors(p, &e, 1), 1);
	assert_int_equal(e.error, EMSGSIZE);
	assert_true(endpoint_eq(&e.peer, &u.peer));
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
		BOTH(one_listener_serves_both_from_the_contacted_address),
		BOTH(bundles_go_to_both),
		cmocka_unit_test(packets_go_to_their_worker),
		BOTH(pushes_have_the_lines_hop_limit_and_class),
		BOTH(groups_go_out_and_come_in),
		BOTH(too_long_for_the_path_is_told),
	};

	if (!network_of_our_own()) {
		printf("no network namespace with IPv6 is to be had here\n");
		return 77; // meson: skipped
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
