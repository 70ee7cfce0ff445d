// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "http_rig.h"

#include "base/ts.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 5000

void rig_start(struct rig *g, const struct http_config *config)
{
	char dir[] = "/tmp/sluice-http-XXXXXX", err[256];

	memset(g, 0, sizeof(*g));
	g->base = event_base_new();
	g->server = http_server_new(g->base, config);
	assert_non_null(mkdtemp(dir));
	snprintf(g->path, sizeof(g->path), "%s/api.sock", dir);
	assert_int_equal(http_listen_unix(g->server, g->path, 0600, err, sizeof(err)), 0);
	g->port = http_listen_tcp(g->server, "127.0.0.1:0", err, sizeof(err));
	assert_in_range(g->port, 1, 65535);
}

void rig_stop(struct rig *g)
{
	http_server_free(g->server);
	event_base_free(g->base);
	assert_int_equal(access(g->path, F_OK), -1); // the server took its socket file along
	*strrchr(g->path, '/') = '\0';
	rmdir(g->path);
}

bool rig_until(struct rig *g, bool (*done)(void *arg), void *arg, unsigned ms)
{
	ts_us end = ts_now() + (ts_us)ms * TS_MS;

	while (!done(arg)) {
		struct timeval slice = {.tv_usec = 2000};

		if (ts_now() > end)
			return false;
		event_base_loopexit(g->base, &slice);
		event_base_loop(g->base, EVLOOP_ONCE);
	}
	return true;
}

static int connected(int fd, const void *sa, socklen_t len)
{
	assert_int_equal(connect(fd, sa, len), 0); // the kernel's backlog answers
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

int rig_connect(struct rig *g)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)g->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return connected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &sa, sizeof(sa));
}

int rig_connect_unix(struct rig *g)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", g->path);
	return connected(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &sa, sizeof(sa));
}

struct sending {
	int fd;
	const char *at;
	size_t left;
};

static bool sent(void *arg)
{
	struct sending *s = arg;
	ssize_t n = send(s->fd, s->at, s->left, MSG_NOSIGNAL);

	if (n < 0)
		return errno != EAGAIN; // the server need not take everything
	s->at += n;
	s->left -= (size_t)n;
	return !s->left;
}

void rig_send(struct rig *g, int fd, const void *data, size_t len)
{
	struct sending s = {fd, data, len};

	assert_true(rig_until(g, sent, &s, PATIENCE_MS));
}

struct reading {
	int fd;
	const char *text;
	char *out;
	size_t len, cap;
};

static bool was_read(void *arg)
{
	struct reading *r = arg;
	ssize_t n = recv(r->fd, r->out + r->len, r->cap - 1 - r->len, 0);

	if (n < 0)
		return errno != EAGAIN;
	r->len += (size_t)n;
	r->out[r->len] = '\0';
	return !n || r->len == r->cap - 1 || (r->text && strstr(r->out, r->text));
}

bool rig_read(struct rig *g, int fd, const char *text, char *out, size_t cap)
{
	struct reading r = {fd, text, out, 0, cap};

	*out = '\0';
	return rig_until(g, was_read, &r, PATIENCE_MS);
}

void rig_ask(struct rig *g, const char *request, char *out, size_t cap)
{
	static const char tail[] = "Connection: close\r\n\r\n";
	int fd = rig_connect(g);

	rig_send(g, fd, request, strlen(request));
	if (!strstr(request, "\r\n\r\n"))
		rig_send(g, fd, tail, strlen(tail));
	assert_true(rig_read(g, fd, NULL, out, cap));
	close(fd);
}
