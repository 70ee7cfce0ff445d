// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Port dpdk on DPDK's virtual devices: net_ring, which hands what it sends back to its own receive
// side; net_memif, two of them joined by shared memory; net_null, where all ends.

#include "base/bytes.h"
#include "io/arena.h"
#include "io/port_dpdk.h"
#include "test.h"

#include <rte_ethdev.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAMES = 4096, LEN = 1316, RING_HOLDS = 1023 };

static struct arena *arena;

static int start(void **)
{
	char err[256];

	if (arena_eal_start(128, err, sizeof(err))) {
		print_error("%s\n", err);
		return -1;
	}
	arena = arena_new("frames", FRAMES);
	return arena ? 0 : -1;
}

static struct port *open_port(const char *spec)
{
	struct port_dpdk_opts o;
	struct port *p = NULL;
	char err[256] = "";

	if (port_dpdk_parse(spec, &o, err, sizeof(err)))
		fail_msg("%s", err);
	o.arena = arena;
	o.any_port = true;
	if (port_dpdk_open(&o, 1, &p, err, sizeof(err)))
		fail_msg("%s", err);
	return p;
}

static void close_port(struct port *p)
{
	p->ops->close(p);
	assert_int_equal(rte_mempool_avail_count(arena_pool(arena)), FRAMES);
}

static struct endpoint at(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, &e), 0);
	return e;
}

static void srt_line(struct line *l, const char *from, const char *to, uint32_t id)
{
	struct line_udp u = {.local = at(from), .peer = at(to), .ifindex = 5};
	struct line_srt s = {.dseq = 100 * id, .dts = 7, .dst_id = id};

	line_build_srt(l, &u, &s);
}

static struct port_payload payload_of(uint8_t *data, uint8_t fill, uint32_t seq)
{
	memset(data, fill, LEN);
	return (struct port_payload){data, LEN, line_sum(data, LEN), seq, 0xc0000001, 1000};
}

static void receive_free(struct port_rx *rx, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_pktmbuf_free(rx[i].frame);
}

static void expect_srt(const struct port_rx *rx, uint32_t id, uint32_t seq, uint8_t fill)
{
	assert_int_equal(rx->len, 16 + LEN);
	assert_int_equal(be32_get(rx->data), seq + 100 * id);
	assert_int_equal(be32_get(rx->data + 4), 0xc0000001);
	assert_int_equal(be32_get(rx->data + 8), 1007);
	assert_int_equal(be32_get(rx->data + 12), id);
	for (unsigned i = 0; i < LEN; i++)
		if (rx->data[16 + i] != fill)
			fail_msg("byte %u of the payload is %u, not %u", i, rx->data[16 + i], fill);
}

static void copies_come_round(const char *spec, const char *from, const char *to)
{
	static uint8_t data[2][LEN];
	struct port *p = open_port(spec);
	struct endpoint sender = at(from), receiver = at(to);
	struct port_payload pl[2] = {payload_of(data[0], 'a', 1), payload_of(data[1], 'b', 2)};
	struct port_rx rx[PORT_BURST];
	struct port_stats st;
	struct line l[3];

	for (unsigned i = 0; i < 3; i++)
		srt_line(&l[i], from, to, i + 1);
	assert_int_equal(port_tx_fanout(p, LINE_SRT, pl, 2, l, 3), 6);
	p->ops->flush(p);
	assert_int_equal(port_rx_burst(p, rx, PORT_BURST), 6);
	for (unsigned i = 0; i < 6; i++) {
		expect_srt(&rx[i], i / 2 + 1, i % 2 + 1, i % 2 ? 'b' : 'a');
		assert_true(endpoint_eq(&rx[i].peer, &sender));
		assert_true(endpoint_eq(&rx[i].local, &receiver));
		assert_non_null(rx[i].frame);
	}
	receive_free(rx, 6);
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_packets, 6);
	assert_int_equal(st.tx_bytes, 6 * (16 + LEN));
	assert_int_equal(st.rx_packets, 6);
	assert_int_equal(st.rx_bytes, 6 * (16 + LEN));
	close_port(p);
}

static void ipv4_copies_come_round(void **)
{
	copies_come_round("net_ring0,addr=10.0.0.1", "10.0.0.1:9000", "10.0.0.1:5000");
}

static void ipv6_copies_come_round(void **)
{
	copies_come_round("net_ring0,addr=fd00::1", "[fd00::1]:9000", "[fd00::1]:5000");
}

static void tagged_copies_come_round(void **)
{
	copies_come_round("net_ring0,addr=10.0.0.1,vlan=42", "10.0.0.1:9000", "10.0.0.1:5000");
	copies_come_round("net_ring0,addr=fd00::1,vlan=42", "[fd00::1]:9000", "[fd00::1]:5000");
}

static void flat_copies_come_round(void **)
{
	copies_come_round(
		"net_ring0,addr=10.0.0.1,layout=copied", "10.0.0.1:9000", "10.0.0.1:5000");
	copies_come_round(
		"net_ring0,addr=fd00::1,vlan=3,layout=copied", "[fd00::1]:9000", "[fd00::1]:5000");
}

// What travels, byte by byte, as another program's receiver would see it: not read by our parser.
static void the_wire_format_is_ethernet_ip_udp(void **)
{
	static const uint8_t want[] = {0x02, 0, 0, 0, 0, 9, // peer=
		0, 0, 0, 0, 0, 0,			    // net_ring has no address of its own
		0x08, 0x00,				    // IPv4
		0x45, 0, 0, 28 + 3, 0, 0, 0x40, 0, 64, 17, 0x26, 0xcc, // sum: worked out by hand
		10, 0, 0, 1, 10, 0, 0, 2, 0x23, 0x28, 0x13, 0x88, 0, 8 + 3, 0xf0, 0xc2, 'a', 'b',
		'c'};
	struct port *p = open_port("net_ring0,addr=10.0.0.1,peer=02:00:00:00:00:09");
	struct line_udp u = {.local = at("10.0.0.1:9000"), .peer = at("10.0.0.2:5000")};
	struct rte_mbuf *m[2];
	struct line l;
	uint16_t id;

	line_build_udp(&l, &u);
	assert_int_equal(port_send(p, &l, (const uint8_t *)"abc", 3), 0);
	p->ops->flush(p);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_ring0", &id), 0);
	assert_int_equal(rte_eth_rx_burst(id, 0, m, 2), 1);
	assert_int_equal(m[0]->pkt_len, sizeof(want));
	assert_memory_equal(rte_pktmbuf_mtod(m[0], uint8_t *) + 6 + 6, want + 12, 12);
	assert_memory_equal(rte_pktmbuf_mtod(m[0], uint8_t *), want, 6);
	assert_memory_equal(rte_pktmbuf_mtod(m[0], uint8_t *) + 24, want + 24, sizeof(want) - 24);
	rte_pktmbuf_free(m[0]);
	close_port(p);
}

static void own_datagrams_come_round(void **)
{
	static const char *const addr[] = {"10.0.0.1", "fd00::1"};
	static const char *const self[] = {"10.0.0.1:9000", "[fd00::1]:9000"};
	static uint8_t much[1500];

	for (unsigned i = 0; i < 2; i++) {
		char spec[64];
		struct port *p;
		struct line l;
		struct port_rx rx[4];

		snprintf(spec, sizeof(spec), "net_ring0,addr=%s", addr[i]);
		p = open_port(spec);
		srt_line(&l, self[i], self[i], 77); // its media part must not count
		assert_int_equal(port_send(p, &l, (const uint8_t *)"hello", 5), 0);
		assert_int_equal(port_send(p, &l, (const uint8_t *)"", 0), 0);
		assert_int_equal(port_send(p, &l, much, 1500 - 27), -EMSGSIZE);
		p->ops->flush(p);
		assert_int_equal(port_rx_burst(p, rx, 4), 2);
		assert_int_equal(rx[0].len, 5);
		assert_memory_equal(rx[0].data, "hello", 5);
		assert_int_equal(rx[1].len, 0);
		receive_free(rx, 2);
		close_port(p);
	}
}

static void rtp_and_bare_udp_have_their_own_headers(void **)
{
	static uint8_t data[LEN];
	struct port *p = open_port("net_ring0,addr=10.0.0.1");
	struct port_payload pl = payload_of(data, 'r', 3);
	struct line_udp u = {.local = at("10.0.0.1:9000"), .peer = at("10.0.0.1:5000")};
	struct line_rtp r = {.dseq = 10, .dts = 20, .ssrc = 30};
	struct port_rx rx[4];
	struct line l;

	line_build_rtp(&l, &u, &r);
	assert_int_equal(port_tx_fanout(p, LINE_RTP, &pl, 1, &l, 1), 1);
	line_build_udp(&l, &u);
	assert_int_equal(port_tx_fanout(p, LINE_UDP, &pl, 1, &l, 1), 1);
	p->ops->flush(p);
	assert_int_equal(port_rx_burst(p, rx, 4), 2);
	assert_int_equal(rx[0].len, 12 + LEN);
	assert_int_equal(be16_get(rx[0].data + 2), 13);
	assert_int_equal(be32_get(rx[0].data + 8), 30);
	assert_memory_equal(rx[0].data + 12, data, LEN);
	assert_int_equal(rx[1].len, LEN);
	assert_memory_equal(rx[1].data, data, LEN);
	receive_free(rx, 2);
	close_port(p);
}

static void private_payloads_go_to_their_own_lines(void **)
{
	static uint8_t data[4][PORT_ROOM + LEN];
	struct port *p = open_port("net_ring0,addr=10.0.0.1");
	struct port_payload pl[4];
	struct port_rx rx[8];
	struct line l[2];

	for (unsigned i = 0; i < 4; i++)
		pl[i] = payload_of(data[i] + PORT_ROOM, (uint8_t)('a' + i), i % 2);
	srt_line(&l[0], "10.0.0.1:9000", "10.0.0.1:5000", 1);
	srt_line(&l[1], "10.0.0.1:9000", "10.0.0.1:5000", 2);
	assert_int_equal(port_tx_private(p, LINE_SRT, pl, 2, l, 2), 4);
	assert_int_equal(port_rx_burst(p, rx, 8), 4); // without a flush
	for (unsigned i = 0; i < 4; i++)
		expect_srt(&rx[i], i / 2 + 1, i % 2, (uint8_t)('a' + i));
	receive_free(rx, 4);
	close_port(p);
}

// A ring in memory holds the very mbufs: payloads are in use until the other side has read them.
static void a_payload_is_done_when_its_last_copy_is(void **)
{
	static uint8_t data[2][LEN];
	struct port *p = open_port("net_ring0,addr=10.0.0.1");
	struct port_payload a = payload_of(data[0], 'a', 1), b = payload_of(data[1], 'b', 2);
	struct port_rx rx[8];
	uint64_t posted;
	struct line l[3];

	for (unsigned i = 0; i < 3; i++)
		srt_line(&l[i], "10.0.0.1:9000", "10.0.0.1:5000", i + 1);
	port_tx_fanout(p, LINE_SRT, &a, 1, l, 3);
	posted = p->ops->tx_posted(p);
	port_tx_fanout(p, LINE_SRT, &b, 1, l, 3);
	p->ops->flush(p);
	assert_true(p->ops->tx_done(p) < posted);
	assert_int_equal(port_rx_burst(p, rx, 2), 2);
	receive_free(rx, 2);
	assert_true(p->ops->tx_done(p) < posted);
	assert_int_equal(port_rx_burst(p, rx, 1), 1);
	receive_free(rx, 1);
	assert_int_equal(p->ops->tx_done(p), posted);
	assert_int_equal(port_rx_burst(p, rx, 8), 3);
	receive_free(rx, 3);
	assert_int_equal(p->ops->tx_done(p), p->ops->tx_posted(p));
	close_port(p);
}

static void a_full_ring_loses_copies_and_no_mbuf(void **)
{
	static uint8_t data[LEN];
	static struct line l[3 * RING_HOLDS];
	struct port *p = open_port("net_ring0,addr=10.0.0.1");
	struct port_payload pl = payload_of(data, 'a', 1);
	struct port_rx rx[PORT_BURST];
	struct port_stats st;
	unsigned n, got = 0;

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 3 * RING_HOLDS; i++)
			srt_line(&l[i], "10.0.0.1:9000", "10.0.0.1:5000", 1);
		port_tx_fanout(p, LINE_SRT, &pl, 1, l, 3 * RING_HOLDS);
		p->ops->flush(p);
		p->ops->stats(p, &st);
		assert_int_equal(st.tx_packets, (round + 1) * RING_HOLDS);
		assert_int_equal(st.tx_full, (round + 1) * 2 * RING_HOLDS);
		assert_int_equal(st.tx_bytes, (round + 1) * RING_HOLDS * (16 + LEN));
		while ((n = port_rx_burst(p, rx, PORT_BURST))) {
			receive_free(rx, n);
			got += n;
		}
		assert_int_equal(got, (round + 1) * RING_HOLDS);
		assert_int_equal(p->ops->tx_done(p), p->ops->tx_posted(p));
	}
	close_port(p);
}

// More copies of one payload than a reference count has bits for.
static void a_payload_goes_to_more_than_its_count_holds(void **)
{
	enum { MANY = 70000 };
	static uint8_t data[LEN];
	static struct line l[MANY];
	struct port *p = open_port("net_null0,addr=10.0.0.1");
	struct port_payload pl = payload_of(data, 'a', 1);
	struct port_stats st;

	for (unsigned i = 0; i < MANY; i++)
		srt_line(&l[i], "10.0.0.1:9000", "10.0.0.2:5000", 1 + i);
	assert_int_equal(port_tx_fanout(p, LINE_SRT, &pl, 1, l, MANY), MANY);
	p->ops->flush(p);
	p->ops->stats(p, &st);
	assert_int_equal(st.tx_packets, MANY);
	assert_int_equal(st.tx_full, 0);
	assert_int_equal(p->ops->tx_done(p), p->ops->tx_posted(p));
	close_port(p);
}

// --- what is not for us ---------------------------------------------------------------------

static uint8_t good_v4[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0x08, 0x00, 0x45,
	0, 0, 28 + 4, 0, 0, 0x40, 0, 64, 17, 0x26, 0xcb, 10, 0, 0, 2, 10, 0, 0, 1, 0x13, 0x88, 0x23,
	0x28, 0, 8 + 4, 0, 0, 'a', 'b', 'c', 'd'};

static unsigned inject(struct port *p, const uint8_t *bytes, unsigned len)
{
	struct rte_mbuf *m = arena_copy(arena, bytes, (uint16_t)len);
	struct port_rx rx[2];
	unsigned got;
	uint16_t id;

	assert_int_equal(rte_eth_dev_get_port_by_name("net_ring0", &id), 0);
	assert_int_equal(rte_eth_tx_burst(id, 0, &m, 1), 1);
	got = port_rx_burst(p, rx, 2);
	receive_free(rx, got);
	return got;
}

struct mutation {
	const char *what;
	unsigned at;
	uint8_t to;
	unsigned len; // 0: whole
	char counts;  // 'h' bad header, 's' bad sum, 'o' not ours, 'g' good
};

static void mutate(struct port *p, const struct mutation *m)
{
	struct port_stats before, after;
	uint8_t copy[sizeof(good_v4)];
	unsigned got;

	memcpy(copy, good_v4, sizeof(copy));
	copy[m->at] = m->to;
	p->ops->stats(p, &before);
	got = inject(p, copy, m->len ? m->len : sizeof(copy));
	p->ops->stats(p, &after);
	if (got != (m->counts == 'g') ||
		after.rx_bad_header - before.rx_bad_header != (m->counts == 'h') ||
		after.rx_bad_csum - before.rx_bad_csum != (m->counts == 's') ||
		after.rx_not_ours - before.rx_not_ours != (m->counts == 'o'))
		fail_msg("%s is not counted as '%c'", m->what, m->counts);
}

static void what_is_not_for_us_is_counted(void **)
{
	static const struct mutation rows[] = {
		{"a good packet", 0, 0xff, 0, 'g'},
		{"padding behind a good packet", 0, 0xff, sizeof(good_v4), 'g'},
		{"ARP", 13, 0x06, 0, 'o'},
		{"a VLAN tag", 12, 0x81, 0, 'o'},
		{"version 5", 14, 0x55, 0, 'h'},
		{"a header of 16 bytes", 14, 0x44, 0, 'h'},
		{"a total length beyond the frame", 17, 200, 0, 'h'},
		{"a total length within the UDP header", 17, 24, 0, 'h'},
		{"more fragments", 20, 0x20, 0, 'h'},
		{"a later fragment", 21, 1, 0, 'h'},
		{"TCP", 23, 6, 0, 'o'},
		{"a flipped time to live", 22, 63, 0, 's'},
		{"a UDP length beyond the packet", 39, 13, 0, 'h'},
		{"a UDP length below its header", 39, 7, 0, 'h'},
		{"a wrong UDP checksum", 41, 1, 0, 's'},
		{"half an Ethernet header", 0, 0xff, 13, 'h'},
		{"half an IP header", 0, 0xff, 30, 'h'},
		{"half a payload", 0, 0xff, 44, 'h'},
	};
	struct port *p = open_port("net_ring0,addr=10.0.0.1");

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		mutate(p, &rows[i]);
	close_port(p);
	p = open_port("net_ring0,addr=10.0.0.3"); // another's packet
	mutate(p, &(struct mutation){"another address", 0, 0xff, 0, 'o'});
	close_port(p);
}

static int held(const char *text)
{
	struct endpoint e = at(text);
	char err[256];
	int fd = -1;

	if (port_dpdk_listen(&e, 1, &fd, err, sizeof(err)))
		fail_msg("%s", err);
	return fd;
}

static struct port *open_served(const char *spec)
{
	struct port_dpdk_opts o;
	struct port *p = NULL;
	char err[256];

	assert_int_equal(port_dpdk_parse(spec, &o, err, sizeof(err)), 0);
	o.arena = arena;
	assert_int_equal(port_dpdk_open(&o, 1, &p, err, sizeof(err)), 0);
	return p;
}

static int tag_of(struct port *p, const char *to)
{
	struct line_udp u = {.local = at("10.0.0.1:9000"), .peer = at(to)};
	struct port_rx rx[2];
	struct line l;
	int tag = -1;

	line_build_udp(&l, &u);
	assert_int_equal(port_send(p, &l, (const uint8_t *)"x", 1), 0);
	p->ops->flush(p);
	if (port_rx_burst(p, rx, 2) == 1) {
		tag = rx[0].tag;
		receive_free(rx, 1);
	}
	return tag;
}

static void only_what_was_added_is_served(void **)
{
	struct port *p = open_served("net_ring0,addr=10.0.0.1,addr=10.0.0.2");

	assert_int_equal(tag_of(p, "10.0.0.1:19000"), -1);
	assert_int_equal(p->ops->add(p, held("10.0.0.1:19000"), 3), 0);
	assert_int_equal(p->ops->add(p, held("10.0.0.2:19000"), 4), 0);
	assert_int_equal(p->ops->add(p, held("0.0.0.0:19001"), 5), 0);
	assert_int_equal(tag_of(p, "10.0.0.1:19000"), 3);
	assert_int_equal(tag_of(p, "10.0.0.2:19000"), 4);
	assert_int_equal(tag_of(p, "10.0.0.1:19001"), 5);
	assert_int_equal(tag_of(p, "10.0.0.2:19001"), 5);
	assert_int_equal(tag_of(p, "10.0.0.3:19001"), -1);
	p->ops->del(p, 3);
	assert_int_equal(tag_of(p, "10.0.0.1:19000"), -1);
	assert_int_equal(tag_of(p, "10.0.0.2:19000"), 4);
	assert_int_equal(p->ops->add(p, held("10.0.0.1:19000"), 6), 0);
	assert_int_equal(tag_of(p, "10.0.0.1:19000"), 6);
	close_port(p);
}

// A stranger cannot take a port number of ours, nor we one of a stranger's.
static void a_port_number_is_ours_alone(void **)
{
	struct endpoint e = at("127.0.0.1:0");
	int fds[3], again;
	char err[256];
	struct sockaddr_storage sa;

	assert_int_equal(port_dpdk_listen(&e, 3, fds, err, sizeof(err)), 0);
	getsockname(fds[2], (struct sockaddr *)&sa, &(socklen_t){sizeof(sa)});
	endpoint_from_sockaddr(&sa, &e);
	assert_int_equal(port_dpdk_listen(&e, 1, &again, err, sizeof(err)), -EADDRINUSE);
	assert_non_null(strstr(err, "in use"));
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
	assert_int_equal(port_dpdk_listen(&e, 1, &again, err, sizeof(err)), 0);
	close(again);
}

static void our_address_is_filled_in(void **)
{
	struct port *p = open_port("net_ring0,addr=10.0.0.1,addr=fd00::1");
	struct endpoint peer4 = at("10.9.9.9:1"), peer6 = at("[fd00::9]:1");
	struct endpoint local = at("0.0.0.0:700"), want = at("10.0.0.1:700");

	port_source(p, &peer4, &local);
	assert_true(endpoint_eq(&local, &want));
	local = at("0.0.0.0:0");
	port_source(p, &peer6, &local);
	want = at("[fd00::1]:49152");
	assert_true(endpoint_eq(&local, &want));
	close_port(p);
}

// --- devices --------------------------------------------------------------------------------

static void wrong_devices_are_one_sentence(void **)
{
	static const char *const rows[][2] = {
		{"net_nothing0,addr=10.0.0.1", "net_nothing0"},
		{"net_null0,addr=10.0.0.1,colour=red", "colour=red"},
		{"net_null0,addr=10.0.0.1,queues=3", "queues=3"},
	};

	for (unsigned i = 0; i < 3; i++) {
		struct port_dpdk_opts o;
		struct port *p;
		char err[256] = "";

		assert_int_equal(port_dpdk_parse(rows[i][0], &o, err, sizeof(err)), 0);
		o.arena = arena;
		assert_true(port_dpdk_open(&o, 1, &p, err, sizeof(err)) < 0);
		assert_non_null(strstr(err, rows[i][1]));
	}
}

static void a_queue_for_each_worker(void **)
{
	struct port_dpdk_opts o;
	struct port *p[3];
	char err[256] = "";

	assert_int_equal(port_dpdk_parse("net_null0,addr=10.0.0.1", &o, err, sizeof(err)), 0);
	o.arena = arena;
	assert_int_equal(port_dpdk_open(&o, 3, p, err, sizeof(err)), 0);
	assert_string_equal(port_dpdk_mode(p[2]), "net_null, chained");
	for (unsigned i = 0; i < 3; i++) {
		struct line l;

		srt_line(&l, "10.0.0.1:9000", "10.0.0.2:9000", 1);
		assert_int_equal(port_send(p[i], &l, (const uint8_t *)"x", 1), 0);
	}
	for (unsigned i = 0; i < 3; i++)
		p[i]->ops->close(p[i]);
}

static bool is_up(const char *device)
{
	struct rte_eth_link link = {0};
	uint16_t id;

	return !rte_eth_dev_get_port_by_name(device, &id) && !rte_eth_link_get_nowait(id, &link) &&
	       link.link_status == RTE_ETH_LINK_UP;
}

static void memif_carries_contents_unharmed(void **)
{
	enum { ROUNDS = 300 };
	static uint8_t data[4][LEN];
	char spec[2][200];
	struct port *a, *b;
	struct line l[5];
	ts_us until = ts_now() + 10 * TS_S;
	struct port_rx first;
	unsigned seen = 0;

	snprintf(spec[0], sizeof(spec[0]),
		"net_memif0,role=server,socket=sluice-test-%d,addr=10.0.0.1", (int)getpid());
	snprintf(spec[1], sizeof(spec[1]),
		"net_memif1,role=client,socket=sluice-test-%d,addr=10.0.0.2", (int)getpid());
	a = open_port(spec[0]);
	b = open_port(spec[1]);
	while (!is_up("net_memif0") || !is_up("net_memif1"))
		if (ts_now() > until)
			fail_msg("the two sides never met");
	assert_int_equal(port_rx_burst(b, &first, 1), 0); // a client's first look gives buffers
	for (unsigned i = 0; i < 5; i++)
		srt_line(&l[i], "10.0.0.1:9000", "10.0.0.2:5000", i + 1);
	for (unsigned r = 0; r < ROUNDS; r++) {
		struct port_payload pl[4];
		struct port_rx rx[PORT_BURST];

		for (unsigned k = 0; k < 4; k++)
			pl[k] = payload_of(data[k], (uint8_t)(r + k), 4 * r + k);
		assert_int_equal(port_tx_fanout(a, LINE_SRT, pl, 4, l, 5), 20);
		a->ops->flush(a);
		assert_int_equal(a->ops->tx_done(a), a->ops->tx_posted(a));
		assert_int_equal(port_rx_burst(b, rx, PORT_BURST), 20);
		for (unsigned i = 0; i < 20; i++, seen++)
			expect_srt(&rx[i], i / 4 + 1, 4 * r + i % 4, (uint8_t)(r + i % 4));
		receive_free(rx, 20);
	}
	assert_int_equal(seen, 20 * ROUNDS);
	b->ops->close(b);
	close_port(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_copies_come_round),
		cmocka_unit_test(ipv6_copies_come_round),
		cmocka_unit_test(tagged_copies_come_round),
		cmocka_unit_test(flat_copies_come_round),
		cmocka_unit_test(the_wire_format_is_ethernet_ip_udp),
		cmocka_unit_test(own_datagrams_come_round),
		cmocka_unit_test(rtp_and_bare_udp_have_their_own_headers),
		cmocka_unit_test(private_payloads_go_to_their_own_lines),
		cmocka_unit_test(a_payload_is_done_when_its_last_copy_is),
		cmocka_unit_test(a_full_ring_loses_copies_and_no_mbuf),
		cmocka_unit_test(a_payload_goes_to_more_than_its_count_holds),
		cmocka_unit_test(what_is_not_for_us_is_counted),
		cmocka_unit_test(only_what_was_added_is_served),
		cmocka_unit_test(a_port_number_is_ours_alone),
		cmocka_unit_test(our_address_is_filled_in),
		cmocka_unit_test(wrong_devices_are_one_sentence),
		cmocka_unit_test(a_queue_for_each_worker),
		cmocka_unit_test(memif_carries_contents_unharmed),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
