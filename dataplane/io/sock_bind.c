// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/sock.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

static bool has_source(const struct port_sock_source *s)
{
	static const uint8_t zero[16];

	return memcmp(s->source.ip, zero, sizeof(zero)) && !endpoint_is_any(&s->source);
}

static int check(const struct port_sock_source *s, unsigned *ifindex, char *err, size_t err_cap)
{
	*ifindex = 0;
	if (has_source(s) && endpoint_is_v4(&s->source) != endpoint_is_v4(&s->bind)) {
		snprintf(err, err_cap, "source and group are of different IP versions");
		return -EINVAL;
	}
	if (!s->iface[0])
		return 0;
	if (strnlen(s->iface, sizeof(s->iface)) < sizeof(s->iface))
		*ifindex = if_nametoindex(s->iface);
	if (*ifindex)
		return 0;
	snprintf(err, err_cap, "there is no interface %.16s", s->iface);
	return -ENODEV;
}

// RFC 3678: the interface by index, for any source and for one.
static int join(int fd, const struct port_sock_source *s, unsigned ifindex)
{
	struct group_source_req one = {.gsr_interface = ifindex};
	struct group_req any = {.gr_interface = ifindex};
	int level = endpoint_is_v4(&s->bind) ? IPPROTO_IP : IPPROTO_IPV6;

	if (has_source(s)) {
		endpoint_to_sockaddr(&s->bind, &one.gsr_group);
		endpoint_to_sockaddr(&s->source, &one.gsr_source);
		return setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, &one, sizeof(one));
	}
	endpoint_to_sockaddr(&s->bind, &any.gr_group);
	return setsockopt(fd, level, MCAST_JOIN_GROUP, &any, sizeof(any));
}

static int join_group(
	int fd, const struct port_sock_source *s, unsigned ifindex, char *err, size_t err_cap)
{
	char group[ENDPOINT_STRLEN];
	int rc;

	if (!join(fd, s, ifindex))
		return 0;
	rc = -errno;
	snprintf(err, err_cap, "cannot join group %s%s%s: %s",
		endpoint_ip_str(&s->bind, group, sizeof(group)), s->iface[0] ? " on " : "",
		s->iface, strerror(-rc));
	return rc;
}

// A group may have other readers on this machine; a unicast port must be ours alone.
static int configure(int fd, const struct port_sock_source *s, const struct port_sock_opts *o,
	unsigned ifindex, char *err, size_t err_cap)
{
	bool multicast = endpoint_is_multicast(&s->bind);
	int rc;

	if (multicast)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	else if (ifindex && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, s->iface,
				    (socklen_t)strnlen(s->iface, sizeof(s->iface)))) {
		rc = -errno;
		snprintf(err, err_cap, "cannot bind to interface %s: %s", s->iface, strerror(-rc));
		return rc;
	}
	rc = sock_open_bind(fd, &s->bind, ifindex, o, err, err_cap);
	return rc || !multicast ? rc : join_group(fd, s, ifindex, err, err_cap);
}

int port_sock_bind(const struct port_sock_source *asked, const struct port_sock_opts *o, char *err,
	size_t err_cap)
{
	struct port_sock_source s = *asked;
	unsigned ifindex;
	int rc = check(asked, &ifindex, err, err_cap);
	int fd;

	if (rc)
		return rc;
	s.bind = sock_local(&asked->bind);
	fd = sock_open(&s.bind, o, err, err_cap);
	if (fd < 0)
		return fd;
	rc = configure(fd, &s, o, ifindex, err, err_cap);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}
