// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Kernel sockets: opening them.

#include "load/net_back.h"
#include "load/net_burst.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void set(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value)); // what does not work is done without
}

static int new_socket(const struct net *n, const struct endpoint *family)
{
	int fd = socket(endpoint_is_v4(family) ? AF_INET : AF_INET6,
		SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	set(fd, SOL_UDP, UDP_GRO, 1);
	set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	set(fd, SOL_SOCKET, SO_RCVBUF, (int)n->opts.rcvbuf);
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, (int)n->opts.rcvbuf);
	set(fd, SOL_SOCKET, SO_SNDBUF, 4 << 20);
	set(fd, SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20);
	return fd;
}

// Give the set a socket; it owns fd from then on.
static int add(struct net *n, int fd)
{
	struct net_sock *s = net_add(n);

	s->fd = fd;
	return burst_watch(n->state, s);
}

static int sock_connect(struct net *n, const struct endpoint *to, uint32_t count)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(to, &sa);
	int rc = 0;

	for (uint32_t i = 0; !rc && i < count; i++) {
		int fd = new_socket(n, to);

		rc = fd < 0 ? fd : add(n, fd);
		if (!rc && connect(fd, (struct sockaddr *)&sa, len))
			rc = -errno;
	}
	return rc;
}

static int join_group(int fd, const struct endpoint *at, const struct net_bind *b)
{
	static const uint8_t none[16];
	struct group_source_req gs = {0};
	struct group_req g = {0};
	bool v4 = endpoint_is_v4(at);
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;

	g.gr_interface = b->iface ? if_nametoindex(b->iface) : 0;
	if (b->iface && !g.gr_interface)
		return -ENODEV;
	endpoint_to_sockaddr(at, &g.gr_group);
	if (!memcmp(b->source.ip, none, sizeof(none)))
		return setsockopt(fd, level, MCAST_JOIN_GROUP, &g, sizeof(g)) ? -errno : 0;
	gs.gsr_interface = g.gr_interface;
	gs.gsr_group = g.gr_group;
	endpoint_to_sockaddr(&b->source, &gs.gsr_source);
	return setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, &gs, sizeof(gs)) ? -errno : 0;
}

static int sock_bind(struct net *n, const struct net_bind *b, const struct endpoint *at)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(at, &sa);
	int fd = new_socket(n, at), rc;

	if (fd < 0)
		return fd;
	rc = add(n, fd);
	if (rc)
		return rc;
	if (endpoint_is_multicast(at))
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1); // several readers of a group
	if (bind(fd, (struct sockaddr *)&sa, len))
		return -errno;
	return endpoint_is_multicast(at) ? join_group(fd, at, b) : 0;
}

static void set_via(int fd, bool v4, const struct net_via *via, unsigned ifindex)
{
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	struct ip_mreqn mreq = {.imr_ifindex = (int)ifindex};

	if (via->ttl) {
		set(fd, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, via->ttl);
		set(fd, level, v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS, via->ttl);
	}
	if (via->dscp)
		set(fd, level, v4 ? IP_TOS : IPV6_TCLASS, via->dscp << 2);
	if (ifindex && v4)
		setsockopt(fd, level, IP_MULTICAST_IF, &mreq, sizeof(mreq));
	else if (ifindex)
		set(fd, level, IPV6_MULTICAST_IF, (int)ifindex);
}

static int sock_open(struct net *n, const struct endpoint *to, const struct net_via *via)
{
	unsigned ifindex = via->iface ? if_nametoindex(via->iface) : 0;
	int fd, rc;

	if (via->iface && !ifindex)
		return -ENODEV;
	fd = new_socket(n, to);
	rc = fd < 0 ? fd : add(n, fd);
	if (!rc)
		set_via(fd, endpoint_is_v4(to), via, ifindex);
	return rc;
}

static void sock_fini(struct net *n)
{
	for (uint32_t i = 0; i < n->n_socks; i++)
		if (n->socks[i].fd >= 0)
			close(n->socks[i].fd);
	burst_free(n->state);
}

static const struct net_back sock_back = {
	.connect = sock_connect,
	.bind = sock_bind,
	.open = sock_open,
	.out = burst_out,
	.flush = burst_flush,
	.wait = burst_wait,
	.fini = sock_fini,
};

int net_sock_init(struct net *n, char *err, size_t cap)
{
	n->state = burst_new();
	if (!n->state) {
		snprintf(err, cap, "out of memory");
		return -ENOMEM;
	}
	n->back = &sock_back;
	return 0;
}
