// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/http/server_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REAL_DIGITS 12

static const struct status {
	int status;
	const char *title, *code;
} statuses[] = {
	{200, "OK", ""},
	{201, "Created", ""},
	{202, "Accepted", ""},
	{204, "No Content", ""},
	{304, "Not Modified", ""},
	{400, "Bad Request", "bad_request"},
	{401, "Unauthorized", "unauthorized"},
	{403, "Forbidden", "forbidden"},
	{404, "Not Found", "not_found"},
	{405, "Method Not Allowed", "method_not_allowed"},
	{409, "Conflict", "conflict"},
	{410, "Gone", "gone"},
	{412, "Precondition Failed", "precondition_failed"},
	{413, "Content Too Large", "too_large"},
	{415, "Unsupported Media Type", "unsupported_media_type"},
	{421, "Misdirected Request", "misdirected"},
	{422, "Unprocessable Content", "invalid"},
	{429, "Too Many Requests", "too_many"},
	{500, "Internal Server Error", "internal"},
	{501, "Not Implemented", "not_implemented"},
	{503, "Service Unavailable", "unavailable"},
	{504, "Gateway Timeout", "timeout"},
};

static const struct status *status_of(int status)
{
	static const struct status other = {0, "Other", "other"};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].status == status)
			return &statuses[i];
	return &other;
}

void http_reply_header(struct http_request *r, const char *name, const char *value)
{
	if (r->ev)
		evhttp_add_header(evhttp_request_get_output_headers(r->ev), name, value);
}

static void add_default(struct http_request *r, const char *name, const char *value)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(r->ev);

	if (!evhttp_find_header(out, name))
		evhttp_add_header(out, name, value);
}

static void add_common(struct http_request *r, const char *type)
{
	if (type)
		add_default(r, "Content-Type", type);
	add_default(r, "Cache-Control", "no-store");
	add_default(r, "X-Content-Type-Options", "nosniff");
	add_default(r, "Cross-Origin-Resource-Policy", "same-origin");
}

// Ends the request. data: NULL for none.
static void reply(
	struct http_request *r, int status, const char *type, const void *data, size_t len)
{
	struct evhttp_request *ev = r->ev;
	struct evbuffer *out = ev && data ? evbuffer_new() : NULL;
	char length[24];

	if (ev) {
		add_common(r, type);
		if (r->command == EVHTTP_REQ_HEAD) {
			snprintf(length, sizeof(length), "%zu", len);
			http_reply_header(r, "Content-Length", length);
		} else if (out) {
			evbuffer_add(out, data, len);
		}
		http_conn_replying(r->conn);
		evhttp_send_reply(ev, status, status_of(status)->title, out);
	}
	if (out)
		evbuffer_free(out);
	http_request_free(r);
}

static void reply_json_as(struct http_request *r, int status, const char *type, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
	size_t len = text ? strlen(text) : 0;

	json_decref(body);
	if (text)
		text[len++] = '\n'; // for people with curl; takes the place of the NUL
	reply(r, text ? status : 500, type, text, len);
	free(text);
}

void http_reply_json(struct http_request *r, int status, json_t *body)
{
	reply_json_as(r, status, "application/json", body);
}

void http_reply_empty(struct http_request *r, int status)
{
	reply(r, status, NULL, NULL, 0);
}

void http_reply_data(
	struct http_request *r, int status, const char *type, const void *data, size_t len)
{
	reply(r, status, type, data, len);
}

// What came from outside may not be UTF-8: json strings must be.
static void make_ascii(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			*s = '?';
}

void http_reply_problem(struct http_request *r, int status, const char *code, const char *fmt, ...)
{
	const struct status *st = status_of(status);
	char detail[512];
	json_t *doc;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	doc = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title", st->title, "status",
		status, "detail", detail);
	if (!doc) {
		make_ascii(detail);
		doc = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title", st->title,
			"status", status, "detail", detail);
	}
	json_object_set_new(doc, "code", json_string(code ? code : st->code));
	reply_json_as(r, status, "application/problem+json", doc);
}

static void on_drained(struct evhttp_connection *evcon, void *arg)
{
	struct http_request *r = arg;

	(void)evcon;
	r->drained(r, r->stream_arg);
}

void http_stream_start(struct http_request *r, const char *type, http_stream_cb drained,
	http_stream_cb gone, void *arg)
{
	r->streaming = true;
	r->drained = drained;
	r->gone = gone;
	r->stream_arg = arg;
	add_common(r, type);
	http_conn_streaming(r->conn);
	evhttp_send_reply_start(r->ev, 200, "OK");
}

void http_stream_send(struct http_request *r, const void *data, size_t len)
{
	struct evbuffer *piece = evbuffer_new();

	if (!piece)
		return;
	evbuffer_add(piece, data, len);
	evhttp_send_reply_chunk_with_cb(r->ev, piece, on_drained, r);
	evbuffer_free(piece);
}

size_t http_stream_queued(const struct http_request *r)
{
	return evbuffer_get_length(bufferevent_get_output(r->conn->bev));
}

void http_stream_end(struct http_request *r)
{
	struct evhttp_request *ev = r->ev;

	http_conn_replying(r->conn);
	evhttp_send_reply_end(ev);
	http_request_free(r);
}

void http_stream_drop(struct http_request *r)
{
	struct evhttp_connection *evcon = r->conn->evcon;

	r->conn->request = NULL;
	evhttp_connection_free(evcon);
	http_request_free(r);
}
