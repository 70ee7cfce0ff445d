// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/dpdk.h"
#include "io/port_sock.h"
#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int failed(int fd, const struct endpoint *local, char *err, size_t err_cap)
{
	char at[ENDPOINT_STRLEN];
	int rc = -errno;

	endpoint_str(local, at, sizeof(at));
	if (rc == -EADDRINUSE)
		snprintf(err, err_cap, "UDP port %s is in use", at);
	else
		snprintf(err, err_cap, "cannot bind UDP %s: %s", at, strerror(-rc));
	if (fd >= 0)
		close(fd);
	return rc;
}

static int hold(const struct endpoint *local, char *err, size_t err_cap)
{
	bool v4 = endpoint_is_v4(local);
	struct sockaddr_storage sa;
	unsigned len = endpoint_to_sockaddr(local, &sa);
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || sock_filter_drop_all(fd))
		return failed(fd, local, err, err_cap);
	setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND, &(int){1},
		sizeof(int));
	if (endpoint_is_multicast(local)) // other ports of this machine may read the group as well
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&sa, len))
		return failed(fd, local, err, err_cap);
	return fd;
}

int port_dpdk_listen(
	const struct endpoint *local, unsigned n_workers, int *fds, char *err, size_t err_cap)
{
	int fd = hold(local, err, err_cap);

	if (fd < 0)
		return fd;
	fds[0] = fd;
	for (unsigned i = 1; i < n_workers; i++) {
		fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (fds[i] >= 0)
			continue;
		failed(-1, local, err, err_cap);
		while (i)
			close(fds[--i]);
		return -EMFILE;
	}
	return 0;
}

int port_dpdk_bind(const struct port_sock_source *s, char *err, size_t err_cap)
{
	if (!s->iface[0])
		return hold(&s->bind, err, err_cap);
	snprintf(err, err_cap, "iface= is for kernel sockets: a port of DPDK is its own interface");
	return -EINVAL;
}
