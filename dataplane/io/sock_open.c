// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/log.h"
#include "io/sock.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

LOG_SUBSYSTEM(sock)

#define SOCKBUF_DEFAULT (8u << 20)
#define BUSY_RETRY_US TS_S // an io_uring keeps its sockets a moment after its process ended
#define BUSY_STEP_MS 20

struct endpoint sock_local(const struct endpoint *asked)
{
	int fd;

	if (endpoint_is_v4(asked) || !endpoint_is_any(asked))
		return *asked;
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		return endpoint_of_v4(0, asked->port);
	close(fd);
	return *asked;
}

static uint32_t buffer_get(int fd, int option)
{
	int v = 0;

	getsockopt(fd, SOL_SOCKET, option, &v, &(socklen_t){sizeof(v)});
	return (uint32_t)v / 2; // the kernel doubles what was asked, for its own overhead
}

// As root beyond the sysctl's limit, else up to it. True when the whole size was given.
static bool buffer_set(int fd, int force, int option, uint32_t size)
{
	int v = (int)size;

	if (setsockopt(fd, SOL_SOCKET, force, &v, sizeof(v)))
		setsockopt(fd, SOL_SOCKET, option, &v, sizeof(v));
	return buffer_get(fd, option) >= size;
}

void port_sock_buffers(int fd, uint32_t *rcv, uint32_t *snd)
{
	*rcv = buffer_get(fd, SO_RCVBUF);
	*snd = buffer_get(fd, SO_SNDBUF);
}

static void buffers_set(int fd, uint32_t size)
{
	static atomic_flag warned = ATOMIC_FLAG_INIT;
	bool rcv = buffer_set(fd, SO_RCVBUFFORCE, SO_RCVBUF, size);
	bool snd = buffer_set(fd, SO_SNDBUFFORCE, SO_SNDBUF, size);

	if ((rcv && snd) || atomic_flag_test_and_set(&warned))
		return;
	log_warn("socket buffers are %u (receive) and %u (send) bytes instead of %u: raise "
		 "net.core.rmem_max and net.core.wmem_max",
		buffer_get(fd, SO_RCVBUF), buffer_get(fd, SO_SNDBUF), size);
}

static int set(int fd, int level, int option, int v)
{
	return setsockopt(fd, level, option, &v, sizeof(v));
}

// Without IP_MULTICAST_ALL off, a group that any other program joined comes here too.
// DF always (A23): a path that is too narrow shows as EMSGSIZE, not as a black hole.
static int set_ip(int fd)
{
	return set(fd, IPPROTO_IP, IP_PKTINFO, 1) ||
	       set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO) ||
	       set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) || set(fd, IPPROTO_IP, IP_TTL, SOCK_TTL) ||
	       set(fd, IPPROTO_IP, IP_MULTICAST_TTL, SOCK_TTL_MULTICAST);
}

// IPv6 leaves fragments to the sender: only IPV6_DONTFRAG makes them an error. PKTINFO of an IPv4
// datagram comes in IPv6's clothes here.
static int set_ip6(int fd)
{
	return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) ||
	       set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) ||
	       set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO) ||
	       set(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1) ||
	       set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) ||
	       set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, SOCK_TTL) ||
	       set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, SOCK_TTL_MULTICAST) ||
	       set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO) ||
	       set(fd, IPPROTO_IP, IP_TTL, SOCK_TTL);
}

int sock_open(
	const struct endpoint *local, const struct port_sock_opts *o, char *err, size_t err_cap)
{
	bool v4 = endpoint_is_v4(local);
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0 || set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1) || set(fd, SOL_UDP, UDP_GRO, 1) ||
		(v4 ? set_ip(fd) : set_ip6(fd))) {
		rc = -errno;
		snprintf(err, err_cap, "no UDP socket: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	buffers_set(fd, o->sockbuf ? o->sockbuf : SOCKBUF_DEFAULT);
	return fd;
}

static int bind_patiently(int fd, const struct sockaddr *sa, socklen_t len, bool no_wait)
{
	ts_us deadline = no_wait ? 0 : ts_now() + BUSY_RETRY_US;

	while (bind(fd, sa, len)) {
		if (errno != EADDRINUSE || ts_now() >= deadline)
			return -errno;
		poll(NULL, 0, BUSY_STEP_MS);
	}
	return 0;
}

int sock_open_bind(int fd, const struct endpoint *local, unsigned link,
	const struct port_sock_opts *o, char *err, size_t err_cap)
{
	struct sockaddr_storage sa;
	char text[ENDPOINT_STRLEN];
	socklen_t len = endpoint_to_sockaddr(local, &sa);
	int rc;

	if (sa.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&sa)->sin6_scope_id = link;
	rc = bind_patiently(fd, (struct sockaddr *)&sa, len, o->no_wait);

	endpoint_str(local, text, sizeof(text));
	if (rc == -EADDRINUSE)
		snprintf(err, err_cap, "UDP port %s is in use by another program", text);
	else if (rc == -EADDRNOTAVAIL)
		snprintf(err, err_cap, "no interface of this machine has the address of %s", text);
	else if (rc == -EACCES)
		snprintf(err, err_cap, "no permission to bind UDP port %s", text);
	else if (rc)
		snprintf(err, err_cap, "cannot bind UDP port %s: %s", text, strerror(-rc));
	return rc;
}
