#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the tests of port `sock` share: loopback sockets of their own, and waiting with a deadline.

#include "base/endpoint.h"
#include "io/port_sock.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK 0x7f000001u
#define DEADLINE (5 * TS_S)

static const struct port_sock_opts kit_uring = {0}, kit_epoll = {.no_uring = true};

// A plain socket bound to ip:port (0: any), and what it is bound to.
static inline int kit_peer(uint32_t ip, uint16_t port, struct endpoint *at)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip), .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(sa);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){1 << 20}, sizeof(int));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*at = endpoint_of_v4(ip, ntohs(sa.sin_port));
	return fd;
}

static inline void kit_send(int fd, const struct endpoint *to, const void *data, size_t len)
{
	struct sockaddr_storage sa;
	socklen_t n = endpoint_to_sockaddr(to, &sa);

	assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&sa, n), len);
}

// The next datagram, or -1 when none comes within timeout_ms.
static inline int kit_recv(int fd, uint8_t *data, size_t cap, struct endpoint *from, int timeout_ms)
{
	struct pollfd f = {.fd = fd, .events = POLLIN};
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	ssize_t n;

	if (poll(&f, 1, timeout_ms) <= 0)
		return -1;
	n = recvfrom(fd, data, cap, 0, (struct sockaddr *)&sa, &len);
	if (from)
		endpoint_from_sockaddr(&sa, from);
	return (int)n;
}

// Wait for the next burst; 0 when the deadline passes.
static inline unsigned kit_burst(struct port *p, struct port_rx *rx, ts_us deadline)
{
	unsigned n;

	while (!(n = port_rx_burst(p, rx, PORT_BURST)) && ts_now() < deadline)
		p->ops->wait(p, 20000);
	return n;
}

static inline struct port *kit_open(const struct port_sock_opts *o)
{
	char err[160] = "";
	struct port *p = port_sock_open(o, err, sizeof(err));

	if (!p)
		fail_msg("%s", err);
	return p;
}

// A source's socket served under a tag; at: where it listens.
static inline void kit_serve(struct port *p, uint16_t tag, struct endpoint *at)
{
	struct port_sock_source src = {.bind = endpoint_of_v4(LOOPBACK, 0)};
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char err[160] = "";
	int fd = port_sock_bind(&src, &kit_uring, err, sizeof(err));

	if (fd < 0)
		fail_msg("%s", err);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(endpoint_from_sockaddr(&sa, at), 0);
	assert_int_equal(p->ops->add(p, fd, tag), 0);
}
