#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the files of the daemon share.

#include "ctl/daemon/daemon.h"

#include "ctl/api/resources.h"
#include "ctl/core/desired.h"
#include "ctl/daemon/config.h"
#include "ctl/daemon/dplink.h"
#include "ctl/daemon/hook.h"
#include "ctl/daemon/intent.h"
#include "ctl/daemon/resolver.h"
#include "ctl/daemon/secrets.h"
#include "ctl/daemon/snapshot.h"
#include "ctl/http/feed.h"
#include "ctl/http/server.h"

#include <jansson.h>
#include <assert.h>

#include <sys/queue.h>

#define SESSION_BAN_S_MAX 604800 // a week: what is to last is a rule
#define DAEMON_SETTLE_MS 1000u	 // a change's reply waits so long for the dataplane's answer
#define DAEMON_LIST_MAX 1000u	 // items of a page
#define DAEMON_FAMILIES 7u	 // of objects: /v1/listeners ...

struct change;
struct daemon;

// One of the collections of intent; what its handlers get.
struct family {
	struct daemon *daemon;
	const struct resource *res;
	uint32_t kind;
};

struct daemon {
	struct event_base *base;
	const struct config *config;
	struct store *store;
	struct vault *vault;
	struct intent *intent;
	struct resolver *resolver;
	struct dplink *dplink;
	struct hook *hook;
	struct snapshot snapshot;
	struct http_server *http;
	struct feed *feed;
	struct event *tick, *rebuild;
	ts_us started;
	unsigned ticks;
	bool loaded, store_failed;
	struct family families[DAEMON_FAMILIES];
	LIST_HEAD(, change) settling; // written, waiting for the dataplane
};

// changes.c: replies to POST, PUT and DELETE.
void changes_settled(struct daemon *d); // the dataplane has answered all: reply
// Write (doc) or remove (NULL) an item whose revision is rev, and its secrets (NULL: none) with it;
// the reply gets status when done.
void change_start(struct daemon *d, struct http_request *r, const struct resource *res,
	const char *name, store_rev rev, json_t *doc, const struct secrets *secrets, int status);
// And n more operations in the same transaction.
void change_start_with(struct daemon *d, struct http_request *r, const struct resource *res,
	const char *name, store_rev rev, json_t *doc, const struct secrets *secrets, int status,
	const struct intent_op *more, size_t n);
void reply_etag(struct http_request *r, store_rev rev); // the header of a document's revision

// objects.c: one document of the API out of intent and live state; a new reference.
json_t *object_json(struct daemon *d, const struct intent_item *item);
json_t *object_error_json(struct daemon *d, const struct intent_item *item); // null: no error
// stream_doc.c. item: NULL when nobody declared it; s: NULL when nobody is there.
json_t *stream_json(struct daemon *d, const struct intent_item *item, const struct live_stream *s);
json_t *stream_hists_json(struct daemon *d, const char *name); // {} while nothing is known of it

// text.c
// "s-NODE-INSTANCE-W.S.G", and back (0: no session of this dataplane).
const char *session_id(const struct daemon *d, uint64_t key, char *buf, size_t cap);
uint64_t session_key_parse(const struct daemon *d, const char *id);
#define SESSION_ID_MAX 320
// RFC 3339, UTC, milliseconds. us_ago: before now.
const char *time_text(ts_us us_ago, char buf[40]);
const char *unix_time_text(int64_t s, char buf[40]);
#define ETAG_MAX 32
const char *etag_text(store_rev rev, char buf[ETAG_MAX]);

// words.c: of enum dp_proto, dp_mode, dp_stream_state, dp_obj_state; any other number is "unknown".
const char *proto_word(uint32_t proto);
const char *mode_word(uint32_t mode);
const char *stream_state_word(uint32_t state);
const char *object_state_word(uint32_t state);

json_t *session_peer_json(const struct dp_session *s); // v1_sessions.c
// v1_links.c: what a publisher is in its group, and those of all, n that are links of it.
void session_add_links(struct daemon *d, json_t *out, const struct dp_session *s,
	const struct dp_session *all, size_t n);

// v1_keys.c
json_t *key_json(struct daemon *d, const struct intent_item *item);
bool key_for_stream(struct daemon *d, const char *stream, struct intent_item *out);
// The key itself. Returns its length, or as vault_open(); -ENOENT: it has lost its secret.
int key_open(struct daemon *d, const struct intent_item *key, uint8_t bytes[DP_SECRET_MAX]);

// v1_tokens.c
json_t *key_error_json(struct daemon *d, const struct intent_item *item); // null: it is there
json_t *token_json(const struct intent_item *item);			  // of a revoked one
#define REVOKED_TOKENS_MAX 10000u // what is left of DP_REVOKED_MAX is for keys
static_assert(REVOKED_TOKENS_MAX < DP_REVOKED_MAX);
json_t *revocation_doc(const char *id, int64_t until_s); // of a token or a key; a new reference
void tokens_purge(struct daemon *d);			 // those that have ended by themselves

// notices.c: what happened, as events of the feed.
void notice_of_dataplane(struct daemon *d, const struct dp_notice *n);
void notice_of_object(struct daemon *d, const struct dp_object_state *o);
void notice_of_intent(
	struct daemon *d, const struct intent_item *before, const struct intent_item *after);

// v1_*.c: families of the API. Each returns 0 or -ENOMEM.
int v1_status_routes(struct daemon *d);
int v1_object_routes(struct daemon *d);
int v1_session_routes(struct daemon *d);
int v1_key_routes(struct daemon *d);
int v1_token_routes(struct daemon *d);
int metrics_routes(struct daemon *d);
int openapi_routes(struct daemon *d);

// Common to lists: the limit asked for, at most `most`; the wrong kind is answered with 400
// (false).
bool list_limit(struct http_request *r, size_t most, size_t *limit);
