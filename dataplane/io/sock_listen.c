// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/dp/dp_stats.h"
#include "io/sock.h"

#include <linux/sock_diag.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// The sink of a listener lives as long as the listener's first socket, which is known by its
// cookie: the number the kernel gives a socket, and never again to another.
struct sink {
	uint64_t cookie;
	int fd;
	struct sink *next;
};

static struct sink *sinks;
static pthread_mutex_t sinks_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &(socklen_t){sizeof(cookie)});
	return cookie;
}

static struct sink **sink_find(uint64_t cookie)
{
	struct sink **at = &sinks;

	while (*at && (*at)->cookie != cookie)
		at = &(*at)->next;
	return at;
}

static int sink_keep(int first, int fd)
{
	struct sink *k = malloc(sizeof(*k));

	if (!k)
		return -ENOMEM;
	pthread_mutex_lock(&sinks_lock);
	*k = (struct sink){cookie_of(first), fd, sinks};
	sinks = k;
	pthread_mutex_unlock(&sinks_lock);
	return 0;
}

void port_sock_close(int fd)
{
	uint64_t cookie = cookie_of(fd);
	struct sink **at, *k;

	close(fd);
	pthread_mutex_lock(&sinks_lock);
	at = sink_find(cookie);
	k = *at;
	if (k)
		*at = k->next;
	pthread_mutex_unlock(&sinks_lock);
	if (k)
		close(k->fd);
	free(k);
}

uint64_t port_sock_thinned(int fd)
{
	uint32_t mem[SK_MEMINFO_VARS] = {0};
	struct sink *k;

	pthread_mutex_lock(&sinks_lock);
	k = *sink_find(cookie_of(fd));
	if (k)
		getsockopt(k->fd, SOL_SOCKET, SO_MEMINFO, mem, &(socklen_t){sizeof(mem)});
	pthread_mutex_unlock(&sinks_lock);
	return mem[SK_MEMINFO_DROPS];
}

// SO_REUSEPORT would let us share a port with another process of ours without a word: ask without
// it first. Fills in the port where the kernel chose one.
static int probe(struct endpoint *local, const struct port_sock_opts *o, char *err, size_t err_cap)
{
	struct sockaddr_storage sa;
	int fd = sock_open(local, o, err, err_cap);
	int rc;

	if (fd < 0)
		return fd;
	rc = sock_open_bind(fd, local, 0, o, err, err_cap);
	if (!rc && !getsockname(fd, (struct sockaddr *)&sa, &(socklen_t){sizeof(sa)}))
		endpoint_from_sockaddr(&sa, local);
	close(fd);
	return rc;
}

static int member_open(
	const struct endpoint *local, const struct port_sock_opts *o, char *err, size_t err_cap)
{
	int fd = sock_open(local, o, err, err_cap);
	int rc;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
	rc = sock_open_bind(fd, local, 0, o, err, err_cap);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

// The group's members are numbered in the order in which they were bound: workers, then the sink.
static int group_open(const struct endpoint *local, unsigned n_workers,
	const struct port_sock_opts *o, int *fds, unsigned *n_open, char *err, size_t err_cap)
{
	int rc = 0;

	for (*n_open = 0; *n_open <= n_workers; (*n_open)++) {
		int fd = member_open(local, o, err, err_cap);

		if (fd < 0)
			return fd;
		fds[*n_open] = fd;
		if (*n_open == 0)
			rc = sock_filter_steer(fd, n_workers);
		if (*n_open == n_workers)
			rc = sock_filter_drop_all(fd);
		if (rc) {
			(*n_open)++;
			snprintf(err, err_cap, "the kernel refuses a BPF socket program: %s",
				strerror(-rc));
			return rc;
		}
	}
	return 0;
}

int port_sock_listen(const struct endpoint *local, unsigned n_workers,
	const struct port_sock_opts *o, int *fds, char *err, size_t err_cap)
{
	struct endpoint at = sock_local(local);
	int group[DP_WORKERS_MAX + 1];
	unsigned n_open;
	int rc;

	if (!n_workers || n_workers > DP_WORKERS_MAX)
		return -EINVAL;
	rc = probe(&at, o, err, err_cap);
	if (rc)
		return rc;
	rc = group_open(&at, n_workers, o, group, &n_open, err, err_cap);
	if (!rc)
		rc = sink_keep(group[0], group[n_workers]);
	if (rc) {
		while (n_open > 0)
			close(group[--n_open]);
		return rc;
	}
	memcpy(fds, group, n_workers * sizeof(*fds));
	return 0;
}
