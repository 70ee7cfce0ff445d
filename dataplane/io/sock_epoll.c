// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Receive by epoll and recvmmsg, for machines where io_uring is not allowed (Docker's default
// seccomp profile) or too old. Level-triggered: what one fill leaves behind is told again.

#include "io/sock.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 16

#define WAKE UINT32_MAX // instead of a slot

// io_uring writes name and control into the buffer; here they lie in front of the payload too.
struct front {
	struct sockaddr_in6 name;
	alignas(struct cmsghdr) uint8_t control[SOCK_CONTROL];
};

#define ROOM (SOCK_STAGING_LEN - sizeof(struct front))

static void message_prepare(
	struct port_sock *s, uint16_t staging, struct mmsghdr *m, struct iovec *v)
{
	struct front *f = (struct front *)sock_staging_at(s, staging);

	*v = (struct iovec){f + 1, ROOM};
	*m = (struct mmsghdr){.msg_hdr = {.msg_name = &f->name,
				      .msg_namelen = sizeof(f->name),
				      .msg_iov = v,
				      .msg_iovlen = 1,
				      .msg_control = f->control,
				      .msg_controllen = sizeof(f->control)}};
}

static void receive(struct port_sock *s, struct sock *from)
{
	struct sock_epoll *e = &s->epoll;
	struct mmsghdr m[SOCK_STAGING];
	struct iovec v[SOCK_STAGING];
	uint16_t staging[SOCK_STAGING];
	unsigned n = e->n_free;
	int got;

	for (unsigned i = 0; i < n; i++) {
		staging[i] = e->free[n - 1 - i];
		message_prepare(s, staging[i], &m[i], &v[i]);
	}
	got = recvmmsg(from->fd, m, n, MSG_DONTWAIT, NULL);
	if (got <= 0)
		return;
	e->n_free -= (unsigned)got;
	for (int i = 0; i < got; i++)
		sock_rx_stage(s, from, staging[i], &m[i].msg_hdr, m[i].msg_len);
}

static void fill(struct port_sock *s)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(s->epoll.fd, ev, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		if (ev[i].data.u32 == WAKE)
			sock_rx_clear_wake(s);
		else if (s->epoll.n_free)
			receive(s, &s->socks[ev[i].data.u32]);
	}
}

static void recycle(struct port_sock *s, uint16_t staging)
{
	s->epoll.free[s->epoll.n_free++] = staging;
}

static int watch(struct port_sock *s, int fd, uint32_t what)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = what};

	return epoll_ctl(s->epoll.fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int add(struct port_sock *s, unsigned slot)
{
	return watch(s, s->socks[slot].fd, slot);
}

static void del(struct port_sock *s, unsigned slot)
{
	epoll_ctl(s->epoll.fd, EPOLL_CTL_DEL, s->socks[slot].fd, NULL);
}

static void rx_wait(struct port_sock *s, uint32_t timeout_us)
{
	struct timespec t = {timeout_us / TS_S, (long)(timeout_us % TS_S) * 1000};
	struct epoll_event ev[EVENTS];
	int n = epoll_pwait2(s->epoll.fd, ev, EVENTS, &t, NULL);

	for (int i = 0; i < n; i++)
		if (ev[i].data.u32 == WAKE)
			sock_rx_clear_wake(s);
}

static void fini(struct port_sock *s)
{
	close(s->epoll.fd);
}

const struct sock_rx sock_epoll_rx = {
	.name = "epoll",
	.fill = fill,
	.recycle = recycle,
	.add = add,
	.del = del,
	.wait = rx_wait,
	.fini = fini,
};

int sock_epoll_init(struct port_sock *s)
{
	int rc;

	memset(&s->epoll, 0, sizeof(s->epoll));
	s->epoll.fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll.fd < 0)
		return -errno;
	rc = watch(s, s->wake_fd, WAKE);
	if (rc) {
		close(s->epoll.fd);
		return rc;
	}
	for (unsigned i = 0; i < SOCK_STAGING; i++)
		recycle(s, (uint16_t)i);
	return 0;
}
