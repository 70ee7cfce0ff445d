// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Documents of the API: the intent, and beside it what the dataplane says.

#include "ctl/daemon/daemon_priv.h"

#include "ctl/dp/dp_id.h"
#include "proto/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *time_text(ts_us us_ago, char buf[40])
{
	struct timespec now;
	struct tm tm;
	int64_t us;
	time_t s;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	us = (int64_t)now.tv_sec * TS_S + now.tv_nsec / 1000 - (int64_t)us_ago;
	s = (time_t)(us / TS_S);
	gmtime_r(&s, &tm);
	n = strftime(buf, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, 40 - n, ".%03" PRId64 "Z", us % TS_S / 1000);
	return buf;
}

static void session_prefix(const struct daemon *d, char *buf, size_t cap)
{
	const struct dp_hello_r *h = dplink_hello(d->dplink);

	snprintf(buf, cap, "s-%s-%08" PRIx32 "-", d->config->node, h ? (uint32_t)h->instance : 0);
}

const char *session_id(const struct daemon *d, uint64_t key, char *buf, size_t cap)
{
	size_t n;

	session_prefix(d, buf, cap);
	n = strlen(buf);
	snprintf(buf + n, cap - n, "%u.%u.%u", session_key_worker(key), session_key_slot(key),
		session_key_generation(key));
	return buf;
}

uint64_t session_key_parse(const struct daemon *d, const char *id)
{
	char prefix[SESSION_ID_MAX], again[SESSION_ID_MAX];
	unsigned worker, slot, generation;
	uint64_t key;

	session_prefix(d, prefix, sizeof(prefix));
	if (strncmp(id, prefix, strlen(prefix)) != 0 ||
		sscanf(id + strlen(prefix), "%3u.%8u.%10u", &worker, &slot, &generation) != 3)
		return 0;
	key = session_key_make(worker, slot, generation);
	// One spelling only: nothing behind it, no leading zeros.
	return strcmp(session_id(d, key, again, sizeof(again)), id) == 0 ? key : 0;
}

struct state {
	const char *state;
	char error[DP_ERROR_MAX + 64];
	uint64_t packets, bytes;
};

static const char *const state_names[] = {"pending", "active", "unresolved", "error", "held"};

static void set_state(struct state *s, const char *state, const char *error)
{
	s->state = state;
	snprintf(s->error, sizeof(s->error), "%s", error ? error : "");
}

// Why a host has no address: what the resolver says, of host or source filter.
static void set_unresolved(struct daemon *d, const json_t *doc, struct state *s)
{
	const char *text = json_string_value(json_object_get(doc, "url")), *why = NULL;
	char err[128];
	struct url u;

	set_state(s, "unresolved", "its host name is being looked up");
	if (!text || url_parse(text, &u, err, sizeof(err)))
		return;
	why = u.literal ? NULL : resolver_error(d->resolver, u.host);
	if (!why && url_param(&u, URL_SOURCE))
		why = resolver_error(d->resolver, url_param(&u, URL_SOURCE));
	if (why)
		set_state(s, "unresolved", why);
}

// Of users and keys. What stands in `secret_field` is handed over by itself, before them.
static void find_policy_state(
	struct daemon *d, const struct intent_item *item, const char *secret_field, struct state *s)
{
	const char *ref =
		json_string_value(json_object_get(json_object_get(item->doc, secret_field), "ref"));
	uint64_t secret = ref ? desired_id_parse(DP_SECRET, ref) : 0;
	struct desired want;

	*s = (struct state){.state = "pending"};
	if (desired_make(item->kind, item->doc, d->config->node, NULL, NULL, &want))
		return;
	if (!dplink_is_up(d->dplink))
		set_state(s, "pending", "the dataplane is away");
	else if (dplink_refusal(d->dplink, want.kind, want.id))
		set_state(s, "error", dplink_refusal(d->dplink, want.kind, want.id));
	else if (!dplink_holds(d->dplink, want.kind, want.id, want.version))
		set_state(s, "pending", "the dataplane has not taken it yet");
	else if (!dplink_holds(d->dplink, DP_SECRET, secret, 0))
		set_state(s, "error",
			vault_said(d->vault) ? vault_said(d->vault)
					     : "its secret has not been handed over");
	else
		set_state(s, "active", NULL);
}

static json_t *user_json(struct daemon *d, const struct intent_item *item)
{
	json_t *out = resource_intent(resource_find("user"), item->doc);
	struct state s;

	find_policy_state(d, item, "passphrase", &s);
	json_object_set_new(out, "state", json_string(s.state));
	json_object_set_new(out, "error", *s.error ? json_string(s.error) : json_null());
	return out;
}

json_t *key_error_json(struct daemon *d, const struct intent_item *item)
{
	struct state s;

	find_policy_state(d, item, "secret", &s);
	return *s.error ? json_string(s.error) : json_null();
}

static void find_state(struct daemon *d, const struct intent_item *item, struct state *s)
{
	const struct dp_object_state *o;
	struct desired want;
	int rc = desired_make(
		item->kind, item->doc, d->config->node, resolver_lookup, d->resolver, &want);

	*s = (struct state){.state = "pending"};
	o = rc ? NULL : dplink_object(d->dplink, item->kind, want.id, want.version);
	if (rc)
		set_unresolved(d, item->doc, s);
	else if (!dplink_is_up(d->dplink))
		set_state(s, "pending", "the dataplane is away");
	else if (dplink_refusal(d->dplink, item->kind, want.id))
		set_state(s, state_names[DP_OBJ_ERROR],
			dplink_refusal(d->dplink, item->kind, want.id));
	else if (o && o->state < sizeof(state_names) / sizeof(*state_names))
		set_state(s, state_names[o->state], o->error);
	if (o) {
		s->packets = o->packets;
		s->bytes = o->bytes;
	}
}

// What a resource reports besides its intent.
static void add_counters(json_t *out, uint32_t kind, const struct state *s)
{
	if (kind == DP_ROUTE) {
		json_object_set_new(out, "tx_packets", json_integer((json_int_t)s->packets));
		json_object_set_new(out, "tx_bytes", json_integer((json_int_t)s->bytes));
	} else if (kind == DP_SOURCE) {
		json_object_set_new(out, "rx_packets", json_integer((json_int_t)s->packets));
		json_object_set_new(out, "rx_bytes", json_integer((json_int_t)s->bytes));
	}
}

// Where there is a passphrase, the URL says so.
static void show_hidden(json_t *out)
{
	const char *url = json_string_value(json_object_get(out, "url"));
	char with[URL_MAX + 32], text[URL_MAX + 1], err[128];
	struct url u;

	if (!json_object_get(json_object_get(out, "passphrase"), "ref"))
		return;
	snprintf(with, sizeof(with), "%s%cpassphrase=" URL_HIDDEN, url,
		strchr(url, '?') ? '&' : '?');
	if (!url_parse(with, &u, err, sizeof(err)) && !url_show(&u, text, sizeof(text)))
		json_object_set_new(out, "url", json_string(text));
}

json_t *object_json(struct daemon *d, const struct intent_item *item)
{
	const struct resource *r = resource_find(desired_noun(item->kind));
	struct state s;
	json_t *out;

	if (item->kind == DP_STREAM) {
		snapshot_read(&d->snapshot, ts_now(), 100 * TS_MS);
		return stream_json(d, item, snapshot_stream(&d->snapshot, item->name));
	}
	if (item->kind == DOC_USER)
		return user_json(d, item);
	if (item->kind == DOC_KEY)
		return key_json(d, item);
	if (item->kind == DOC_REVOKED)
		return token_json(item);
	find_state(d, item, &s);
	out = json_pack("{s:s}", "id", item->name);
	json_object_update_new(out, resource_intent(r, item->doc));
	show_hidden(out);
	json_object_set_new(out, "node", json_string(d->config->node));
	json_object_set_new(out, "state", json_string(s.state));
	json_object_set_new(out, "error", *s.error ? json_string(s.error) : json_null());
	add_counters(out, item->kind, &s);
	return out;
}

// Who publishes a stream, as an id: a session, or the source that carries it.
static json_t *publisher_json(struct daemon *d, const struct live_stream *s)
{
	struct intent_item item = {0};
	const char *after = NULL;
	char id[SESSION_ID_MAX];

	if (!s || !s->publisher)
		return json_null();
	if (s->publisher != UINT64_MAX)
		return json_string(session_id(d, s->publisher, id, sizeof(id)));
	for (; intent_next(d->intent, DP_SOURCE, after, &item); after = item.name) {
		const char *name = json_string_value(json_object_get(item.doc, "stream"));

		if (name && !strcmp(name, s->name))
			return json_string(item.name);
	}
	return json_null();
}

// Why a declared stream cannot be used: no room for it.
static json_t *stream_error(struct daemon *d, const struct intent_item *item)
{
	struct state s;

	if (!item)
		return json_null();
	find_state(d, item, &s);
	return s.state == state_names[DP_OBJ_ERROR] && *s.error ? json_string(s.error)
								: json_null();
}

static json_t *hist_json(const struct dp_hist *h)
{
	json_t *buckets = json_array();
	uint64_t n = 0;

	for (unsigned i = 0; i < DP_HIST_BUCKETS; i++) {
		bool last = i == DP_HIST_BUCKETS - 1;

		n += h->buckets[i];
		if (h->buckets[i])
			json_array_append_new(buckets,
				json_pack("{s:o, s:I}", "le_ms",
					last ? json_null()
					     : json_real((double)dp_hist_bound_us(i) / 1e3),
					"count", (json_int_t)h->buckets[i]));
	}
	return json_pack("{s:I, s:f, s:o}", "count", (json_int_t)n, "sum_ms",
		(double)h->sum_us / 1e3, "buckets", buckets);
}

json_t *stream_hists_json(struct daemon *d, const char *name)
{
	static const char *const kinds[] = {"publisher_rtt", "subscriber_rtt", "recovery"};
	const struct live_stream *s = snapshot_stream(&d->snapshot, name);
	json_t *out = json_object();
	struct dp_hist h;

	for (unsigned i = 0; s && i < DP_HIST_KINDS; i++)
		if (snapshot_hist(&d->snapshot, s, i, &h))
			json_object_set_new(out, kinds[i], hist_json(&h));
	return out;
}

json_t *stream_json(struct daemon *d, const struct intent_item *item, const struct live_stream *s)
{
	static const char *const states[] = {"idle", "live", "stalled"};
	static const struct live_stream nothing;
	const struct live_stream *n = s ? s : &nothing;
	json_t *out, *bare = NULL;

	if (!item)
		bare = json_pack("{s:s}", "name", s->name);
	out = resource_intent(resource_find("stream"), item ? item->doc : bare);
	json_decref(bare);
	json_object_update_new(out,
		json_pack("{s:b, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			"declared", item != NULL, "state", states[n->state <= 2 ? n->state : 0],
			"publisher", publisher_json(d, s), "subscribers",
			(json_int_t)n->subscribers, "rx_packets", (json_int_t)n->rx_packets,
			"rx_bytes", (json_int_t)n->rx_bytes, "rx_bitrate",
			(json_int_t)n->rx_bitrate, "lost_packets", (json_int_t)n->lost_packets,
			"recovered_packets", (json_int_t)n->recovered_packets, "late_packets",
			(json_int_t)n->late_packets, "tx_packets", (json_int_t)n->tx_packets,
			"tx_bytes", (json_int_t)n->tx_bytes, "retransmitted_packets",
			(json_int_t)n->retransmitted_packets, "dropped_packets",
			(json_int_t)n->dropped_packets));
	json_object_set_new(out, "histograms", json_null()); // of one stream at a time
	json_object_set_new(out, "error", stream_error(d, item));
	return out;
}
