#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// HTTP for sluiced: listeners, routes, JSON in and out, on libevent's evhttp. One thread, the
// event loop's. What a peer can send wrong is answered here; handlers see only well-formed
// requests of callers with the route's role.
//
// evhttp has no limit of connections and its time-out restarts with each byte, so this layer has
// its own: accept pauses at connections_max, a request's header must be whole after header_ms.

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event_base;
struct http_server;
struct http_request;

enum http_role { HTTP_ROLE_NONE, HTTP_ROLE_READ, HTTP_ROLE_OPERATE, HTTP_ROLE_ADMIN };

// Who asks (auth.c finds out).
struct http_caller {
	enum http_role role;
	bool is_unix;
	uid_t uid;     // of a unix peer
	pid_t pid;     // of a unix peer
	char name[96]; // for the audit trail: "uid 0", "127.0.0.1"
};

// Zero means the default.
struct http_config {
	size_t body_max;	  // bytes, 1 MiB
	size_t header_max;	  // bytes, 16 KiB
	unsigned connections_max; // 1,024 of each listener
	unsigned header_ms;	  // 5,000: from a request's first byte to the end of its header
	unsigned body_ms;	  // 30,000: from there to the end of its body
	unsigned idle_ms;	  // 60,000: between requests, and for a peer to take a reply
	bool anonymous_read;	  // TCP callers from loopback may read
	const char *const *hosts; // names accepted in Host, NULL-terminated; borrowed for life
	const char *admin_group;  // of unix peers, "sluice"
	const char *read_group;	  // "sluice-ro"
};

// Returns NULL when out of memory. Ignores SIGPIPE for the process.
struct http_server *http_server_new(struct event_base *base, const struct http_config *config);

// Close listeners and connections. Requests that a handler still holds are answered into the void.
void http_server_free(struct http_server *s);

// Listen on a unix socket; a stale socket file is replaced, a live one is not. Returns 0 or -errno
// (-EADDRINUSE: somebody answers there) with one sentence in err.
int http_listen_unix(struct http_server *s, const char *path, mode_t mode, char *err, size_t cap);

// Listen on "127.0.0.1:8680" or "[::1]:0". Without TLS only loopback is allowed: others get
// -EPERM. Returns the bound port, or -errno with one sentence in err.
int http_listen_tcp(struct http_server *s, const char *addr_port, char *err, size_t cap);

typedef void (*http_handler)(struct http_request *r, void *arg);

// Serve method and pattern. Segments: "/v1/routes/{id}" one segment, "/v1/streams/{name...}" the
// rest of the path with its slashes (only last). A literal segment goes before a parameter. Role:
// what the caller needs at least (HTTP_ROLE_NONE: anybody who may connect). GET serves HEAD too.
// Strings are borrowed for the server's life. Returns 0 or -ENOMEM.
int http_route(struct http_server *s, const char *method, const char *pattern, enum http_role role,
	http_handler handler, void *arg);

// A file of the web page, part of the program.
struct http_asset {
	const char *path; // "/", "/app.js"
	const char *type; // "text/html; charset=utf-8"
	const unsigned char *data;
	size_t len;
};

// Serve assets, with security headers and an ETag. Anybody may read them: they hold no data.
int http_assets(struct http_server *s, const struct http_asset *a, size_t n);

unsigned http_connections(const struct http_server *s);

// --- In a handler. Strings live as long as the request. ---

const char *http_method(const struct http_request *r);
const char *http_path(const struct http_request *r);			 // decoded, without query
const char *http_param(const struct http_request *r, const char *name);	 // NULL: not in pattern
const char *http_query(const struct http_request *r, const char *name);	 // NULL: not given
bool http_query_true(const struct http_request *r, const char *name);	 // "", "1", "true", "yes"
const char *http_header(const struct http_request *r, const char *name); // NULL: not given
const json_t *http_body(const struct http_request *r); // NULL: no body. Object or array else
const struct http_caller *http_caller(const struct http_request *r);

// Every request gets exactly one reply; it ends the request (do not touch it after). A handler may
// return first and reply later from the loop: when the peer has gone meanwhile, the reply goes
// nowhere and frees the request all the same.

// Add a header to the reply to come.
void http_reply_header(struct http_request *r, const char *name, const char *value);

// body: the reference is taken.
void http_reply_json(struct http_request *r, int status, json_t *body);
void http_reply_empty(struct http_request *r, int status);
void http_reply_data(
	struct http_request *r, int status, const char *type, const void *data, size_t len);

// application/problem+json (RFC 9457): type, title, status, detail and our code, one sentence.
// code: a machine word ("conflict"); NULL: the status's own ("not_found" for 404).
void http_reply_problem(struct http_request *r, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

// --- A reply without end (the feed). ---

typedef void (*http_stream_cb)(struct http_request *r, void *arg);

// Send the header of an endless reply. Afterwards only the calls below are allowed. drained: all
// that was queued has been handed to the kernel. gone: the peer has left or the server is going;
// called once, the request is freed after it.
void http_stream_start(struct http_request *r, const char *type, http_stream_cb drained,
	http_stream_cb gone, void *arg);

// Queue a piece. The caller looks at http_stream_queued() to bound what waits for a slow peer.
void http_stream_send(struct http_request *r, const void *data, size_t len);
size_t http_stream_queued(const struct http_request *r); // bytes

// End it from our side, in order or at once (a peer that does not read). `gone` is not called.
void http_stream_end(struct http_request *r);
void http_stream_drop(struct http_request *r);
