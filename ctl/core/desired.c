// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/core/desired_priv.h"

#include "ctl/dp/dp_id.h"
#include "proto/url.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const nouns[DOC_KINDS] = {[DP_LISTENER] = "listener",
	[DP_STREAM] = "stream",
	[DP_ROUTE] = "route",
	[DP_SOURCE] = "source",
	[DP_SECRET] = "secret",
	[DP_POLICY] = "policy",
	[DOC_USER] = "user",
	[DOC_KEY] = "key",
	[DOC_REVOKED] = "token"};

size_t desired_body_size(uint32_t kind)
{
	static const size_t sizes[DP_KINDS] = {[DP_LISTENER] = sizeof(struct dp_listener),
		[DP_STREAM] = sizeof(struct dp_stream),
		[DP_ROUTE] = sizeof(struct dp_route),
		[DP_SOURCE] = sizeof(struct dp_source),
		[DP_SECRET] = sizeof(struct dp_secret),
		[DP_POLICY] = sizeof(struct dp_policy)};

	return kind < DP_KINDS ? sizes[kind] : 0;
}

uint32_t desired_kind(const char *noun)
{
	for (uint32_t k = 1; k < DOC_KINDS; k++)
		if (nouns[k] && !strcmp(nouns[k], noun))
			return k;
	return 0;
}

const char *desired_noun(uint32_t kind)
{
	return kind < DOC_KINDS ? nouns[kind] : NULL;
}

uint32_t desired_dp_kind(uint32_t kind)
{
	return kind < DP_KINDS ? kind : DP_POLICY;
}

static bool has_url(uint32_t kind)
{
	return kind == DP_LISTENER || kind == DP_ROUTE || kind == DP_SOURCE;
}

// Without a host, every address of the machine, IPv6 and IPv4: that is what :: binds.
static struct endpoint bound_to(const struct url *u)
{
	return *u->host ? u->at : (struct endpoint){.port = u->at.port};
}

int desired_spell(uint32_t kind, json_t *doc, char *err, size_t cap)
{
	char text[URL_MAX + 1], at[ENDPOINT_STRLEN];
	struct url u;

	if (desired_spell_access(doc, err, cap))
		return -EINVAL;
	if (!has_url(kind))
		return 0;
	if (url_parse(text_of(doc, "url"), &u, err, cap))
		return -EINVAL;
	if (kind != DP_LISTENER && desired_spell_passphrase(&u, doc, err, cap))
		return -EINVAL;
	if (kind == DP_LISTENER) {
		const struct endpoint e = bound_to(&u);

		snprintf(text, sizeof(text), "srt://%s", endpoint_str(&e, at, sizeof(at)));
	} else if (url_canonical(&u, text, sizeof(text))) {
		snprintf(err, cap, "the URL is too long");
		return -EINVAL;
	}
	json_object_set_new(doc, "url", json_string(text));
	return 0;
}

uint64_t desired_id(uint32_t kind, const json_t *doc, const char *node)
{
	char identity[DP_STREAM_NAME + URL_MAX + 300];

	if (kind == DP_STREAM)
		return dp_id(text_of(doc, "name"));
	if (kind == DP_LISTENER)
		return dp_id(text_of(doc, "url") + strlen("srt://"));
	if (kind >= DP_KINDS) {
		const char *key = kind == DOC_USER ? "name" : kind == DOC_KEY ? "kid" : "id";

		snprintf(identity, sizeof(identity), "%s %s", nouns[kind], text_of(doc, key));
		return dp_id(identity);
	}
	snprintf(identity, sizeof(identity), "%s %s %s", text_of(doc, "stream"),
		text_of(doc, "url"), node);
	return dp_id(identity);
}

// A secret's is not that of a source or stream.
static char letter_of(uint32_t kind)
{
	return kind == DP_SECRET ? 'x' : nouns[kind][0];
}

const char *desired_id_text(uint32_t kind, uint64_t id, char buf[DESIRED_ID_LEN])
{
	snprintf(buf, DESIRED_ID_LEN, "%c%010" PRIx64, letter_of(kind), id & 0xffffffffffu);
	return buf;
}

uint64_t desired_id_parse(uint32_t kind, const char *text)
{
	if (text[0] != letter_of(kind) || strlen(text) != DESIRED_ID_LEN - 1 ||
		strspn(text + 1, "0123456789abcdef") != DESIRED_ID_LEN - 2)
		return 0;
	return strtoull(text + 1, NULL, 16);
}

static int address_of(const struct url *u, desired_lookup lookup, void *ctx, uint8_t ip[16])
{
	struct endpoint e = bound_to(u);

	if (!u->literal && lookup(ctx, u->host, &e))
		return -EAGAIN;
	memcpy(ip, e.ip, 16);
	return 0;
}

static void make_stream(const json_t *doc, struct dp_stream *s)
{
	const char *takeover = text_of(doc, "takeover");

	s->size = sizeof(*s);
	s->latency_ms = number_of(doc, "latency_ms");
	s->history_ms = number_of(doc, "history_ms");
	s->max_subscribers = number_of(doc, "max_subscribers");
	s->repair_percent = number_of(doc, "repair_percent");
	s->slow_ms = 1000 * number_of(doc, "slow_after_s");
	s->takeover = !strcmp(takeover, "replace")	     ? DP_TAKEOVER_REPLACE
		      : !strcmp(takeover, "replace-stalled") ? DP_TAKEOVER_REPLACE_STALLED
							     : DP_TAKEOVER_REJECT;
	s->leg = !strcmp(text_of(doc, "leg"), "shared") ? DP_LEG_SHARED : DP_LEG_OWN;
	snprintf(s->name, sizeof(s->name), "%s", text_of(doc, "name"));
	desired_stream_access(doc, s);
}

static int make_listener(const json_t *doc, const struct url *u, struct dp_listener *l)
{
	const struct endpoint at = bound_to(u);

	l->size = sizeof(*l);
	memcpy(l->ip, at.ip, sizeof(l->ip));
	l->port = at.port;
	l->open = json_is_true(json_object_get(doc, "open"));
	l->default_mode =
		strcmp(text_of(doc, "default_mode"), "publish") ? DP_MODE_PLAY : DP_MODE_PUBLISH;
	l->latency_ms = number_of(doc, "latency_ms");
	snprintf(
		l->default_stream, sizeof(l->default_stream), "%s", text_of(doc, "default_stream"));
	desired_access(doc, &l->acl);
	l->dialects = desired_dialects(doc);
	return 0;
}

static uint8_t proto_of(const struct url *u)
{
	return u->scheme == URL_SRT   ? DP_PROTO_SRT
	       : u->scheme == URL_RTP ? DP_PROTO_RTP
				      : DP_PROTO_UDP;
}

static void set_iface(const struct url *u, char iface[16])
{
	const char *name = url_param(u, URL_IFACE);

	snprintf(iface, 16, "%s", name ? name : "");
}

static void make_call(const json_t *doc, const struct url *u, struct dp_call *k)
{
	const char *streamid = url_param(u, URL_STREAMID);
	int64_t latency = url_number(u, URL_LATENCY, 0);

	k->secret = desired_ref(doc, "passphrase");
	if (u->scheme != URL_SRT)
		return;
	k->latency_ms = (uint32_t)url_number(u, URL_RCVLATENCY, latency);
	k->peer_latency_ms = (uint32_t)url_number(u, URL_PEERLATENCY, latency);
	k->connect_ms = (uint32_t)url_number(u, URL_CONNTIMEO, 0);
	k->mss = (uint16_t)url_number(u, URL_MSS, 0);
	k->key_len = (uint8_t)url_number(u, URL_PBKEYLEN, 0);
	k->cipher = (uint8_t)url_number(u, URL_CRYPTOMODE, 0);
	k->enforced = 1;
	snprintf(k->streamid, sizeof(k->streamid), "%s", streamid ? streamid : "");
}

static int make_route(const json_t *doc, const struct url *u, desired_lookup lookup, void *ctx,
	struct dp_route *r)
{
	r->size = sizeof(*r);
	r->proto = proto_of(u);
	r->ttl = (uint8_t)url_number(u, u->scheme == URL_SRT ? URL_IPTTL : URL_TTL, 0);
	r->dscp = (uint8_t)(u->scheme == URL_SRT ? url_number(u, URL_IPTOS, 0) >> 2
						 : url_number(u, URL_DSCP, 0));
	r->port = u->at.port;
	set_iface(u, r->iface);
	snprintf(r->stream, sizeof(r->stream), "%s", text_of(doc, "stream"));
	make_call(doc, u, &r->call);
	return address_of(u, lookup, ctx, r->ip);
}

static int make_source(const json_t *doc, const struct url *u, desired_lookup lookup, void *ctx,
	struct dp_source *s)
{
	const char *from = url_param(u, URL_SOURCE);
	struct endpoint e = {0};

	s->size = sizeof(*s);
	s->proto = proto_of(u);
	s->port = u->at.port;
	s->reorder_ms = (uint32_t)url_number(u, URL_REORDER, 0);
	set_iface(u, s->iface);
	snprintf(s->stream, sizeof(s->stream), "%s", text_of(doc, "stream"));
	make_call(doc, u, &s->call);
	if (from && endpoint_parse_ip(from, &e) && lookup(ctx, from, &e))
		return -EAGAIN;
	memcpy(s->from, e.ip, sizeof(s->from));
	return address_of(u, lookup, ctx, s->ip);
}

int desired_make(uint32_t kind, const json_t *doc, const char *node, desired_lookup lookup,
	void *ctx, struct desired *out)
{
	char err[256];
	struct url u;
	int rc = 0;

	memset(out, 0, sizeof(*out)); // the version is a hash of the bytes
	if (has_url(kind) && url_parse(text_of(doc, "url"), &u, err, sizeof(err)))
		return -EINVAL;
	out->kind = desired_dp_kind(kind);
	out->id = desired_id(kind, doc, node);
	if (kind == DP_STREAM)
		make_stream(doc, &out->body.stream);
	else if (kind == DP_LISTENER)
		rc = make_listener(doc, &u, &out->body.listener);
	else if (kind == DP_ROUTE)
		rc = make_route(doc, &u, lookup, ctx, &out->body.route);
	else if (kind == DP_SOURCE)
		rc = make_source(doc, &u, lookup, ctx, &out->body.source);
	else if (kind >= DP_KINDS)
		desired_policy(kind, doc, &out->body.policy);
	else
		return -EINVAL; // secrets are made of bytes, not of documents
	out->version = dp_version(&out->body, desired_body_size(out->kind));
	return rc;
}
