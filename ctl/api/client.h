#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The client of sluiced's HTTP API: JSON in and out over the unix socket or a URL. Blocking; one
// thread. Every failure is an exit code of the command line and one sentence.

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

// Exit codes (and what the calls below return).
enum api_exit {
	API_OK,
	API_FAILURE,
	API_USAGE, // bad flag, name, URL, document
	API_NOT_FOUND,
	API_CONFLICT,
	API_REFUSED,
	API_UNREACHABLE,
	API_TIMEOUT,
	API_DEGRADED,
};

struct api_target {
	const char *socket;	// unix socket path; used when url is NULL
	const char *url;	// "http://127.0.0.1:8680" or https; no path
	const char *token_file; // bearer token, first line; NULL: none
	const char *cacert;	// PEM file; NULL: the system's
	unsigned timeout_ms;	// of one call, 0: 10,000
};

struct api_error {
	enum api_exit exit;
	int status;	  // HTTP status; 0: no answer came
	char code[32];	  // machine word of the problem: "not_found", "conflict"; empty: none
	char detail[512]; // one sentence
};

struct api_client;

// Returns NULL and fills err (unreadable token file, bad URL). Nothing is connected yet. The
// strings of the target are copied.
struct api_client *api_client_new(const struct api_target *t, struct api_error *err);
void api_client_free(struct api_client *c);

// One call. body: borrowed, NULL for none. *out gets the answer's document (NULL when it has none);
// out may be NULL. Returns API_OK, or err->exit with err filled and *out NULL.
enum api_exit api_call(struct api_client *c, const char *method, const char *path,
	const json_t *body, json_t **out, struct api_error *err);

// As api_call, with If-Match: etag (NULL: none).
enum api_exit api_call_match(struct api_client *c, const char *method, const char *path,
	const char *etag, const json_t *body, json_t **out, struct api_error *err);

// Of the last answer: its ETag ("" when it had none) and its status.
const char *api_etag(const struct api_client *c);
int api_status(const struct api_client *c);

// GET a list to its end, following "next". *out: an array of all items, owned by the caller.
enum api_exit api_list(struct api_client *c, const char *path, json_t **out, struct api_error *err);

// "/v1/streams/live/cam1" from "streams" and a name: slashes stay, what a path may not hold is
// percent-encoded. name NULL: the collection. The caller frees it.
char *api_path(const char *collection, const char *name);

// One event of the feed. data: borrowed. Return false to stop.
typedef bool (*api_event_cb)(const char *id, const char *type, const json_t *data, void *arg);

// Follow GET path (server-sent events) until the callback stops it (API_OK) or the connection
// ends (API_UNREACHABLE). last_id: resume behind that event; NULL: from now on. The target's
// timeout bounds the connecting only.
enum api_exit api_watch(struct api_client *c, const char *path, const char *last_id,
	api_event_cb cb, void *arg, struct api_error *err);

// What an HTTP status means to the command line: 404 -> API_NOT_FOUND.
enum api_exit api_exit_of_status(int status);
