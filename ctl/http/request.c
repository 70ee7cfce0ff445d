// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// From evhttp's request to the handler: each check either lets the request pass or answers it.

#include "ctl/http/server_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	enum evhttp_cmd_type type;
	const char *name;
} methods[] = {
	{EVHTTP_REQ_GET, "GET"},
	{EVHTTP_REQ_HEAD, "HEAD"},
	{EVHTTP_REQ_POST, "POST"},
	{EVHTTP_REQ_PUT, "PUT"},
	{EVHTTP_REQ_DELETE, "DELETE"},
	{EVHTTP_REQ_PATCH, "PATCH"},
	{EVHTTP_REQ_OPTIONS, "OPTIONS"},
};

const char *http_method(const struct http_request *r)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (methods[i].type == r->command)
			return methods[i].name;
	return "another method";
}

const char *http_path(const struct http_request *r)
{
	return r->path;
}

const char *http_param(const struct http_request *r, const char *name)
{
	int i = route_param(r->route->pattern, name);

	return i < 0 ? NULL : r->params[i];
}

const char *http_query(const struct http_request *r, const char *name)
{
	return evhttp_find_header(&r->query, name);
}

bool http_query_true(const struct http_request *r, const char *name)
{
	static const char *const yes[] = {"", "1", "true", "yes"};
	const char *v = http_query(r, name);

	for (size_t i = 0; v && i < sizeof(yes) / sizeof(*yes); i++)
		if (!strcasecmp(v, yes[i]))
			return true;
	return false;
}

const char *http_header(const struct http_request *r, const char *name)
{
	return r->ev ? evhttp_find_header(evhttp_request_get_input_headers(r->ev), name) : NULL;
}

const json_t *http_body(const struct http_request *r)
{
	return r->body;
}

const struct http_caller *http_caller(const struct http_request *r)
{
	return &r->caller;
}

// A page of another site whose name was pointed at loopback sends that name. Unix peers are no
// browsers.
static bool check_host(struct http_request *r)
{
	const struct http_config *config = &r->server->config;
	const struct http_listener *l = r->conn->listener;
	const char *host = evhttp_request_get_host(r->ev);
	size_t len = host ? strlen(host) : 0;

	if (l->is_unix)
		return true;
	if (!host) {
		http_reply_problem(r, 400, NULL, "the request has no Host header");
		return false;
	}
	if (len > 1 && *host == '[' && host[len - 1] == ']' && strlen(l->name) == len - 2 &&
		!strncmp(host + 1, l->name, len - 2))
		return true;
	if (!strcasecmp(host, "localhost") || !strcmp(host, l->name))
		return true;
	for (size_t i = 0; config->hosts && config->hosts[i]; i++)
		if (!strcasecmp(host, config->hosts[i]))
			return true;
	http_reply_problem(r, 421, NULL, "this node is not called \"%.128s\"", host);
	return false;
}

// "a=1&b": evhttp's own parser refuses a key without value.
static bool take_query(struct http_request *r, const char *query)
{
	char *copy = strdup(query), *rest = copy, *pair;
	bool ok = copy;

	while (ok && (pair = strsep(&rest, "&"))) {
		char *value = strchr(pair, '=');

		if (value)
			*value++ = '\0';
		char *k = evhttp_uridecode(pair, 1, NULL);
		char *v = evhttp_uridecode(value ? value : "", 1, NULL);

		ok = k && v && (!*k || !evhttp_add_header(&r->query, k, v));
		free(k);
		free(v);
	}
	free(copy);
	return ok;
}

static bool take_path(struct http_request *r)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(r->ev);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	const char *query = uri ? evhttp_uri_get_query(uri) : NULL;
	size_t len = 0;

	r->path = path ? evhttp_uridecode(path, 0, &len) : NULL;
	if (!r->path || !*r->path || strlen(r->path) != len) {
		http_reply_problem(r, 400, NULL, "the path of the request cannot be read");
		return false;
	}
	if (query && !take_query(r, query)) {
		http_reply_problem(r, 400, NULL, "the query of the request cannot be read");
		return false;
	}
	return true;
}

static bool take_params(struct http_request *r)
{
	struct route_span value[ROUTE_PARAMS] = {{0}};

	route_match(r->route->pattern, r->path, value);
	for (size_t i = 0; i < ROUTE_PARAMS && value[i].at; i++) {
		r->params[i] = strndup(value[i].at, value[i].len);
		if (!r->params[i]) {
			http_reply_problem(r, 500, NULL, "out of memory");
			return false;
		}
	}
	return true;
}

static bool find_route(struct http_request *r)
{
	char allow[128];

	r->route = route_find(r->server->routes, r->server->n_routes, http_method(r), r->path,
		allow, sizeof(allow));
	if (r->route)
		return take_params(r);
	if (!*allow) {
		http_reply_problem(r, 404, NULL, "there is nothing at %.200s", r->path);
		return false;
	}
	http_reply_header(r, "Allow", allow);
	http_reply_problem(r, 405, NULL, "%.200s takes %s, not %s", r->path, allow, http_method(r));
	return false;
}

static bool check_caller(struct http_request *r)
{
	char why[256];
	int status = auth_check(
		&r->caller, http_header(r, "Authorization"), r->route->role, why, sizeof(why));

	if (!status)
		return true;
	if (status == 401)
		http_reply_header(r, "WWW-Authenticate", "Bearer");
	http_reply_problem(r, status, NULL, "%s", why);
	return false;
}

static bool is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t n = sizeof(json) - 1;

	return type && !strncasecmp(type, json, n) &&
	       (!type[n] || type[n] == ';' || type[n] == ' ');
}

static bool take_body(struct http_request *r)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(r->ev);
	size_t len = evbuffer_get_length(in), max = r->server->config.body_max;
	json_error_t e;

	if (!len)
		return true;
	if (len > max) {
		http_reply_problem(
			r, 413, NULL, "the body has %zu bytes, at most %zu are taken", len, max);
		return false;
	}
	if (!is_json(http_header(r, "Content-Type"))) {
		http_reply_problem(r, 415, NULL, "the body must be application/json");
		return false;
	}
	r->body = json_loadb((char *)evbuffer_pullup(in, -1), len, JSON_REJECT_DUPLICATES, &e);
	if (r->body)
		return true;
	http_reply_problem(r, 400, "bad_json",
		"the body is not valid JSON at line %d, column %d: %s", e.line, e.column, e.text);
	return false;
}

static struct http_request *request_new(struct http_conn *c, struct evhttp_request *ev)
{
	struct http_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->server = c->listener->server;
	r->conn = c;
	r->ev = ev;
	r->command = evhttp_request_get_command(ev);
	r->caller = c->caller;
	TAILQ_INIT(&r->query);
	c->request = r;
	return r;
}

void http_request_free(struct http_request *r)
{
	evhttp_clear_headers(&r->query);
	for (size_t i = 0; i < ROUTE_PARAMS; i++)
		free(r->params[i]);
	free(r->path);
	json_decref(r->body);
	free(r);
}

void http_dispatch(struct evhttp_request *ev, void *arg)
{
	struct http_conn *c = http_conn_of(arg, ev);
	struct http_request *r = c ? request_new(c, ev) : NULL;

	if (!r) {
		evhttp_send_error(ev, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	http_conn_busy(c);
	if (check_host(r) && take_path(r) && find_route(r) && check_caller(r) && take_body(r))
		r->route->handler(r, r->route->arg);
}

// evhttp leaves a request that it gave to us to us, unless it takes the whole connection down.
void http_request_lost(struct http_request *r)
{
	struct evhttp_request *ev = r->ev;

	r->ev = NULL;
	r->conn = NULL;
	if (!evhttp_request_get_connection(ev))
		evhttp_request_free(ev);
	if (!r->streaming)
		return; // its handler has yet to reply
	r->gone(r, r->stream_arg);
	http_request_free(r);
}
