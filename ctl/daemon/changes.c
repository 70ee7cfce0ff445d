// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// From a valid change to its reply: written durably, then handed to the dataplane, whose answer the
// reply waits for a moment (decisions B11). Whoever acts on a 2xx finds the dataplane changed, or
// reads in the reply's `state` that it is not.

#include "ctl/daemon/daemon_priv.h"

#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct change {
	LIST_ENTRY(change) next;
	struct daemon *daemon;
	struct http_request *request;
	const struct resource *res;
	char *name;
	json_t *doc; // NULL: a removal
	int status;
	uint64_t changes; // of the dplink, before it
	bool waits;	  // stands in daemon.settling
	struct event *timer;
};

static void change_free(struct change *c)
{
	if (c->waits)
		LIST_REMOVE(c, next);
	if (c->timer)
		event_free(c->timer);
	json_decref(c->doc);
	free(c->name);
	free(c);
}

void reply_etag(struct http_request *r, store_rev rev)
{
	char etag[ETAG_MAX];

	http_reply_header(r, "ETag", etag_text(rev, etag));
}

static void reply(struct change *c)
{
	struct daemon *d = c->daemon;
	struct intent_item item;

	snapshot_expire(&d->snapshot); // the next look must see what this changed
	if (!c->doc) {
		http_reply_empty(c->request, 204);
	} else if (d->intent && intent_get(d->intent, desired_kind(c->res->noun), c->name, &item)) {
		reply_etag(c->request, item.rev);
		http_reply_json(c->request, c->status, object_json(d, &item));
	} else {
		// Written, and removed again meanwhile or the daemon stops: what was written.
		http_reply_json(c->request, c->status, json_incref(c->doc));
	}
	change_free(c);
}

void changes_settled(struct daemon *d)
{
	while (!LIST_EMPTY(&d->settling))
		reply(LIST_FIRST(&d->settling));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	reply(arg);
}

static void refuse(struct change *c, enum store_rc rc)
{
	if (rc == STORE_CAS)
		http_reply_problem(
			c->request, 412, NULL, "the %s was changed meanwhile", c->res->noun);
	else if (rc == STORE_UNKNOWN)
		http_reply_problem(c->request, 503, "store_unknown",
			"the store did not answer, and may have the change or not: read it again");
	else if (rc == STORE_TOO_BIG)
		http_reply_problem(
			c->request, 413, NULL, "the %s is too large to be kept", c->res->noun);
	else
		http_reply_problem(c->request, 503, "store_unavailable",
			"the store cannot be written, nothing was changed");
	change_free(c);
}

static void on_written(void *arg, enum store_rc rc, store_rev rev)
{
	const struct timeval most = {.tv_usec = DAEMON_SETTLE_MS * 1000 - 1};
	struct change *c = arg;
	struct daemon *d = c->daemon;

	(void)rev;
	if (rc) {
		refuse(c, rc);
		return;
	}
	// The mirror has shown the change, so that it is on its way, if there was anything to send.
	if (!d->intent || !dplink_is_up(d->dplink) || dplink_changes(d->dplink) == c->changes) {
		reply(c);
		return;
	}
	LIST_INSERT_HEAD(&d->settling, c, next);
	c->waits = true;
	event_add(c->timer, &most);
}

// The document and its secrets in one transaction: secrets first, since who reads the changes in
// order must find them. Returns 0, or -EIO with one sentence.
static int write_all(struct change *c, const struct intent_op *own, const struct secrets *secrets,
	const struct intent_op *more, size_t n_more, char *err, size_t cap)
{
	struct intent_op ops[INTENT_OPS_MAX];
	struct daemon *d = c->daemon;
	int n = secrets ? secrets_ops(secrets, d->vault, d->intent, ops, err, cap) : 0;

	if (n < 0)
		return n;
	ops[n] = *own;
	memcpy(&ops[n + 1], more, n_more * sizeof(*more));
	intent_write(d->intent, ops, (size_t)n + 1 + n_more, on_written, c);
	secrets_ops_free(ops, n);
	return 0;
}

void change_start_with(struct daemon *d, struct http_request *r, const struct resource *res,
	const char *name, store_rev rev, json_t *doc, const struct secrets *secrets, int status,
	const struct intent_op *more, size_t n)
{
	struct intent_op own = {desired_kind(res->noun), NULL, rev, doc};
	struct change *c = calloc(1, sizeof(*c));
	char err[512] = "out of memory";
	int rc = -ENOMEM;

	if (c) {
		*c = (struct change){.daemon = d,
			.request = r,
			.res = res,
			.name = strdup(name),
			.doc = doc,
			.status = status,
			.changes = dplink_changes(d->dplink),
			.timer = event_new(d->base, -1, 0, on_timer, c)};
	}
	own.name = c ? c->name : NULL;
	if (own.name && c->timer)
		rc = write_all(c, &own, secrets, more, n, err, sizeof(err));
	if (!rc)
		return;
	http_reply_problem(
		r, rc == -EIO ? 503 : 500, rc == -EIO ? "secrets_unavailable" : NULL, "%s", err);
	if (c)
		change_free(c);
}

void change_start(struct daemon *d, struct http_request *r, const struct resource *res,
	const char *name, store_rev rev, json_t *doc, const struct secrets *secrets, int status)
{
	static const struct intent_op none;

	change_start_with(d, r, res, name, rev, doc, secrets, status, &none, 0);
}
