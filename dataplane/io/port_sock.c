// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/sock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define SOCKS_MAX INT16_MAX

static struct port_sock *self(struct port *p)
{
	return (struct port_sock *)p;
}

// --- served sockets -------------------------------------------------------------------------

static int slot_take(struct port_sock *s)
{
	struct sock *grown;

	for (unsigned i = 0; i < s->n_socks; i++)
		if (s->socks[i].fd < 0)
			return (int)i;
	if (s->n_socks == SOCKS_MAX)
		return -ENFILE;
	grown = realloc(s->socks, (s->n_socks + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->socks = grown;
	s->socks[s->n_socks] = (struct sock){.fd = -1};
	return (int)s->n_socks++;
}

static void by_port_add(struct port_sock *s, int slot)
{
	struct sock *k = &s->socks[slot];

	k->next = s->by_port[k->port];
	s->by_port[k->port] = (int16_t)slot;
}

static void by_port_del(struct port_sock *s, int slot)
{
	struct sock *k = &s->socks[slot];
	int at = s->by_port[k->port];

	if (at == slot) {
		s->by_port[k->port] = (int16_t)k->next;
		return;
	}
	while (s->socks[at].next != slot)
		at = s->socks[at].next;
	s->socks[at].next = k->next;
}

// A group's address is no source address: sends from a multicast source's port are as from any.
static int bound_to(int fd, struct endpoint *e)
{
	struct sockaddr_storage sa;
	int rc;

	if (getsockname(fd, (struct sockaddr *)&sa, &(socklen_t){sizeof(sa)}))
		return -errno;
	rc = endpoint_from_sockaddr(&sa, e);
	if (!rc && endpoint_is_multicast(e))
		memset(endpoint_is_v4(e) ? e->ip + 12 : e->ip, 0, endpoint_is_v4(e) ? 4 : 16);
	return rc;
}

static int sock_add(struct port *p, int fd, uint16_t tag)
{
	struct port_sock *s = self(p);
	struct endpoint e;
	struct sock *k;
	int slot, rc = bound_to(fd, &e);

	if (rc)
		return rc;
	slot = slot_take(s);
	if (slot < 0)
		return slot;
	k = &s->socks[slot];
	*k = (struct sock){.fd = fd,
		.tag = tag,
		.generation = (uint16_t)(k->generation + 1),
		.v6 = !endpoint_is_v4(&e),
		.any = endpoint_is_any(&e),
		.port = e.port};
	memcpy(k->ip, e.ip, sizeof(k->ip));
	rc = s->rx->add(s, (unsigned)slot);
	if (rc) {
		k->fd = -1;
		return rc;
	}
	by_port_add(s, slot);
	return 0;
}

static void slot_close(struct port_sock *s, unsigned slot)
{
	struct sock *k = &s->socks[slot];

	s->rx->del(s, slot);
	by_port_del(s, (int)slot);
	port_sock_close(k->fd);
	k->fd = -1;
}

static void sock_del(struct port *p, uint16_t tag)
{
	struct port_sock *s = self(p);

	sock_own_flush(p);
	for (unsigned i = 0; i < s->n_socks; i++)
		if (s->socks[i].fd >= 0 && s->socks[i].tag == tag)
			slot_close(s, i);
}

// --- the rest of the seam -------------------------------------------------------------------

// The kernel copies, so a payload is free as soon as the call returns.
static uint64_t sock_tx_posted(const struct port *p)
{
	return ((const struct port_sock *)p)->st.tx_packets;
}

static uint64_t sock_tx_done(struct port *p)
{
	return sock_tx_posted(p);
}

static void sock_stats(const struct port *p, struct port_stats *out)
{
	*out = ((const struct port_sock *)p)->st;
}

static void sock_close(struct port *p)
{
	struct port_sock *s = self(p);

	for (unsigned i = 0; i < s->n_socks; i++)
		if (s->socks[i].fd >= 0)
			slot_close(s, i);
	if (s->rx)
		s->rx->fini(s);
	for (unsigned i = 0; i < 2; i++)
		if (s->egress[i].fd >= 0)
			close(s->egress[i].fd);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	if (s->staging)
		munmap(s->staging, (size_t)SOCK_STAGING * SOCK_STAGING_LEN);
	free(s->tx);
	free(s->own);
	free(s->by_port);
	free(s->socks);
	free(s);
}

static const struct port_ops sock_ops = {
	.kind = "sock",
	.want_sum = false,
	.rx_burst = sock_rx_burst,
	.tx_fanout = sock_tx_fanout,
	.tx_private = sock_tx_private,
	.send = sock_own_send,
	.flush = sock_own_flush,
	.wait = sock_rx_wait,
	.wake = sock_rx_wake,
	.tx_posted = sock_tx_posted,
	.tx_done = sock_tx_done,
	.add = sock_add,
	.del = sock_del,
	.stats = sock_stats,
	.tx_errors = sock_tx_errors,
	.close = sock_close,
};

// --- open -----------------------------------------------------------------------------------

static bool memory_take(struct port_sock *s)
{
	void *at = mmap(NULL, (size_t)SOCK_STAGING * SOCK_STAGING_LEN, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	s->staging = at == MAP_FAILED ? NULL : at;
	s->tx = sock_tx_new();
	s->own = sock_own_new();
	s->by_port = malloc(SOCK_BY_PORT * sizeof(*s->by_port));
	for (unsigned i = 0; s->by_port && i < SOCK_BY_PORT; i++)
		s->by_port[i] = SOCK_NONE;
	s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return s->staging && s->tx && s->own && s->by_port && s->wake_fd >= 0;
}

// What comes back to a push (RTCP, or anything else) has no reader: let nothing in.
static void egress_open(
	struct port_sock *s, bool v6, const struct port_sock_opts *o, char *err, size_t err_cap)
{
	struct endpoint any = v6 ? (struct endpoint){0} : endpoint_of_v4(0, 0);
	int fd = sock_open(&any, o, err, err_cap);

	if (fd >= 0 && (sock_filter_drop_all(fd) || sock_open_bind(fd, &any, 0, o, err, err_cap))) {
		close(fd);
		fd = -1;
	}
	s->egress[v6].fd = fd;
}

static const struct sock_rx *rx_choose(struct port_sock *s, bool no_uring)
{
	if (!no_uring && !sock_uring_init(s))
		return &sock_uring_rx;
	return sock_epoll_init(s) ? NULL : &sock_epoll_rx;
}

struct port *port_sock_open(const struct port_sock_opts *o, char *err, size_t err_cap)
{
	struct port_sock *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->port.ops = &sock_ops;
	s->wake_fd = -1;
	s->egress[0] = (struct sock){.fd = -1, .any = true};
	s->egress[1] = (struct sock){.fd = -1, .any = true, .v6 = true};
	snprintf(err, err_cap, "no memory or no file descriptors left for a port");
	if (memory_take(s)) {
		egress_open(s, true, o, err, err_cap); // a machine may have no IPv6
		egress_open(s, false, o, err, err_cap);
		s->rx = s->egress[0].fd < 0 ? NULL : rx_choose(s, o->no_uring);
	}
	if (!s->rx) {
		sock_close(&s->port);
		return NULL;
	}
	return &s->port;
}

const char *port_sock_mode(const struct port *p)
{
	return ((const struct port_sock *)p)->rx->name;
}
