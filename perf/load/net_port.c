// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Sockets on a port of the dataplane: what tells them apart is the UDP port a datagram comes to.

#include "load/net_port.h"
#include "io/arena.h"
#include "io/port_dpdk.h"
#include "load/net_back.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_PORT = 10000,
	FIRST_PORTS = 40000,
	PORTS = 65536,
	LINGER = 300 * TS_MS,
	FETCH_MOST = 16 * PORT_BURST,
};

struct net_port {
	struct port *port;
	struct arena *arena;
	struct endpoint local;
	uint16_t next_port;
	struct line to; // of the last datagram to anywhere
	struct endpoint to_peer;
	uint8_t ttl, dscp;
	uint32_t by_port[PORTS]; // index of a socket, plus 1
	struct port_rx rx[FETCH_MOST];
};

static struct line line_to(
	const struct net_port *p, const struct net_sock *s, const struct endpoint *peer)
{
	struct line l;

	line_build_udp(
		&l, &(struct line_udp){
			    .local = s->local, .peer = *peer, .ttl = p->ttl, .dscp = p->dscp});
	return l;
}

static int add(struct net *n, struct endpoint local)
{
	struct net_port *p = n->state;
	struct net_sock *s = net_add(n);

	if (p->by_port[local.port])
		return -EADDRINUSE;
	s->local = local;
	p->by_port[local.port] = s->index + 1;
	return 0;
}

// A port of our own choice. They move on with the clock, so that the other side does not take this
// run for the one before.
static int add_any(struct net *n, const struct endpoint *to)
{
	struct net_port *p = n->state;
	struct endpoint local = p->local;

	if (endpoint_is_v4(&p->local) != endpoint_is_v4(to))
		return -EAFNOSUPPORT;
	local.port = p->next_port++;
	return add(n, local);
}

static int port_connect(struct net *n, const struct endpoint *to, uint32_t count)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < count; i++) {
		struct net_sock *s = &n->socks[i];

		rc = add_any(n, to);
		s->to = line_to(n->state, s, to);
	}
	return rc;
}

static int port_bind(struct net *n, const struct net_bind *b, const struct endpoint *at)
{
	return b->iface ? -EOPNOTSUPP : add(n, *at);
}

static int port_open(struct net *n, const struct endpoint *to, const struct net_via *via)
{
	struct net_port *p = n->state;

	if (via->iface)
		return -EOPNOTSUPP;
	p->ttl = via->ttl;
	p->dscp = via->dscp;
	return add_any(n, to);
}

// --- traffic ----------------------------------------------------------------------------------

static const struct line *line_of(
	struct net_port *p, const struct net_sock *s, const struct endpoint *to)
{
	if (!to)
		return &s->to;
	if (!endpoint_eq(to, &p->to_peer)) {
		p->to = line_to(p, s, to);
		p->to_peer = *to;
	}
	return &p->to;
}

static void port_out(struct net *n, struct net_sock *s, const struct endpoint *to,
	const uint8_t *data, size_t len)
{
	struct net_port *p = n->state;

	if (port_send(p->port, line_of(p, s, to), data, (uint16_t)len))
		n->stats.tx_refused++;
	else
		n->stats.tx++;
}

static bool port_room(struct net *n)
{
	struct net_port *p = n->state;

	if (p->arena)
		return port_dpdk_room(p->port);
	p->port->ops->flush(p->port);
	return true;
}

// What does not fit goes with the next one: two ends that wait for each other would both lose.
static void port_flush(struct net *n)
{
	port_room(n);
}

static void take(struct net *n, const struct port_rx *rx)
{
	const struct net_port *p = n->state;
	uint32_t i = p->by_port[rx->local.port];

	if (i)
		net_arrived(n, &n->socks[i - 1], rx->arrival, rx->data, rx->len);
	else
		n->stats.stray++;
	if (rx->frame)
		rte_pktmbuf_free(rx->frame);
}

static void take_some(struct net *n, const struct port_rx *rx, unsigned got)
{
	for (unsigned i = 0; i < got && n->peek; i++)
		n->peek(n->arg, rx[i].data, rx[i].len, 0);
	for (unsigned i = 0; i < got && n->peek; i++)
		n->peek(n->arg, rx[i].data, rx[i].len, 1);
	for (unsigned i = 0; i < got; i++)
		take(n, &rx[i]);
}

// What is there is fetched before any of it is looked at: so it bears the time it came, and the
// other end of a ring goes on. Borrowed bytes do not last so long.
static unsigned fetch(struct net_port *p)
{
	unsigned n, got = 0, most = p->arena ? FETCH_MOST : PORT_BURST;

	do {
		n = port_rx_burst(p->port, p->rx + got, PORT_BURST);
		got += n;
	} while (n == PORT_BURST && got < most);
	return got;
}

static unsigned take_burst(struct net *n)
{
	struct net_port *p = n->state;
	unsigned got = fetch(p);

	for (unsigned at = 0; at < got; at += PORT_BURST)
		take_some(n, p->rx + at, got - at < PORT_BURST ? got - at : PORT_BURST);
	return got;
}

// One fetch at a time: what it made due is sent while its sessions are still in the cache.
static void port_wait(struct net *n, uint32_t timeout_us)
{
	struct net_port *p = n->state;

	if (take_burst(n) || !timeout_us)
		return;
	p->port->ops->wait(p->port, timeout_us);
	take_burst(n);
}

// What the other end of a shared memory has not read when this one goes is gone too, and it does
// not say what it has read.
static void linger(struct port *port)
{
	ts_us end = ts_now() + LINGER;

	port->ops->flush(port);
	for (ts_us now = ts_now(); now < end; now = ts_now())
		port->ops->wait(port, (uint32_t)(end - now));
}

static void port_fini(struct net *n)
{
	struct net_port *p = n->state;

	if (p->arena)
		linger(p->port);
	p->port->ops->close(p->port);
	if (p->arena)
		arena_free(p->arena);
	free(p);
}

static const struct net_back port_back = {
	.connect = port_connect,
	.bind = port_bind,
	.open = port_open,
	.out = port_out,
	.flush = port_flush,
	.room = port_room,
	.wait = port_wait,
	.fini = port_fini,
};

int net_port_take(
	struct net *n, struct port *port, struct arena *arena, const struct endpoint *local)
{
	struct net_port *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->port = port;
	p->arena = arena;
	p->local = *local;
	p->next_port = (uint16_t)(FIRST_PORT + ts_now() / TS_MS % FIRST_PORTS);
	n->back = &port_back;
	n->state = p;
	return 0;
}
