#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the files of ctl/http share of server and request.

#include "ctl/http/auth.h"
#include "ctl/http/conn.h"
#include "ctl/http/route.h"

#include <event2/keyvalq_struct.h>

struct http_server {
	struct event_base *base;
	struct http_config config; // defaults filled in
	struct auth_policy auth;
	struct route *routes;
	size_t n_routes;
	LIST_HEAD(, http_listener) listeners;
};

struct http_request {
	struct http_server *server;
	struct http_conn *conn;	   // NULL: the peer has gone
	struct evhttp_request *ev; // NULL: the peer has gone
	const struct route *route;
	enum evhttp_cmd_type command;
	char *path;
	struct evkeyvalq query;
	char *params[ROUTE_PARAMS]; // in the order of the pattern
	json_t *body;
	struct http_caller caller;
	bool streaming;
	http_stream_cb drained, gone;
	void *stream_arg;
};

// gencb of evhttp: a request is whole. arg: its listener.
void http_dispatch(struct evhttp_request *ev, void *arg);

// The connection goes away under a request.
void http_request_lost(struct http_request *r);

void http_request_free(struct http_request *r);
