// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Listeners, streams, sources, routes and users: /v1/COLLECTION and /v1/COLLECTION/NAME.

#include "ctl/daemon/daemon_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

// The name an object has in paths and keys.
static const char *name_of(const struct family *f, const json_t *doc, char *buf, size_t cap)
{
	const char *node = f->daemon->config->node;
	char id[DESIRED_ID_LEN];

	if (!strcmp(f->res->id, "name"))
		snprintf(buf, cap, "%s", json_string_value(json_object_get(doc, "name")));
	else
		snprintf(buf, cap, "%s",
			desired_id_text(f->kind, desired_id(f->kind, doc, node), id));
	return buf;
}

// A document on its way in.
struct taken {
	char name[STORE_KEY_MAX];
	struct secrets secrets;
};

static bool only_stream(struct http_request *r, const json_t *doc)
{
	const char *wanted = http_query(r, "stream");
	const char *name = json_string_value(json_object_get(doc, "stream"));

	return !wanted || !name || !strcmp(wanted, name);
}

static json_t *list_objects(
	struct family *f, struct http_request *r, size_t limit, const char *after, json_t **next)
{
	struct intent_item item = {0};
	json_t *items = json_array();

	for (; intent_next(f->daemon->intent, f->kind, after, &item); after = item.name) {
		if (!only_stream(r, item.doc))
			continue;
		if (json_array_size(items) == limit) {
			*next = json_string(after);
			break;
		}
		json_array_append_new(items, object_json(f->daemon, &item));
	}
	return items;
}

// Declared and live streams, merged: both come in name order.
static json_t *list_streams(struct family *f, size_t limit, const char *after, json_t **next)
{
	struct daemon *d = f->daemon;
	json_t *items = json_array();

	snapshot_read(&d->snapshot, ts_now(), 100 * TS_MS);
	for (;;) {
		struct intent_item item = {0};
		bool declared = intent_next(d->intent, DP_STREAM, after, &item);
		const struct live_stream *s = snapshot_next(&d->snapshot, after);
		int order = !declared ? 1 : !s ? -1 : strcmp(item.name, s->name);

		if (!declared && !s)
			return items;
		if (json_array_size(items) == limit) {
			*next = json_string(after);
			return items;
		}
		json_array_append_new(
			items, stream_json(d, order <= 0 ? &item : NULL, order >= 0 ? s : NULL));
		after = order <= 0 ? item.name : s->name;
	}
}

static void on_list(struct http_request *r, void *arg)
{
	struct family *f = arg;
	const char *after = http_query(r, "cursor");
	json_t *items, *next = NULL;
	size_t limit;

	if (!list_limit(r, DAEMON_LIST_MAX, &limit))
		return;
	items = f->kind == DP_STREAM ? list_streams(f, limit, after, &next)
				     : list_objects(f, r, limit, after, &next);
	http_reply_json(
		r, 200, json_pack("{s:o, s:o}", "items", items, "next", next ? next : json_null()));
}

static void not_found(struct http_request *r, const struct family *f)
{
	http_reply_problem(
		r, 404, NULL, "there is no %s %.160s", f->res->noun, http_param(r, "name"));
}

static json_t *with_hists(const struct family *f, json_t *doc)
{
	const char *name = json_string_value(json_object_get(doc, "name"));

	if (f->kind == DP_STREAM)
		json_object_set_new(doc, "histograms", stream_hists_json(f->daemon, name));
	return doc;
}

static void on_show(struct http_request *r, void *arg)
{
	struct family *f = arg;
	struct daemon *d = f->daemon;
	const struct live_stream *s = NULL;
	struct intent_item item;

	if (intent_get(d->intent, f->kind, http_param(r, "name"), &item)) {
		reply_etag(r, item.rev);
		http_reply_json(r, 200, with_hists(f, object_json(d, &item)));
		return;
	}
	if (f->kind == DP_STREAM) {
		snapshot_read(&d->snapshot, ts_now(), 100 * TS_MS);
		s = snapshot_stream(&d->snapshot, http_param(r, "name"));
	}
	if (s)
		http_reply_json(r, 200, with_hists(f, stream_json(d, NULL, s)));
	else
		not_found(r, f);
}

// A hook has to be known to those who are to ask it.
static bool lacks_hook(const struct family *f, const json_t *doc)
{
	static const char *const fields[] = {"publish_auth", "play_auth"};

	for (size_t i = 0; i < 2 && !f->daemon->config->hook; i++) {
		const char *auth = json_string_value(json_object_get(doc, fields[i]));

		if (auth && !strcmp(auth, "hook") && json_is_null(json_object_get(doc, "hook")))
			return true;
	}
	return false;
}

// Its name and its secrets. Returns 0, or -EINVAL with one sentence.
static int take_secrets(const struct family *f, json_t *doc, struct taken *t, char *err, size_t cap)
{
	struct daemon *d = f->daemon;

	name_of(f, doc, t->name, sizeof(t->name));
	return secrets_take(
		&t->secrets, d->vault, d->intent, f->res, f->kind, t->name, doc, err, cap);
}

// The body as an intent in its one spelling, without its secrets; NULL when the request has been
// answered.
static json_t *take_intent(
	struct http_request *r, const struct family *f, enum resource_op op, struct taken *t)
{
	char err[512], why[448];
	json_t *doc;

	if (!http_body(r)) {
		http_reply_problem(r, 400, NULL, "the body must be a JSON object");
		return NULL;
	}
	if (resource_validate(f->res, http_body(r), op, err, sizeof(err))) {
		http_reply_problem(r, 400, "invalid", "%s", err);
		return NULL;
	}
	doc = resource_intent(f->res, http_body(r));
	if (desired_spell(f->kind, doc, why, sizeof(why)))
		snprintf(err, sizeof(err), "url: %s", why);
	else if (lacks_hook(f, doc))
		snprintf(err, sizeof(err),
			"a stream that asks a hook needs its URL, and the daemon has no default");
	else if (!take_secrets(f, doc, t, err, sizeof(err)))
		return doc;
	http_reply_problem(r, 400, "invalid", "%s", err);
	json_decref(doc);
	return NULL;
}

// Two sources cannot share a socket. Answers the request when they would.
static bool is_taken(struct http_request *r, const struct family *f, const json_t *doc)
{
	const json_t *url = json_object_get(doc, "url");
	struct intent_item item = {0};
	const char *after = NULL;

	if (f->kind != DP_SOURCE)
		return false;
	for (; intent_next(f->daemon->intent, f->kind, after, &item); after = item.name) {
		if (!json_equal(url, json_object_get(item.doc, "url")))
			continue;
		http_reply_problem(r, 409, NULL, "%s is already the source of %s",
			json_string_value(url),
			json_string_value(json_object_get(item.doc, "stream")));
		return true;
	}
	return false;
}

// The same object again is fine, another content under its name is not.
static void add_again(struct http_request *r, struct family *f, const struct intent_item *item,
	const json_t *doc, const struct secrets *secrets)
{
	json_t *old = resource_intent(f->res, item->doc);

	if (json_equal(old, doc) && !secrets_differ(secrets)) {
		reply_etag(r, item->rev);
		http_reply_json(r, 200, object_json(f->daemon, item));
	} else {
		http_reply_problem(r, 409, NULL,
			"the %s %.160s is there already, with other content: %s", f->res->noun,
			item->name,
			f->kind == DP_STREAM ? "change it with set" : "delete it first");
	}
	json_decref(old);
}

static void add(struct http_request *r, struct family *f, json_t *doc, const struct taken *t)
{
	char location[STORE_KEY_MAX + 64];
	struct intent_item item;

	if (intent_get(f->daemon->intent, f->kind, t->name, &item)) {
		add_again(r, f, &item, doc, &t->secrets);
	} else if (is_taken(r, f, doc)) {
		// answered
	} else if (http_query_true(r, "dry_run")) {
		item = (struct intent_item){f->kind, t->name, doc, 0};
		http_reply_json(r, 201, object_json(f->daemon, &item));
	} else {
		snprintf(location, sizeof(location), "/v1/%s/%s", f->res->collection, t->name);
		http_reply_header(r, "Location", location);
		change_start(f->daemon, r, f->res, t->name, 0, json_incref(doc), &t->secrets, 201);
	}
}

static void on_add(struct http_request *r, void *arg)
{
	struct taken t = {0};
	json_t *doc = take_intent(r, arg, RESOURCE_ADD, &t);

	if (doc)
		add(r, arg, doc, &t);
	secrets_wipe(&t.secrets);
	json_decref(doc);
}

// If-Match names the revision that the caller has read.
static bool matches(struct http_request *r, const struct family *f, const struct intent_item *item)
{
	const char *match = http_header(r, "If-Match");
	char etag[ETAG_MAX];

	if (!match || !strcmp(match, "*") || !strcmp(match, etag_text(item->rev, etag)))
		return true;
	http_reply_problem(r, 412, NULL, "the %s was changed meanwhile", f->res->noun);
	return false;
}

static bool find_declared(struct http_request *r, const struct family *f, struct intent_item *item)
{
	const char *name = http_param(r, "name");

	if (intent_get(f->daemon->intent, f->kind, name, item))
		return matches(r, f, item);
	if (f->kind == DP_STREAM)
		http_reply_problem(r, 404, NULL, "the stream %.160s is not declared", name);
	else
		not_found(r, f);
	return false;
}

static void put(struct http_request *r, struct family *f, struct intent_item *item, json_t *doc,
	const struct taken *t)
{
	bool same = json_equal(doc, item->doc) && !secrets_differ(&t->secrets);

	if (strcmp(t->name, item->name) != 0) {
		http_reply_problem(r, 400, "invalid",
			"what names a %s cannot change; delete it and add another", f->res->noun);
	} else if (http_query_true(r, "dry_run") || same) {
		item->doc = doc;
		reply_etag(r, item->rev);
		http_reply_json(r, 200, object_json(f->daemon, item));
	} else {
		change_start(f->daemon, r, f->res, t->name, item->rev, json_incref(doc),
			&t->secrets, 200);
	}
}

static void on_put(struct http_request *r, void *arg)
{
	struct intent_item item;
	struct taken t = {0};
	json_t *doc;

	if (!find_declared(r, arg, &item) || !(doc = take_intent(r, arg, RESOURCE_REPLACE, &t)))
		return;
	put(r, arg, &item, doc, &t);
	secrets_wipe(&t.secrets);
	json_decref(doc);
}

static void on_delete(struct http_request *r, void *arg)
{
	struct family *f = arg;
	struct intent_item item;
	struct secrets secrets;

	if (!find_declared(r, f, &item))
		return;
	secrets_drop(&secrets, f->daemon->intent, f->res, f->kind, item.name);
	if (http_query_true(r, "dry_run"))
		http_reply_empty(r, 204);
	else
		change_start(f->daemon, r, f->res, item.name, item.rev, NULL, &secrets, 204);
}

static int add_routes(struct family *f, const char *collection, const char *one)
{
	struct http_server *h = f->daemon->http;
	int rc = http_route(h, "GET", collection, HTTP_ROLE_READ, on_list, f);

	if (!one)
		return rc;
	rc = rc ? rc : http_route(h, "POST", collection, HTTP_ROLE_ADMIN, on_add, f);
	rc = rc ? rc : http_route(h, "GET", one, HTTP_ROLE_READ, on_show, f);
	rc = rc ? rc : http_route(h, "PUT", one, HTTP_ROLE_ADMIN, on_put, f);
	return rc ? rc : http_route(h, "DELETE", one, HTTP_ROLE_ADMIN, on_delete, f);
}

int v1_object_routes(struct daemon *d)
{
	static const struct {
		const char *noun, *collection, *one;
	} all[] = {
		{"listener", "/v1/listeners", "/v1/listeners/{name}"},
		{"stream", "/v1/streams", "/v1/streams/{name...}"},
		{"source", "/v1/sources", "/v1/sources/{name}"},
		{"route", "/v1/routes", "/v1/routes/{name}"},
		{"user", "/v1/users", "/v1/users/{name}"},
		{"key", "/v1/keys", NULL}, // their other verbs have files of their own
		{"token", "/v1/tokens", NULL},
	};
	int rc = 0;

	static_assert(sizeof(all) / sizeof(*all) == DAEMON_FAMILIES);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all) && !rc; i++) {
		struct family *f = &d->families[i];

		*f = (struct family){d, resource_find(all[i].noun), desired_kind(all[i].noun)};
		rc = add_routes(f, all[i].collection, all[i].one);
	}
	return rc;
}
