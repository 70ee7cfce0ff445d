// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/server.h"

#include "base/log.h"
#include "control/control_priv.h"
#include "ctl/dp/dp_wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

LOG_SUBSYSTEM(server)

#define SERVER_TURN 256u // most messages of one client in one turn

struct server {
	struct control *control;
	int listen_fd, epoll_fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct client clients[SERVER_CLIENTS];
	uint8_t buf[DP_MSG_MAX];
};

static bool answered(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && !connect(fd, (const struct sockaddr *)a, sizeof(*a));

	if (fd >= 0)
		close(fd);
	return yes;
}

static int bind_path(const char *path, char *err, size_t cap)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, rc = 0;

	if (strlen(path) >= sizeof(a.sun_path)) {
		snprintf(err, cap, "%s: path too long for a socket", path);
		return -ENAMETOOLONG;
	}
	strcpy(a.sun_path, path);
	if (answered(&a)) {
		snprintf(err, cap, "%s: another sluice-dp is running", path);
		return -EADDRINUSE;
	}
	unlink(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || chmod(path, 0660) ||
		listen(fd, SERVER_CLIENTS))
		rc = -errno;
	if (!rc)
		return fd;
	snprintf(err, cap, "%s: %s", path, strerror(-rc));
	if (fd >= 0)
		close(fd);
	return rc;
}

static void watch(const struct server *s, int fd, void *who)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = who};

	epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

struct server *server_open(struct control *c, const char *path, char *err, size_t err_cap)
{
	int fd = bind_path(path, err, err_cap);
	struct server *s = fd >= 0 ? calloc(1, sizeof(*s)) : NULL;

	if (!s)
		return NULL;
	s->control = c;
	s->listen_fd = fd;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	snprintf(s->path, sizeof(s->path), "%s", path);
	for (unsigned i = 0; i < SERVER_CLIENTS; i++)
		s->clients[i].fd = -1;
	watch(s, fd, NULL);
	return s;
}

static void drop(struct client *k)
{
	close(k->fd);
	*k = (struct client){.fd = -1};
}

void server_close(struct server *s)
{
	for (unsigned i = 0; i < SERVER_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			drop(&s->clients[i]);
	unlink(s->path);
	close(s->listen_fd);
	close(s->epoll_fd);
	free(s);
}

int server_fd(const struct server *s)
{
	return s->epoll_fd;
}

struct client *server_owner(struct server *s)
{
	for (unsigned i = 0; i < SERVER_CLIENTS; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].role == DP_ROLE_OWNER)
			return &s->clients[i];
	return NULL;
}

static void accept_one(struct server *s)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int size = 4 << 20;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (unsigned i = 0; i < SERVER_CLIENTS; i++)
		if (s->clients[i].fd < 0) {
			s->clients[i] = (struct client){.fd = fd};
			watch(s, fd, &s->clients[i]);
			return;
		}
	log_warn("more than %u clients: one was turned away", SERVER_CLIENTS);
	close(fd);
}

void server_send(struct client *to, const void *msg, size_t len, int fd)
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
	if (sendmsg(to->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		to->closing = true;
}

static void read_client(struct server *s, struct client *k)
{
	for (unsigned i = 0; i < SERVER_TURN && !k->closing; i++) {
		ssize_t n = recv(k->fd, s->buf, sizeof(s->buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			k->closing = true;
		else
			ops_message(s->control, k, s->buf, (size_t)n);
	}
	if (k->closing)
		drop(k);
}

// A notice that does not fit a client's socket now waits; the queue itself is what is lossy.
static bool fits(const struct client *k, const void *msg, size_t len)
{
	return send(k->fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static void send_notices(struct server *s)
{
	const struct dp_notice *x;
	struct client *owner = server_owner(s);
	struct dp_writer w;

	while ((x = notice_peek(&s->control->notices))) {
		dp_wire_begin(&w, s->buf, DP_NOTICE, 0);
		dp_wire_put(&w, x, sizeof(*x));
		dp_wire_end(&w);
		if (owner && !fits(owner, w.buf, w.len))
			return;
		for (unsigned i = 0; i < SERVER_CLIENTS; i++)
			if (s->clients[i].fd >= 0 && s->clients[i].role == DP_ROLE_READER)
				fits(&s->clients[i], w.buf, w.len);
		notice_pop(&s->control->notices);
	}
}

void server_turn(struct server *s)
{
	struct epoll_event e[SERVER_CLIENTS + 1];
	int n = epoll_wait(s->epoll_fd, e, SERVER_CLIENTS + 1, 0);

	for (int i = 0; i < n; i++)
		if (!e[i].data.ptr)
			accept_one(s);
		else
			read_client(s, e[i].data.ptr);
	send_notices(s);
}
