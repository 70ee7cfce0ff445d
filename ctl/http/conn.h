#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Connections and listeners below evhttp: what it does not bound. A connection stands in one of
// four phases; each but BUSY has a deadline that no trickle of bytes can move.

#include "ctl/http/server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include <sys/queue.h>

struct http_listener {
	LIST_ENTRY(http_listener) next, next_of_all;
	struct http_server *server;
	struct evhttp *evhttp;
	struct evconnlistener *accept;
	struct event *retry; // after the process ran out of descriptors
	LIST_HEAD(, http_conn) conns;
	unsigned n_conns;
	bool is_unix;
	char name[112]; // socket path, or address without port: good in Host
};

enum http_phase {
	HTTP_IDLE, // between requests
	HTTP_HEAD, // header not whole yet
	HTTP_BODY, // body not whole yet
	HTTP_BUSY, // ours: handler and reply
};

struct http_conn {
	LIST_ENTRY(http_conn) next;
	struct http_listener *listener;
	struct bufferevent *bev;
	struct evhttp_connection *evcon; // NULL: not known yet
	struct evbuffer_cb_entry *input;
	struct event *timer;
	struct http_request *request; // NULL but in HTTP_BUSY
	struct http_caller caller;
	enum http_phase phase;
	bool line_started, head_started; // where HTTP_HEAD stands in the bytes
};

// bevcb of evhttp: a connection was accepted. arg: its listener.
struct bufferevent *http_conn_accepted(struct event_base *base, void *arg);

// The connection a request came on; NULL when it could not be tracked (out of memory).
struct http_conn *http_conn_of(struct http_listener *l, struct evhttp_request *ev);

void http_conn_busy(struct http_conn *c);      // a request is whole: no deadline
void http_conn_replying(struct http_conn *c);  // its reply is queued: idle_ms to take it
void http_conn_streaming(struct http_conn *c); // its reply does not end: no deadline

// The listener cannot accept (out of descriptors): pause it for a moment. Then its retry event.
void http_accept_failed(struct http_listener *l);
void http_accept_retry(evutil_socket_t fd, short what, void *listener);
