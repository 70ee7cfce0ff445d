// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/bytes.h"
#include "sock_kit.h"

#include <linux/if.h>
#include <netinet/udp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

enum { PEERS = 100, MS = 2000 };

struct peers {
	int fd[PEERS];
	struct endpoint at[PEERS];
};

static void peers_open(struct peers *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		p->fd[i] = kit_peer(LOOPBACK + i, 0, &p->at[i]);
}

static void peers_close(struct peers *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(p->fd[i]);
}

static void payloads_of(
	struct port_payload *pl, uint8_t (*data)[1456], const uint16_t *len, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		memset(data[k], (int)k + 1, 1456);
		pl[k] = (struct port_payload){.data = data[k],
			.len = len[k],
			.seq = 1000 + k,
			.word1 = 0xc0000000u | k,
			.ts = k};
	}
}

// Payloads of all lengths to a hundred subscribers, as each kind of line: what arrives is the
// rendered header and the bytes, in order, nothing more.
static void every_subscriber_gets_every_payload(void **state)
{
	static const uint16_t len[10] = {1316, 1316, 1316, 188, 1316, 564, 564, 1456, 1456, 1316};
	const struct port_sock_opts *o = *state;
	static uint8_t data[10][1456];
	struct port_payload pl[10];
	struct port *p = kit_open(o);
	struct line lines[PEERS];
	struct port_stats st;
	struct peers peers;

	peers_open(&peers, PEERS);
	payloads_of(pl, data, len, 10);
	for (enum line_kind kind = LINE_UDP; kind <= LINE_SRT; kind++) {
		for (unsigned i = 0; i < PEERS; i++) {
			struct line_udp u = {.peer = peers.at[i]};
			struct line_srt s = {i, i, 0, 7000 + i};
			struct line_rtp r = {(uint16_t)i, i, 0xabcd0000u + i};

			if (kind == LINE_SRT)
				line_build_srt(&lines[i], &u, &s);
			else if (kind == LINE_RTP)
				line_build_rtp(&lines[i], &u, &r);
			else
				line_build_udp(&lines[i], &u);
		}
		assert_int_equal(port_tx_fanout(p, kind, pl, 10, lines, PEERS), 10 * PEERS);
		for (unsigned i = 0; i < PEERS * 10; i++) {
			const struct port_payload *k = &pl[i % 10];
			uint8_t want[16 + 1456], got[2048];
			unsigned n =
				line_media(&lines[i / 10], kind, k->seq, k->word1, k->ts, want);

			memcpy(want + n, k->data, k->len);
			assert_int_equal(
				kit_recv(peers.fd[i / 10], got, sizeof(got), NULL, MS), n + k->len);
			assert_memory_equal(got, want, n + k->len);
		}
	}
	for (unsigned i = 0; i < PEERS; i++)
		assert_int_equal(recv(peers.fd[i], data[0], 1, MSG_DONTWAIT), -1);
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_packets, 3 * 10 * PEERS);
	assert_int_equal(st.tx_full + st.tx_error, 0);
	assert_int_equal(
		st.bundles, 3 * 3 * PEERS); // {0-3} {4-6} {7-9}: in each run the last is short
	assert_int_equal(p->ops->tx_done(p), p->ops->tx_posted(p));
	peers_close(&peers, PEERS);
	p->ops->close(p);
}

// Payloads of their own: each peer gets its bytes, in bundles all the same.
static void private_payloads_reach_their_own_peers(void **)
{
	enum { EACH = 3 };
	static uint8_t data[PEERS * EACH][1456];
	uint16_t len[PEERS * EACH];
	struct port_payload pl[PEERS * EACH];
	struct port *p = kit_open(&kit_uring);
	struct line lines[PEERS];
	struct port_stats st;
	struct peers peers;
	uint8_t got[2048];

	peers_open(&peers, PEERS);
	for (unsigned i = 0; i < PEERS * EACH; i++)
		len[i] = i % EACH == 2 ? 700 : 1316;
	payloads_of(pl, data, len, PEERS * EACH);
	for (unsigned i = 0; i < PEERS; i++) {
		struct line_udp u = {.peer = peers.at[i]};
		struct line_srt s = {.dst_id = 7000 + i};

		line_build_srt(&lines[i], &u, &s);
	}
	assert_int_equal(port_tx_private(p, LINE_SRT, pl, EACH, lines, PEERS), EACH * PEERS);
	for (unsigned i = 0; i < PEERS * EACH; i++) {
		assert_int_equal(
			kit_recv(peers.fd[i / EACH], got, sizeof(got), NULL, MS), 16 + len[i]);
		assert_memory_equal(got + 16, data[i], len[i]);
		assert_int_equal(be32_get(got + 12), 7000 + i / EACH);
	}
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_packets, EACH * PEERS);
	assert_int_equal(st.bundles, PEERS);
	peers_close(&peers, PEERS);
	p->ops->close(p);
}

// As many payloads as a fan-out may have, and one alone.
static void a_burst_is_one_bundle(void **)
{
	static uint8_t data[PORT_BUNDLE][1456];
	uint16_t len[PORT_BUNDLE];
	struct port_payload pl[PORT_BUNDLE];
	struct port *p = kit_open(&kit_uring);
	struct line line;
	struct port_stats st;
	struct peers peers;
	uint8_t got[2048];

	for (unsigned k = 0; k < PORT_BUNDLE; k++)
		len[k] = 1316;
	peers_open(&peers, 1);
	payloads_of(pl, data, len, PORT_BUNDLE);
	line_build_udp(&line, &(struct line_udp){.peer = peers.at[0]});
	assert_int_equal(port_tx_fanout(p, LINE_UDP, pl, PORT_BUNDLE, &line, 1), PORT_BUNDLE);
	assert_int_equal(port_tx_fanout(p, LINE_UDP, pl, 1, &line, 1), 1);
	for (unsigned k = 0; k <= PORT_BUNDLE; k++) {
		assert_int_equal(kit_recv(peers.fd[0], got, sizeof(got), NULL, MS), 1316);
		assert_int_equal(got[0], k % PORT_BUNDLE + 1);
	}
	p->ops->stats(p, &st);
	assert_int_equal(st.bundles, 1);
	assert_int_equal(st.tx_packets, PORT_BUNDLE + 1);
	assert_int_equal(st.tx_bytes, (PORT_BUNDLE + 1) * 1316);
	peers_close(&peers, 1);
	p->ops->close(p);
}

static int source_open(struct port *p, struct port_sock_source *src, uint16_t tag)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char err[160] = "";
	int fd = port_sock_bind(src, &kit_uring, err, sizeof(err));

	if (fd < 0)
		fail_msg("%s", err);
	getsockname(fd, (struct sockaddr *)&sa, &len);
	endpoint_from_sockaddr(&sa, &src->bind);
	assert_int_equal(p->ops->add(p, fd, tag), 0);
	return fd;
}

// A socket whose bundles the kernel refuses (it cannot segment without checksums) sends one by one,
// and stops trying after a while.
static void refused_bundles_go_out_one_by_one(void **)
{
	static const uint16_t len[4] = {1316, 1316, 1316, 188};
	static uint8_t data[4][1456];
	struct port_sock_source src = {.bind = endpoint_of_v4(LOOPBACK, 0)};
	struct port *p = kit_open(&kit_uring);
	struct port_payload pl[4];
	struct line lines[10];
	struct port_stats st;
	struct peers peers;
	uint8_t got[2048];
	int fd = source_open(p, &src, 1);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &(int){1}, sizeof(int)), 0);
	peers_open(&peers, 10);
	payloads_of(pl, data, len, 4);
	for (unsigned i = 0; i < 10; i++)
		line_build_srt(&lines[i],
			&(struct line_udp){.local = src.bind, .peer = peers.at[i]},
			&(struct line_srt){.dst_id = i});
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, 4, lines, 10), 40);
		for (unsigned i = 0; i < 40; i++)
			assert_int_equal(kit_recv(peers.fd[i / 4], got, sizeof(got), NULL, MS),
				16 + len[i % 4]);
	}
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_packets, 120);
	assert_int_equal(st.tx_bytes, 30 * (3 * 1332 + 204));
	assert_int_equal(st.bundles + st.tx_error + st.tx_full, 0);
	peers_close(&peers, 10);
	p->ops->close(p);
}

// Replies leave from the address and port that were contacted, also when the listener is bound to
// none in particular.
static void copies_leave_from_the_contacted_address(void **)
{
	struct endpoint any = endpoint_of_v4(0, 0), from;
	struct port *p = kit_open(&kit_uring);
	struct port_rx rx[PORT_BURST];
	struct sockaddr_storage sa;
	socklen_t sa_len = sizeof(sa);
	char err[160] = "";
	struct port_payload pl = {.data = (const uint8_t *)"data", .len = 4};
	struct peers peers;
	uint8_t got[64];
	int fds[1];

	assert_int_equal(port_sock_listen(&any, 1, &kit_uring, fds, err, sizeof(err)), 0);
	getsockname(fds[0], (struct sockaddr *)&sa, &sa_len);
	endpoint_from_sockaddr(&sa, &any);
	assert_int_equal(p->ops->add(p, fds[0], 4), 0);
	peers_open(&peers, 20);
	for (unsigned i = 0; i < 20; i++) {
		struct endpoint to = endpoint_of_v4(0x7f010100 + i, any.port);
		struct line l;

		kit_send(peers.fd[i], &to, "hello", 5);
		assert_int_equal(kit_burst(p, rx, ts_now() + DEADLINE), 1);
		assert_true(endpoint_eq(&rx[0].local, &to));
		line_build_udp(&l, &(struct line_udp){.local = rx[0].local, .peer = rx[0].peer});
		assert_int_equal(port_send(p, &l, (const uint8_t *)"answer", 6), 0);
		p->ops->flush(p);
		assert_int_equal(kit_recv(peers.fd[i], got, sizeof(got), &from, MS), 6);
		assert_true(endpoint_eq(&from, &to));
		assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, &l, 1), 1);
		assert_int_equal(kit_recv(peers.fd[i], got, sizeof(got), &from, MS), 4);
		assert_true(endpoint_eq(&from, &to));
	}
	peers_close(&peers, 20);
	p->ops->close(p);
}

static void expect(int fd, const char *what)
{
	uint8_t got[2048];
	struct endpoint from;

	assert_int_equal(kit_recv(fd, got, sizeof(got), &from, MS), strlen(what));
	assert_memory_equal(got, what, strlen(what));
}

// Short own datagrams wait, and precede whatever comes behind them.
static void own_datagrams_wait_for_the_flush_and_keep_their_order(void **)
{
	static uint8_t longer[65 + 1];
	struct port *p = kit_open(&kit_uring);
	struct port_payload pl = {.data = (const uint8_t *)"media", .len = 5};
	struct port_stats st;
	struct peers peers;
	struct line l;

	memset(longer, 'l', 65);
	peers_open(&peers, 1);
	line_build_udp(&l, &(struct line_udp){.peer = peers.at[0]});
	assert_int_equal(port_send(p, &l, (const uint8_t *)"1", 1), 0);
	assert_int_equal(port_send(p, &l, (const uint8_t *)"2", 1), 0);
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_packets, 0);
	assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, &l, 1), 1);
	assert_int_equal(port_send(p, &l, (const uint8_t *)"3", 1), 0);
	assert_int_equal(port_send(p, &l, longer, 65), 0);
	assert_int_equal(port_send(p, &l, (const uint8_t *)"4", 1), 0);
	p->ops->flush(p);
	expect(peers.fd[0], "1");
	expect(peers.fd[0], "2");
	expect(peers.fd[0], "media");
	expect(peers.fd[0], "3");
	expect(peers.fd[0], (const char *)longer);
	expect(peers.fd[0], "4");
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_packets, 6);
	assert_int_equal(st.tx_bytes, 4 + 5 + 65);
	peers_close(&peers, 1);
	p->ops->close(p);
}

// One that the kernel refuses does not hold up the others, and is told of.
static void a_refused_own_datagram_is_passed_over(void **)
{
	struct port *p = kit_open(&kit_uring);
	struct endpoint nowhere = endpoint_of_v4(0, 0);
	struct port_tx_error e[4];
	struct port_stats st;
	struct peers peers;
	struct line good, bad;

	peers_open(&peers, 1);
	line_build_udp(&good, &(struct line_udp){.peer = peers.at[0]});
	line_build_udp(&bad, &(struct line_udp){.peer = nowhere});
	assert_int_equal(port_send(p, &bad, (const uint8_t *)"x", 1), 0);
	assert_int_equal(port_send(p, &good, (const uint8_t *)"y", 1), 0);
	p->ops->flush(p);
	expect(peers.fd[0], "y");
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_packets, 1);
	assert_int_equal(st.tx_error, 1);
	assert_int_equal(p->ops->tx_errors(p, e, 4), 1);
	assert_true(endpoint_eq(&e[0].peer, &nowhere));
	peers_close(&peers, 1);
	p->ops->close(p);
}

// One peer by way of three interfaces, of which two are not there: three destinations.
static void one_peer_is_refused_by_interface(void **)
{
	static const uint32_t by[3] = {(1u << 20) - 1, 1, (1u << 20) - 2}; // 1: lo
	struct port_payload pl = {.data = (const uint8_t *)"media", .len = 5};
	struct port *p = kit_open(&kit_uring);
	struct port_tx_error e[4];
	struct line lines[3];
	struct line_udp u[3];
	struct peers peers;

	peers_open(&peers, 1);
	for (unsigned i = 0; i < 3; i++) {
		u[i] = (struct line_udp){.peer = peers.at[0], .ifindex = by[i]};
		line_build_udp(&lines[i], &u[i]);
		u[i] = line_addresses(&lines[i]);
	}
	assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, lines, 3), 1);
	assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, &lines[2], 1), 0);
	expect(peers.fd[0], "media");
	assert_int_equal(p->ops->tx_errors(p, e, 4), 2);
	assert_true(port_tx_error_is(&e[0], &u[0]) && !port_tx_error_is(&e[0], &u[1]));
	assert_true(port_tx_error_is(&e[1], &u[2]));
	assert_int_equal(e[0].packets, 1);
	assert_int_equal(e[1].packets, 2);
	assert_int_equal(e[1].bytes, 10);
	peers_close(&peers, 1);
	p->ops->close(p);
}

static void each_line_uses_the_socket_of_its_port(void **)
{
	struct port *p = kit_open(&kit_uring);
	struct port_payload pl = {.data = (const uint8_t *)"x", .len = 1};
	struct endpoint at[3], from;
	struct line lines[4];
	struct peers peers;
	uint8_t got[8];

	peers_open(&peers, 4);
	for (uint16_t i = 0; i < 3; i++)
		kit_serve(p, i, &at[i]);
	p->ops->del(p, 1);
	for (unsigned i = 0; i < 4; i++) {
		struct line_udp u = {
			.local = i < 3 ? at[i] : endpoint_of_v4(0, 0), .peer = peers.at[i]};

		line_build_udp(&lines[i], &u);
	}
	assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, lines, 4), 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(kit_recv(peers.fd[i], got, sizeof(got), &from, MS), 1);
		if (i == 0 || i == 2)
			assert_true(endpoint_eq(&from, &at[i]));
		else // not served here: the worker's own socket
			assert_true(from.port != at[0].port && from.port != at[1].port &&
				    from.port != at[2].port);
	}
	peers_close(&peers, 4);
	p->ops->close(p);
}

static int cmsg_int(struct msghdr *m, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == type)
			return *CMSG_DATA(
				c); // TTL is an int, TOS a byte: little values, low byte first
	return -1;
}

static void ttl_and_dscp_come_from_the_line(void **)
{
	static const struct {
		uint8_t ttl, dscp;
	} cases[] = {{0, 0}, {5, 0}, {0, 34}, {250, 46}};
	struct port *p = kit_open(&kit_uring);
	struct peers peers;

	peers_open(&peers, 1);
	setsockopt(peers.fd[0], IPPROTO_IP, IP_RECVTTL, &(int){1}, sizeof(int));
	setsockopt(peers.fd[0], IPPROTO_IP, IP_RECVTOS, &(int){1}, sizeof(int));
	for (unsigned i = 0; i < 4; i++) {
		struct line_udp u = {
			.peer = peers.at[0], .ttl = cases[i].ttl, .dscp = cases[i].dscp};
		struct port_payload pl[2] = {{.data = (const uint8_t *)"ab", .len = 2},
			{.data = (const uint8_t *)"cd", .len = 2}};
		struct line l;

		line_build_udp(&l, &u);
		assert_int_equal(port_tx_fanout(p, LINE_UDP, pl, 2, &l, 1), 2);
		for (unsigned k = 0; k < 2; k++) {
			alignas(struct cmsghdr) uint8_t control[128];
			uint8_t got[16];
			struct iovec v = {got, sizeof(got)};
			struct msghdr m = {.msg_iov = &v,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};

			assert_int_equal(recvmsg(peers.fd[0], &m, 0), 2);
			assert_int_equal(cmsg_int(&m, IP_TTL), cases[i].ttl ? cases[i].ttl : 64);
			assert_int_equal(cmsg_int(&m, IP_TOS), cases[i].dscp << 2);
		}
	}
	peers_close(&peers, 1);
	p->ops->close(p);
}

// A device that takes 1 Mb/s and a socket buffer of 64 KB: what does not fit is counted and not
// waited for, and sending works again once there is room.
static void a_full_socket_buffer_is_counted_not_waited_for(void **)
{
	enum { N = 400 };
	struct port_sock_opts o = {.sockbuf = 65536};
	static const uint16_t len[1] = {1316};
	static uint8_t data[1][1456];
	static struct line lines[N];
	struct port_payload pl[1];
	struct port_stats st;
	struct peers peers;
	struct port *p;
	unsigned sent;
	ts_us begin;

	if (unshare(CLONE_NEWNET))
		skip();
	if (system("ip link set lo up && tc qdisc add dev lo root tbf rate 1mbit burst 4kb latency "
		   "9s"))
		skip();
	p = kit_open(&o);
	peers_open(&peers, 1);
	payloads_of(pl, data, len, 1);
	for (unsigned i = 0; i < N; i++)
		line_build_udp(&lines[i], &(struct line_udp){.peer = peers.at[0]});
	begin = ts_now();
	sent = port_tx_fanout(p, LINE_UDP, pl, 1, lines, N);
	assert_true(ts_now() - begin < TS_S); // 400 packets would take four
	p->ops->stats(p, &st);
	assert_true(sent > 0 && sent < N / 2);
	assert_int_equal(st.tx_packets, sent);
	assert_int_equal(st.tx_full, N - sent);
	assert_int_equal(st.tx_error, 0);
	assert_int_equal(port_send(p, &lines[0], data[0], 1316), -EAGAIN);
	while (!port_tx_fanout(p, LINE_UDP, pl, 1, lines, 1))
		assert_true(ts_now() - begin < DEADLINE);
	peers_close(&peers, 1);
	p->ops->close(p);
}

// One subscriber whose path is too narrow, one that nothing routes to: both are counted and named,
// and everybody else gets everything.
static void one_bad_peer_does_not_hurt_the_others(void **)
{
	static const uint16_t len[4] = {1316, 1316, 1316, 1316};
	static uint8_t data[4][1456];
	struct port_tx_error e[16];
	struct port_payload pl[4];
	struct line lines[10];
	struct port_stats st;
	struct peers peers;
	struct port *p;
	unsigned n;

	if (unshare(CLONE_NEWNET))
		skip();
	if (system("ip link set lo up && ip route add local 127.0.0.4 dev lo mtu 1000 table local"))
		skip();
	p = kit_open(&kit_uring);
	peers_open(&peers, 10);
	payloads_of(pl, data, len, 4);
	for (unsigned i = 0; i < 10; i++) {
		struct line_udp u = {.peer = peers.at[i]};

		if (i == 7)
			u.peer = endpoint_of_v4(0xc0000201, 9); // no route in this namespace
		line_build_srt(&lines[i], &u, &(struct line_srt){.dst_id = i});
	}
	for (unsigned n_pl = 1; n_pl <= 4; n_pl += 3) {
		assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, n_pl, lines, 10), 8 * n_pl);
		for (unsigned i = 0; i < 10; i++) {
			uint8_t got[2048];

			for (unsigned k = 0; k < n_pl && i != 3 && i != 7; k++)
				assert_int_equal(
					kit_recv(peers.fd[i], got, sizeof(got), NULL, MS), 1332);
			assert_int_equal(recv(peers.fd[i], got, 1, MSG_DONTWAIT), -1);
		}
	}
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_error, 2 + 8);
	assert_int_equal(st.tx_packets, 8 + 32);
	assert_int_equal(st.tx_full, 0);
	n = p->ops->tx_errors(p, e, 16);
	assert_int_equal(n, 2);
	assert_true(endpoint_eq(&e[0].peer, &peers.at[3]));
	assert_int_equal(e[0].error, EMSGSIZE);
	assert_int_equal(e[0].packets, 5);
	assert_int_equal(e[0].bytes, 5 * 1316);
	assert_int_equal(endpoint_v4(&e[1].peer), 0xc0000201);
	assert_int_equal(e[1].error, ENETUNREACH);
	assert_int_equal(e[1].packets, 5);
	assert_int_equal(e[1].bytes, 5 * 1316);
	assert_int_equal(p->ops->tx_errors(p, e, 16), 0);
	assert_int_equal(port_send(p, &lines[3], data[0], 1316), -EMSGSIZE);
	assert_int_equal(port_send(p, &lines[7], data[0], 100), -ENETUNREACH);
	peers_close(&peers, 10);
	p->ops->close(p);
}

// A push to a group on the loopback interface, and two sources that joined it there: one takes
// anybody, one only another sender than ours.
static void multicast_goes_out_and_comes_in_where_it_should(void **)
{
	struct port_sock_source any = {.bind = endpoint_of_v4(0xef010203, 0), .iface = "lo"};
	struct port_sock_source one = {.bind = endpoint_of_v4(0xe8010203, 0),
		.source = endpoint_of_v4(LOOPBACK + 1, 0),
		.iface = "lo"};
	struct port_payload pl = {.data = (const uint8_t *)"to many", .len = 7};
	struct port *p = kit_open(&kit_uring);
	struct port_rx rx[PORT_BURST];
	struct line_udp u[3];
	struct line lines[3];

	source_open(p, &any, 1);
	source_open(p, &one, 2);
	u[0] = (struct line_udp){
		.local = endpoint_of_v4(LOOPBACK, 0), .peer = any.bind, .ifindex = 1};
	u[1] = (struct line_udp){
		.local = endpoint_of_v4(LOOPBACK, 0), .peer = one.bind, .ifindex = 1};
	u[2] = (struct line_udp){
		.local = endpoint_of_v4(LOOPBACK + 1, 0), .peer = one.bind, .ifindex = 1, .ttl = 1};
	for (unsigned i = 0; i < 3; i++)
		line_build_udp(&lines[i], &u[i]);
	assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, lines, 3), 3);
	for (unsigned got = 0; got < 2;) {
		unsigned n = kit_burst(p, rx, ts_now() + DEADLINE);

		assert_int_not_equal(n, 0);
		for (unsigned i = 0; i < n; i++, got++) {
			assert_memory_equal(rx[i].data, "to many", 7);
			assert_true(rx[i].tag == 1 || rx[i].tag == 2);
			assert_int_equal(endpoint_v4(&rx[i].peer), LOOPBACK + rx[i].tag - 1);
		}
	}
	assert_int_equal(port_rx_burst(p, rx, PORT_BURST), 0);
	p->ops->close(p);
}

// A group that another program joined on this machine is not for a socket that joined none.
static void strangers_groups_do_not_come_in(void **)
{
	struct port_sock_source any = {.bind = endpoint_of_v4(0, 0)};
	struct group_req join = {.gr_interface = 1};
	struct endpoint group = endpoint_of_v4(0xef010209, 0), at;
	struct port *p = kit_open(&kit_uring);
	struct port_rx rx[PORT_BURST];
	struct line_udp u = {.local = endpoint_of_v4(LOOPBACK, 0), .ifindex = 1};
	int stranger = kit_peer(LOOPBACK, 0, &at);
	struct line l;

	source_open(p, &any, 1);
	endpoint_to_sockaddr(&group, &join.gr_group);
	assert_int_equal(
		setsockopt(stranger, IPPROTO_IP, MCAST_JOIN_GROUP, &join, sizeof(join)), 0);
	group.port = any.bind.port;
	u.peer = group;
	line_build_udp(&l, &u);
	assert_int_equal(port_send(p, &l, (const uint8_t *)"theirs", 6), 0);
	p->ops->flush(p);
	at = endpoint_of_v4(LOOPBACK, any.bind.port);
	kit_send(stranger, &at, "ours", 4);
	assert_int_equal(kit_burst(p, rx, ts_now() + DEADLINE), 1);
	assert_memory_equal(rx[0].data, "ours", 4);
	close(stranger);
	p->ops->close(p);
}

static void what_cannot_be_bound_is_refused_with_a_sentence(void **)
{
	struct port_sock_source group = {.bind = endpoint_of_v4(0xef010203, 0), .iface = "none0"};
	struct port_sock_source mixed = {
		.bind = endpoint_of_v4(0xef010203, 0), .source.ip = {0x20, [15] = 1}};
	struct endpoint at;
	int fd = kit_peer(LOOPBACK, 0, &at);
	struct port_sock_source busy = {.bind = at};
	char err[160] = "";

	assert_int_equal(port_sock_bind(&group, &kit_uring, err, sizeof(err)), -ENODEV);
	assert_string_equal(err, "there is no interface none0");
	assert_int_equal(port_sock_bind(&busy, &kit_uring, err, sizeof(err)), -EADDRINUSE);
	assert_non_null(strstr(err, "in use"));
	assert_int_equal(port_sock_bind(&mixed, &kit_uring, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "source and group are of different IP versions");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"every_subscriber_gets_every_payload", every_subscriber_gets_every_payload, NULL,
			NULL, (void *)(uintptr_t)&kit_epoll},
		cmocka_unit_test(private_payloads_reach_their_own_peers),
		cmocka_unit_test(a_burst_is_one_bundle),
		cmocka_unit_test(refused_bundles_go_out_one_by_one),
		cmocka_unit_test(copies_leave_from_the_contacted_address),
		cmocka_unit_test(own_datagrams_wait_for_the_flush_and_keep_their_order),
		cmocka_unit_test(a_refused_own_datagram_is_passed_over),
		cmocka_unit_test(one_peer_is_refused_by_interface),
		cmocka_unit_test(each_line_uses_the_socket_of_its_port),
		cmocka_unit_test(ttl_and_dscp_come_from_the_line),
		cmocka_unit_test(multicast_goes_out_and_comes_in_where_it_should),
		cmocka_unit_test(strangers_groups_do_not_come_in),
		cmocka_unit_test(what_cannot_be_bound_is_refused_with_a_sentence),
		// These leave the machine's namespace.
		cmocka_unit_test(a_full_socket_buffer_is_counted_not_waited_for),
		cmocka_unit_test(one_bad_peer_does_not_hurt_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
