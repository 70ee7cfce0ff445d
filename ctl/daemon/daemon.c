// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/daemon.h"

#include "base/log.h"
#include "ctl/daemon/daemon_priv.h"
#include "ctl/daemon/first_intent.h"
#include "ctl/web/assets.h"

#include <event2/event.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

LOG_SUBSYSTEM(daemon)

#define ASK_AGAIN_TICKS 30u // the resolver forgets names that nobody asks for
#define PURGE_TICKS 2u	    // of revocations: at most 10,000 are looked at
#define LOAD_US (30 * TS_S) // for the store to be read

// False when there is no object to be sent: its host has no address yet, or its document is bad, or
// a secret cannot be opened (which status says).
static bool make(struct daemon *d, const struct intent_item *item, struct desired *out)
{
	int rc;

	if (item->kind == DP_SECRET)
		return !vault_object(d->vault, item, out);
	rc = desired_make(
		item->kind, item->doc, d->config->node, resolver_lookup, d->resolver, out);
	if (rc && rc != -EAGAIN)
		log_error("the store's %s %s cannot be used", desired_noun(item->kind), item->name);
	return !rc;
}

static void make_all(struct daemon *d, uint32_t kind, struct desired_set *set)
{
	struct intent_item item = {0};
	const char *after = NULL;
	struct desired o;

	for (; intent_next(d->intent, kind, after, &item); after = item.name)
		if (make(d, &item, &o) && desired_set_put(set, &o))
			log_error("out of memory: a %s is left out", desired_noun(kind));
}

static void want(struct daemon *d, const struct intent_item *item)
{
	struct desired o;

	if (make(d, item, &o))
		dplink_put(d->dplink, &o);
}

// Everything anew: at the start, when addresses of hosts changed, and now and then.
static void rebuild(struct daemon *d)
{
	struct desired_set set = {0};

	vault_check(d->vault, d->intent);
	for (uint32_t kind = DP_LISTENER; kind < DOC_KINDS; kind++)
		make_all(d, kind, &set);
	desired_set_sort(&set);
	dplink_want(d->dplink, &set);
}

static void on_rebuild(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	rebuild(arg);
}

static void rebuild_soon(struct daemon *d)
{
	event_active(d->rebuild, EV_TIMEOUT, 0);
}

static void on_resolved(void *arg)
{
	rebuild_soon(arg);
}

static uint64_t id_of(struct daemon *d, const struct intent_item *item)
{
	return item->kind == DP_SECRET ? desired_id_parse(DP_SECRET, item->name)
				       : desired_id(item->kind, item->doc, d->config->node);
}

static void on_changed(void *arg, const struct intent_item *before, const struct intent_item *after)
{
	struct daemon *d = arg;

	if (!d->intent || !intent_ready(d->intent))
		return; // the first list is taken whole
	notice_of_intent(d, before, after);
	if (after)
		want(d, after);
	else
		dplink_drop(d->dplink, desired_dp_kind(before->kind), id_of(d, before));
}

static void on_caught_up(void *arg)
{
	struct daemon *d = arg;

	d->store_failed = false;
	if (!d->loaded)
		rebuild_soon(d);
	d->loaded = true;
}

static void on_store_failed(void *arg, enum store_rc rc)
{
	struct daemon *d = arg;

	if (!d->store_failed)
		log_error("the store cannot be read: %s", store_rc_str(rc));
	d->store_failed = true;
}

static const struct intent_ops intent_callbacks = {on_changed, on_caught_up, on_store_failed};

static void tell_dataplane(struct daemon *d, const char *state, const char *why)
{
	feed_publish(d->feed, "dataplane", json_pack("{s:s, s:s?}", "state", state, "why", why));
}

static void on_up(void *arg, const struct dp_hello_r *hello, int stats_fd)
{
	struct daemon *d = arg;
	int rc = stats_fd < 0 ? -EBADMSG : snapshot_map(&d->snapshot, stats_fd);

	(void)hello;
	if (rc)
		log_error("the dataplane's counters cannot be read: %s", strerror(-rc));
	snapshot_tick(&d->snapshot, ts_now());
	tell_dataplane(d, "connected", NULL);
}

static void on_down(void *arg, const char *why)
{
	struct daemon *d = arg;

	snapshot_unmap(&d->snapshot);
	hook_forget(d->hook);
	tell_dataplane(d, "away", why);
	changes_settled(d); // nothing more will be answered soon
}

static void on_notice(void *arg, const struct dp_notice *n)
{
	notice_of_dataplane(arg, n);
}

static void on_object(void *arg, const struct dp_object_state *state)
{
	notice_of_object(arg, state);
}

static void on_settled(void *arg)
{
	changes_settled(arg);
}

// The stream's own hook, else the daemon's.
static void on_admit(void *arg, const struct dp_admit *q)
{
	struct daemon *d = arg;
	struct intent_item item;
	const char *url = NULL;

	if (intent_get(d->intent, DP_STREAM, q->stream, &item))
		url = json_string_value(json_object_get(item.doc, "hook"));
	hook_ask(d->hook, url ? url : d->config->hook, q);
}

static void on_verdict(void *arg, const struct dp_admit_r *r)
{
	struct daemon *d = arg;

	dplink_admit(d->dplink, r);
}

static const struct dplink_ops dplink_callbacks = {
	on_up, on_down, on_notice, on_object, on_settled, on_admit};

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	snapshot_tick(&d->snapshot, ts_now());
	if (++d->ticks % PURGE_TICKS == 0)
		tokens_purge(d);
	if (d->ticks % ASK_AGAIN_TICKS == 0)
		rebuild_soon(d);
}

static int start_events(struct daemon *d)
{
	const struct timeval second = {.tv_sec = 1};

	d->tick = event_new(d->base, -1, EV_PERSIST, on_tick, d);
	d->rebuild = event_new(d->base, -1, 0, on_rebuild, d);
	return d->tick && d->rebuild && !event_add(d->tick, &second) ? 0 : -ENOMEM;
}

static int add_routes(struct daemon *d)
{
	int rc = v1_status_routes(d);

	rc = rc ? rc : v1_object_routes(d);
	rc = rc ? rc : v1_session_routes(d);
	rc = rc ? rc : v1_key_routes(d);
	rc = rc ? rc : v1_token_routes(d);
	rc = rc ? rc : metrics_routes(d);
	rc = rc ? rc : openapi_routes(d);
	rc = rc ? rc : http_route(d->http, "GET", "/v1/watch", HTTP_ROLE_READ, feed_serve, d->feed);
	return rc ? rc : http_assets(d->http, web_assets, n_web_assets);
}

static int start_http(struct daemon *d)
{
	const struct http_config c = {.connections_max = d->config->connections_max,
		.anonymous_read = d->config->anonymous_read,
		.hosts = (const char *const *)d->config->hosts};
	uint32_t boot = 0;
	char id[16];

	if (getrandom(&boot, sizeof(boot), 0) != sizeof(boot))
		return -EIO;
	snprintf(id, sizeof(id), "%08x", boot);
	d->http = http_server_new(d->base, &c);
	d->feed = feed_new(d->base, id);
	return d->http && d->feed ? add_routes(d) : -ENOMEM;
}

// Peer credentials decide what a caller may do, so that anybody may connect.
#define API_SOCKET_MODE 0666

static int listen_all(struct daemon *d, char *err, size_t cap)
{
	int rc = http_listen_unix(d->http, d->config->api_socket, API_SOCKET_MODE, err, cap);

	for (char **at = d->config->listen; !rc && at && *at; at++) {
		int port = http_listen_tcp(d->http, *at, err, cap);

		if (port < 0)
			return port;
		log_info("API and page on http://%s", *at);
	}
	return rc;
}

// Turn the loop until the intent is in memory: what the API says from its first answer on is whole.
static int load_intent(struct daemon *d, char *err, size_t cap)
{
	ts_us end = ts_now() + LOAD_US;

	d->intent = intent_new(d->store, d->base, &intent_callbacks, d);
	if (!d->intent) {
		snprintf(err, cap, "out of memory");
		return -ENOMEM;
	}
	while (!intent_ready(d->intent) && ts_now() < end && !event_base_got_exit(d->base) &&
		!event_base_got_break(d->base))
		event_base_loop(d->base, EVLOOP_ONCE);
	if (intent_ready(d->intent))
		return 0;
	snprintf(err, cap, "the store %s could not be read", d->config->store);
	return -EIO;
}

static int start(struct daemon *d, uint64_t epoch, char *err, size_t cap)
{
	int rc;

	snprintf(err, cap, "out of memory");
	if (start_events(d) || start_http(d))
		return -ENOMEM;
	d->vault = vault_new(d->config->master_key_file);
	if (!d->vault)
		return -ENOMEM;
	d->hook = hook_new(d->base, on_verdict, d);
	if (!d->hook)
		return -ENOMEM;
	d->resolver = resolver_new(d->base, on_resolved, d);
	d->dplink = d->resolver
			    ? dplink_new(d->base, d->config->dp_socket, epoch, &dplink_callbacks, d)
			    : NULL;
	d->store = d->dplink ? store_open(d->config->store, d->base, err, cap) : NULL;
	if (!d->store)
		return -EIO;
	rc = load_intent(d, err, cap);
	rc = rc ? rc
		: first_intent_load(d->store, d->base, d->intent, d->vault, d->config->intent,
			  d->config->node, err, cap);
	return rc ? rc : listen_all(d, err, cap);
}

struct daemon *daemon_new(
	struct event_base *base, const struct config *config, uint64_t epoch, char *err, size_t cap)
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (!d) {
		snprintf(err, cap, "out of memory");
		return NULL;
	}
	d->base = base;
	d->config = config;
	d->started = ts_now();
	LIST_INIT(&d->settling);
	if (!start(d, epoch, err, cap))
		return d;
	daemon_free(d);
	return NULL;
}

void daemon_free(struct daemon *d)
{
	if (!d)
		return;
	changes_settled(d);
	intent_free(d->intent);
	d->intent = NULL;
	if (d->store)
		store_close(d->store); // what is under way calls back: its replies go out
	changes_settled(d);
	hook_free(d->hook);
	dplink_free(d->dplink);
	resolver_free(d->resolver);
	vault_free(d->vault);
	feed_free(d->feed);
	http_server_free(d->http);
	snapshot_unmap(&d->snapshot);
	if (d->tick)
		event_free(d->tick);
	if (d->rebuild)
		event_free(d->rebuild);
	free(d);
}
