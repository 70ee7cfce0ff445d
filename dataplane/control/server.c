// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/server.h"

#include "base/log.h"
#include "control/control_priv.h"
#include "ctl/dp/dp_wire.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

LOG_SUBSYSTEM(server)

#define SERVER_TURN 256u	// most messages of one client in one turn
#define SERVER_SNDBUF (4 << 20) // pages of dumps; the kernel gives less to others than root

struct server {
	struct control *control;
	int listen_fd, epoll_fd;
	uint64_t n_accepted;
	struct client clients[SERVER_CLIENTS];
	uint8_t buf[DP_MSG_MAX];
};

struct answer {
	struct answer *next;
	int fd;
	size_t len;
	uint8_t msg[];
};

static void watch(struct server *s, struct client *k, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = k};

	if (k->watched == events)
		return;
	epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, k->fd, &e);
	k->watched = events;
}

struct server *server_new(struct control *c, int listen_fd)
{
	struct epoll_event e = {.events = EPOLLIN};
	struct server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->control = c;
	s->listen_fd = listen_fd;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < SERVER_CLIENTS; i++)
		s->clients[i].fd = -1;
	if (s->epoll_fd >= 0 && !epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, listen_fd, &e))
		return s;
	server_free(s);
	return NULL;
}

static void answer_drop(struct client *k)
{
	struct answer *a = k->waiting;

	k->waiting = a->next;
	free(a);
}

static void drop(struct client *k)
{
	while (k->waiting)
		answer_drop(k);
	close(k->fd);
	*k = (struct client){.fd = -1};
}

void server_free(struct server *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < SERVER_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			drop(&s->clients[i]);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	free(s);
}

int server_fd(const struct server *s)
{
	return s->epoll_fd;
}

static unsigned readers(const struct server *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SERVER_CLIENTS; i++)
		n += s->clients[i].fd >= 0 && s->clients[i].role == DP_ROLE_READER;
	return n;
}

int server_role(struct server *s, struct client *k, uint32_t role)
{
	if (role == DP_ROLE_READER && k->role != role && readers(s) >= SERVER_READERS)
		return -EUSERS;
	for (unsigned i = 0; role == DP_ROLE_OWNER && i < SERVER_CLIENTS; i++)
		if (&s->clients[i] != k && s->clients[i].role == DP_ROLE_OWNER)
			drop(&s->clients[i]);
	if (!k->role)
		k->notices = notices_next(&s->control->notices);
	k->role = role;
	return 0;
}

// --- accepting ------------------------------------------------------------------------------

// A free place, else that of the connection which has said nothing for longest.
static struct client *place(struct server *s)
{
	struct client *oldest = NULL;

	for (unsigned i = 0; i < SERVER_CLIENTS; i++) {
		struct client *k = &s->clients[i];

		if (k->fd < 0)
			return k;
		if (!k->role && (!oldest || k->since < oldest->since))
			oldest = k;
	}
	if (oldest)
		drop(oldest);
	return oldest;
}

static void accept_one(struct server *s)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct epoll_event e = {.events = EPOLLIN};
	struct client *k;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SERVER_SNDBUF}, sizeof(int));
	k = place(s);
	e.data.ptr = k;
	if (!k || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e)) {
		log_warn("a client of dp.sock was turned away: there are %u", SERVER_CLIENTS);
		close(fd);
		return;
	}
	*k = (struct client){.fd = fd, .watched = EPOLLIN, .since = s->n_accepted++};
}

// --- sending --------------------------------------------------------------------------------

// 0, or -errno.
static int transmit(const struct client *to, const void *msg, size_t len, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {(void *)(uintptr_t)msg, len};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *h;

		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	}
	return sendmsg(to->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static bool is_full(int rc)
{
	return rc == -EAGAIN || rc == -ENOBUFS;
}

static void keep(struct client *to, const void *msg, size_t len, int fd)
{
	struct answer *a = malloc(sizeof(*a) + len);

	if (!a) {
		to->closing = true;
		return;
	}
	*a = (struct answer){.fd = fd, .len = len};
	memcpy(a->msg, msg, len);
	if (!to->waiting)
		to->waiting_tail = &to->waiting;
	*to->waiting_tail = a;
	to->waiting_tail = &a->next;
}

void server_send(struct client *to, const void *msg, size_t len, int fd)
{
	int rc = to->waiting ? -EAGAIN : transmit(to, msg, len, fd);

	if (is_full(rc))
		keep(to, msg, len, fd);
	else if (rc)
		to->closing = true;
}

void server_ask_owner(struct server *s, const void *msg, size_t len)
{
	for (unsigned i = 0; i < SERVER_CLIENTS; i++) {
		struct client *k = &s->clients[i];

		if (k->fd < 0 || k->role != DP_ROLE_OWNER || k->waiting || k->closing)
			continue;
		transmit(k, msg, len, -1); // lost when its socket is full: there is a time-out
		return;
	}
}

static void send_waiting(struct client *k)
{
	while (k->waiting) {
		int rc = transmit(k, k->waiting->msg, k->waiting->len, k->waiting->fd);

		if (is_full(rc))
			return;
		k->closing |= rc != 0;
		answer_drop(k);
	}
}

// False when the client has no room for more now.
static bool send_notice(struct server *s, struct client *k)
{
	struct dp_notice x;
	struct dp_writer w;
	uint32_t at = k->notices;
	int rc;

	if (!notices_get(&s->control->notices, &at, &x))
		return true;
	dp_wire_begin(&w, s->buf, DP_NOTICE, 0);
	dp_wire_put(&w, &x, sizeof(x));
	dp_wire_end(&w);
	rc = transmit(k, w.buf, w.len, -1);
	if (is_full(rc))
		return false;
	k->closing |= rc != 0;
	k->notices = at;
	return true;
}

// Everything there is for this client; then it is watched for what it can do next.
static void send_all(struct server *s, struct client *k)
{
	bool room;

	send_waiting(k);
	room = !k->waiting;
	while (room && k->role && !k->closing && k->notices != notices_next(&s->control->notices))
		room = send_notice(s, k);
	watch(s, k, (k->waiting ? 0 : EPOLLIN) | (room ? 0 : EPOLLOUT));
}

// --- reading --------------------------------------------------------------------------------

static void read_all(struct server *s, struct client *k)
{
	for (unsigned i = 0; i < SERVER_TURN && !k->closing && !k->waiting; i++) {
		ssize_t n = recv(k->fd, s->buf, sizeof(s->buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			k->closing = true;
			return;
		}
		ops_message(s->control, k, s->buf, (size_t)n);
		// It may have held a secret.
		OPENSSL_cleanse(s->buf, (size_t)n < sizeof(s->buf) ? (size_t)n : sizeof(s->buf));
	}
}

static void serve(struct server *s, struct client *k, uint32_t events)
{
	if (k->fd < 0)
		return; // ended by another one in this turn
	send_waiting(k);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_all(s, k);
}

void server_turn(struct server *s)
{
	struct epoll_event e[SERVER_CLIENTS + 1];
	int n = epoll_wait(s->epoll_fd, e, SERVER_CLIENTS + 1, 0);

	for (int i = 0; i < n; i++)
		if (e[i].data.ptr)
			serve(s, e[i].data.ptr, e[i].events);
	for (int i = 0; i < n; i++)
		if (!e[i].data.ptr)
			accept_one(s);
	for (unsigned i = 0; i < SERVER_CLIENTS; i++) {
		struct client *k = &s->clients[i];

		if (k->fd >= 0)
			send_all(s, k);
		if (k->fd >= 0 && k->closing)
			drop(k);
	}
}
