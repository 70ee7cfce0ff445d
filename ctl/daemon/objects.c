// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Documents of the API: the intent, and beside it what the dataplane says.

#include "ctl/daemon/daemon_priv.h"

#include "proto/url.h"

#include <stdio.h>
#include <string.h>

struct state {
	const char *state;
	char error[DP_ERROR_MAX + 64];
	uint64_t packets, bytes;
};

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
		set_state(s, object_state_word(DP_OBJ_ERROR),
			dplink_refusal(d->dplink, item->kind, want.id));
	else if (o)
		set_state(s, object_state_word(o->state), o->error);
	if (o) {
		s->packets = o->packets;
		s->bytes = o->bytes;
	}
}

json_t *object_error_json(struct daemon *d, const struct intent_item *item)
{
	struct state s;

	find_state(d, item, &s);
	return s.state == object_state_word(DP_OBJ_ERROR) && *s.error ? json_string(s.error)
								      : json_null();
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
