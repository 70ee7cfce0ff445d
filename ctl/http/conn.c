// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/http/conn.h"

#include "ctl/http/server_priv.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

LOG_SUBSYSTEM(http)

#define ACCEPT_RETRY_MS 100

static struct timeval of_ms(unsigned ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static const struct http_config *config_of(const struct http_conn *c)
{
	return &c->listener->server->config;
}

static void set_phase(struct http_conn *c, enum http_phase phase, unsigned ms)
{
	struct timeval t = of_ms(ms);

	c->phase = phase;
	event_del(c->timer);
	if (ms)
		event_add(c->timer, &t);
}

// Has the header ended within p[0..n)? Line ends before its first line do not count: else they
// would buy the longer deadline of a body.
static bool head_ends(struct http_conn *c, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			if (c->head_started && !c->line_started)
				return true;
			c->line_started = false;
		} else if (p[i] != '\r') {
			c->line_started = c->head_started = true;
		}
	}
	return false;
}

static void scan_head(struct http_conn *c, struct evbuffer *in, size_t from)
{
	char piece[1024];
	struct evbuffer_ptr at;
	size_t left = evbuffer_get_length(in) - from;

	if (!left || evbuffer_ptr_set(in, &at, from, EVBUFFER_PTR_SET))
		return;
	while (left) {
		ev_ssize_t n = evbuffer_copyout_from(in, &at, piece, sizeof(piece));

		if (n <= 0)
			return;
		if (head_ends(c, piece, (size_t)n)) {
			set_phase(c, HTTP_BODY, config_of(c)->body_ms);
			return;
		}
		left -= (size_t)n;
		if (left)
			evbuffer_ptr_set(in, &at, (size_t)n, EVBUFFER_PTR_ADD);
	}
}

static void head_begins(struct http_conn *c, struct evbuffer *in)
{
	c->line_started = c->head_started = false;
	set_phase(c, HTTP_HEAD, config_of(c)->header_ms);
	scan_head(c, in, 0);
}

static void on_input(struct evbuffer *in, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_conn *c = arg;

	if (!info->n_added)
		return;
	if (c->phase == HTTP_IDLE)
		head_begins(c, in);
	else if (c->phase == HTTP_HEAD)
		scan_head(c, in, evbuffer_get_length(in) - info->n_added);
}

static void conn_free(struct http_conn *c)
{
	struct http_listener *l = c->listener;

	LIST_REMOVE(c, next);
	evbuffer_remove_cb_entry(bufferevent_get_input(c->bev), c->input);
	event_free(c->timer);
	free(c);
	if (l->n_conns-- == l->server->config.connections_max)
		evconnlistener_enable(l->accept);
}

static void on_close(struct evhttp_connection *evcon, void *arg)
{
	struct http_conn *c = arg;

	(void)evcon;
	if (c->request)
		http_request_lost(c->request);
	conn_free(c);
}

// evhttp tells nobody of a connection before its first request is whole, but hangs itself on the
// bufferevent's callbacks: their argument is the connection. The reference taken at accept keeps
// the bufferevent readable if evhttp gave up on it meanwhile; its callbacks are gone then.
static void adopt(struct http_conn *c)
{
	void *evcon = NULL;

	bufferevent_getcb(c->bev, NULL, NULL, NULL, &evcon);
	c->evcon = evcon;
	if (evcon) {
		evhttp_connection_set_closecb(c->evcon, on_close, c);
		auth_caller(&c->listener->server->auth, bufferevent_getfd(c->bev), &c->caller);
	}
	bufferevent_decref(c->bev);
	if (!evcon)
		conn_free(c);
	else
		set_phase(c, HTTP_HEAD, config_of(c)->header_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;

	(void)fd;
	(void)what;
	if (!c->evcon)
		adopt(c);
	else
		evhttp_connection_free(c->evcon);
}

struct bufferevent *http_conn_accepted(struct event_base *base, void *arg)
{
	struct http_listener *l = arg;
	const struct http_config *config = &l->server->config;
	struct http_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->listener = l;
	c->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	c->timer = event_new(base, -1, 0, on_timer, c);
	if (!c->bev || !c->timer)
		goto err;
	c->input = evbuffer_add_cb(bufferevent_get_input(c->bev), on_input, c);
	if (!c->input)
		goto err;
	// A peer that sends while we do not read its requests: bounded here.
	bufferevent_setwatermark(c->bev, EV_READ, 0, 2 * config->body_max + config->header_max);
	bufferevent_incref(c->bev);
	LIST_INSERT_HEAD(&l->conns, c, next);
	if (++l->n_conns == config->connections_max)
		evconnlistener_disable(l->accept);
	event_active(c->timer, EV_TIMEOUT, 0); // adopt() once evhttp is done with the accept
	return c->bev;
err:
	if (c->timer)
		event_free(c->timer);
	if (c->bev)
		bufferevent_free(c->bev);
	free(c);
	return NULL;
}

struct http_conn *http_conn_of(struct http_listener *l, struct evhttp_request *ev)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
	struct http_conn *c;

	LIST_FOREACH(c, &l->conns, next)
	if (c->evcon == evcon)
		return c;
	return NULL;
}

void http_conn_busy(struct http_conn *c)
{
	set_phase(c, HTTP_BUSY, 0);
}

static void on_complete(struct evhttp_request *ev, void *arg)
{
	struct http_conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(c->bev);

	(void)ev;
	if (evbuffer_get_length(in))
		head_begins(c, in); // the next request was sent ahead
	else
		set_phase(c, HTTP_IDLE, config_of(c)->idle_ms);
}

void http_conn_replying(struct http_conn *c)
{
	evhttp_request_set_on_complete_cb(c->request->ev, on_complete, c);
	c->request = NULL;
	set_phase(c, HTTP_BUSY, config_of(c)->idle_ms);
}

void http_conn_streaming(struct http_conn *c)
{
	set_phase(c, HTTP_BUSY, 0);
}

void http_accept_retry(evutil_socket_t fd, short what, void *arg)
{
	struct http_listener *l = arg;

	(void)fd;
	(void)what;
	if (l->n_conns < l->server->config.connections_max)
		evconnlistener_enable(l->accept);
}

// Out of descriptors: the waiting peer stays in the kernel's queue and would wake us at once
// again, so look away for a moment.
void http_accept_failed(struct http_listener *l)
{
	static struct log_limit limit = {.n = 1};
	struct timeval t = of_ms(ACCEPT_RETRY_MS);

	if (log_limit_ok(&limit, (unsigned long)time(NULL)))
		log_warn("cannot accept on %s: %s", l->name,
			evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	evconnlistener_disable(l->accept);
	event_add(l->retry, &t);
}
