// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/http/server.h"

#include "ctl/http/server_priv.h"

#include "base/endpoint.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ANY_METHOD 0xffff // request.c answers those it does not know

// evconnlistener hands its error callback evhttp's argument, not ours: found again by this list.
static LIST_HEAD(, http_listener) all_listeners = LIST_HEAD_INITIALIZER(all_listeners);

static void set_defaults(struct http_config *c)
{
	c->body_max = c->body_max ? c->body_max : 1024 * 1024;
	c->header_max = c->header_max ? c->header_max : 16 * 1024;
	c->connections_max = c->connections_max ? c->connections_max : 1024;
	c->header_ms = c->header_ms ? c->header_ms : 5000;
	c->body_ms = c->body_ms ? c->body_ms : 30000;
	c->idle_ms = c->idle_ms ? c->idle_ms : 60000;
	c->admin_group = c->admin_group ? c->admin_group : "sluice";
	c->read_group = c->read_group ? c->read_group : "sluice-ro";
}

struct http_server *http_server_new(struct event_base *base, const struct http_config *config)
{
	struct http_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	signal(SIGPIPE, SIG_IGN);
	s->base = base;
	s->config = config ? *config : (struct http_config){0};
	set_defaults(&s->config);
	auth_policy_init(&s->auth, &s->config);
	LIST_INIT(&s->listeners);
	return s;
}

static void listener_free(struct http_listener *l)
{
	LIST_REMOVE(l, next);
	LIST_REMOVE(l, next_of_all);
	evhttp_free(l->evhttp); // its connections and the accepting socket too
	event_free(l->retry);
	if (l->is_unix)
		unlink(l->name);
	free(l);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	while (!LIST_EMPTY(&s->listeners))
		listener_free(LIST_FIRST(&s->listeners));
	free(s->routes);
	free(s);
}

static void on_accept_error(struct evconnlistener *accept, void *arg)
{
	struct http_listener *l;

	(void)arg;
	LIST_FOREACH(l, &all_listeners, next_of_all)
	if (l->accept == accept)
		http_accept_failed(l);
}

static struct evhttp *evhttp_for(struct http_server *s, struct http_listener *l)
{
	struct evhttp *h = evhttp_new(s->base);

	if (!h)
		return NULL;
	evhttp_set_allowed_methods(h, ANY_METHOD);
	evhttp_set_max_headers_size(h, (ev_ssize_t)s->config.header_max);
	// A body a little too long is answered by us, with a problem document; evhttp cuts the
	// rest.
	evhttp_set_max_body_size(h, (ev_ssize_t)s->config.body_max * 2);
	evhttp_set_flags(h, EVHTTP_SERVER_LINGERING_CLOSE);
	evhttp_set_bevcb(h, http_conn_accepted, l);
	evhttp_set_gencb(h, http_dispatch, l);
	return h;
}

// Takes the listening fd in every case.
static int listener_new(struct http_server *s, int fd, bool is_unix, const char *name)
{
	struct http_listener *l = calloc(1, sizeof(*l));

	if (!l)
		goto err;
	l->server = s;
	l->is_unix = is_unix;
	snprintf(l->name, sizeof(l->name), "%s", name);
	LIST_INIT(&l->conns);
	l->evhttp = evhttp_for(s, l);
	l->retry = event_new(s->base, -1, 0, http_accept_retry, l);
	l->accept = evconnlistener_new(
		s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!l->evhttp || !l->retry || !l->accept || !evhttp_bind_listener(l->evhttp, l->accept))
		goto err;
	evconnlistener_set_error_cb(l->accept, on_accept_error);
	LIST_INSERT_HEAD(&s->listeners, l, next);
	LIST_INSERT_HEAD(&all_listeners, l, next_of_all);
	return 0;
err:
	if (l && l->accept)
		evconnlistener_free(l->accept);
	else
		close(fd);
	if (l && l->evhttp)
		evhttp_free(l->evhttp);
	if (l && l->retry)
		event_free(l->retry);
	free(l);
	return -ENOMEM;
}

static int failed(int rc, const char *what, const char *where, char *err, size_t cap)
{
	snprintf(err, cap, "%s %s: %s", what, where, strerror(-rc));
	return rc;
}

// A socket file that nobody answers on is left over from a crash. Returns 0 when the path is free.
static int clear_stale(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (lstat(sa->sun_path, &st))
		rc = errno == ENOENT ? 0 : -errno;
	else if (!S_ISSOCK(st.st_mode) || !connect(fd, (const struct sockaddr *)sa, sizeof(*sa)))
		rc = -EADDRINUSE;
	else if (errno != ECONNREFUSED || unlink(sa->sun_path))
		rc = -errno;
	close(fd);
	return rc;
}

// The mode is set before anybody can connect: between bind and listen.
static int unix_socket(const struct sockaddr_un *sa, mode_t mode)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) && !chmod(sa->sun_path, mode) &&
		!listen(fd, SOMAXCONN))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int http_listen_unix(struct http_server *s, const char *path, mode_t mode, char *err, size_t cap)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return failed(-ENAMETOOLONG, "socket", path, err, cap);
	memcpy(sa.sun_path, path, strlen(path));
	rc = clear_stale(&sa);
	if (rc)
		return failed(rc, "socket", path, err, cap);
	rc = unix_socket(&sa, mode);
	if (rc < 0)
		return failed(rc, "cannot listen on", path, err, cap);
	rc = listener_new(s, rc, true, path);
	return rc ? failed(rc, "cannot listen on", path, err, cap) : 0;
}

static int tcp_socket(const struct endpoint *e, struct endpoint *bound)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(e, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, rc;

	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
		!bind(fd, (struct sockaddr *)&sa, len) && !listen(fd, SOMAXCONN) &&
		!getsockname(fd, (struct sockaddr *)&sa, &len) &&
		!endpoint_from_sockaddr(&sa, bound))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int http_listen_tcp(struct http_server *s, const char *addr_port, char *err, size_t cap)
{
	struct endpoint e, bound;
	char name[ENDPOINT_STRLEN];
	int rc;

	if (endpoint_parse(addr_port, &e)) {
		snprintf(err, cap, "listen address %s is not ADDR:PORT", addr_port);
		return -EINVAL;
	}
	if (!auth_is_loopback(&e)) {
		snprintf(err, cap, "listen address %s is not loopback, and that needs TLS",
			addr_port);
		return -EPERM;
	}
	rc = tcp_socket(&e, &bound);
	if (rc < 0)
		return failed(rc, "cannot listen on", addr_port, err, cap);
	rc = listener_new(s, rc, false, endpoint_ip_str(&bound, name, sizeof(name)));
	return rc ? failed(rc, "cannot listen on", addr_port, err, cap) : bound.port;
}

int http_route(struct http_server *s, const char *method, const char *pattern, enum http_role role,
	http_handler handler, void *arg)
{
	struct route *more = reallocarray(s->routes, s->n_routes + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	s->routes = more;
	s->routes[s->n_routes++] = (struct route){method, pattern, role, handler, arg};
	return 0;
}

unsigned http_connections(const struct http_server *s)
{
	const struct http_listener *l;
	unsigned n = 0;

	LIST_FOREACH(l, &s->listeners, next)
	n += l->n_conns;
	return n;
}
