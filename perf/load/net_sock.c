// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Opening sockets.

#include "load/net.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static int says(char *err, size_t cap, const char *what, const struct endpoint *e, int error)
{
	char at[ENDPOINT_STRLEN];

	snprintf(err, cap, "%s %s: %s", what, endpoint_str(e, at, sizeof(at)), strerror(error));
	return -error;
}

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
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = n->n_socks};

	n->socks[n->n_socks] = (struct net_sock){.fd = fd, .index = n->n_socks};
	n->n_socks++;
	return epoll_ctl(n->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static int room(struct net *n, uint32_t count)
{
	n->socks = calloc(count, sizeof(*n->socks));
	return n->socks ? 0 : -ENOMEM;
}

int net_connect(struct net *n, const struct endpoint *to, uint32_t count, char *err, size_t cap)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(to, &sa);
	int rc = room(n, count);

	for (uint32_t i = 0; !rc && i < count; i++) {
		int fd = new_socket(n, to);

		rc = fd < 0 ? fd : add(n, fd);
		if (!rc && connect(fd, (struct sockaddr *)&sa, len))
			rc = -errno;
	}
	return rc ? says(err, cap, "no socket towards", to, -rc) : 0;
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

static int bind_one(struct net *n, const struct net_bind *b, const struct endpoint *at)
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

int net_bind(struct net *n, const struct net_bind *b, uint32_t count, char *err, size_t cap)
{
	struct endpoint at = b->at;
	int rc = room(n, count);

	for (uint32_t i = 0; !rc && i < count; i++) {
		at.port = (uint16_t)(b->at.port + i);
		rc = bind_one(n, b, &at);
	}
	return rc ? says(err, cap, "cannot receive on", &at, -rc) : 0;
}

int net_open(struct net *n, const struct endpoint *to, uint8_t ttl, uint8_t dscp, const char *iface,
	char *err, size_t cap)
{
	bool v4 = endpoint_is_v4(to);
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	unsigned ifindex = iface ? if_nametoindex(iface) : 0;
	struct ip_mreqn mreq = {.imr_ifindex = (int)ifindex};
	int rc = room(n, 1), fd = -1;

	if (!rc && iface && !ifindex)
		rc = -ENODEV;
	if (!rc) {
		fd = new_socket(n, to);
		rc = fd < 0 ? fd : add(n, fd);
	}
	if (rc)
		return says(err, cap, "no socket towards", to, -rc);
	if (ttl) {
		set(fd, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, ttl);
		set(fd, level, v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS, ttl);
	}
	if (dscp)
		set(fd, level, v4 ? IP_TOS : IPV6_TCLASS, dscp << 2);
	if (ifindex && v4)
		setsockopt(fd, level, IP_MULTICAST_IF, &mreq, sizeof(mreq));
	else if (ifindex)
		set(fd, level, IPV6_MULTICAST_IF, (int)ifindex);
	return 0;
}
