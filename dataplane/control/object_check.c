// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the daemon sends has been checked by it. What it lets through by mistake shows as the
// object's state, one sentence, and does nothing.

#include "control/control_priv.h"
#include "ctl/dp/dp_id.h"
#include "proto/streamid.h"

#include <string.h>

#define CHECK_LATENCY_MAX_MS 60000u // it travels in 16 bits
#define CHECK_CONNECT_MAX_MS 60000u
#define CHECK_REORDER_MAX_MS 10000u
#define CHECK_HISTORY_MAX_MS 60000u

static bool ends(const char *s, size_t cap)
{
	return memchr(s, '\0', cap) != NULL;
}

static bool policy_is_whole(const struct dp_policy *p)
{
	return ends(p->name, sizeof(p->name)) && ends(p->prefix, sizeof(p->prefix));
}

bool object_is_whole(uint32_t kind, uint64_t id, const void *body)
{
	const struct dp_secret *k = body;
	const struct dp_listener *l = body;
	const struct dp_stream *s = body;
	const struct dp_route *r = body;
	const struct dp_source *q = body;

	if (!id || id > OBJECT_ID_MAX)
		return false;
	switch (kind) {
	case DP_LISTENER:
		return ends(l->default_stream, sizeof(l->default_stream)) && l->acl.n <= DP_ACL_MAX;
	case DP_STREAM:
		return ends(s->name, sizeof(s->name)) && id == dp_id(s->name) &&
		       s->acl.n <= DP_ACL_MAX;
	case DP_ROUTE:
		return ends(r->iface, sizeof(r->iface)) && ends(r->stream, sizeof(r->stream)) &&
		       ends(r->call.streamid, sizeof(r->call.streamid));
	case DP_SECRET:
		return k->len <= sizeof(k->bytes);
	case DP_POLICY:
		return policy_is_whole(body);
	default:
		return ends(q->iface, sizeof(q->iface)) && ends(q->stream, sizeof(q->stream)) &&
		       ends(q->call.streamid, sizeof(q->call.streamid));
	}
}

static const char *check_port(uint16_t port)
{
	return port ? NULL : "port 0 is no port";
}

static const char *check_proto(uint8_t proto)
{
	return proto >= DP_PROTO_SRT && proto <= DP_PROTO_UDP
		       ? NULL
		       : "a protocol that this version does not know";
}

static const char *check_acl(const struct dp_acl *acl)
{
	for (uint32_t i = 0; i < acl->n; i++)
		if (acl->rules[i].bits > 128)
			return "an address has 128 bits";
	return NULL;
}

static const char *check_listener(const struct dp_listener *l)
{
	if (l->latency_ms > CHECK_LATENCY_MAX_MS)
		return "a latency of more than 60 s";
	if (l->default_stream[0] && !stream_name_ok(l->default_stream))
		return "its default stream is not a stream name";
	return check_acl(&l->acl) ? check_acl(&l->acl) : check_port(l->port);
}

static const char *check_stream(const struct dp_stream *s)
{
	if (!stream_name_ok(s->name))
		return "not a stream name";
	if (s->takeover > DP_TAKEOVER_REPLACE_STALLED || s->leg > DP_LEG_SHARED ||
		s->publish_auth > DP_AUTH_HOOK || s->play_auth > DP_AUTH_HOOK ||
		s->hook_failure > DP_HOOK_OPEN || s->cipher > DP_CIPHER_GCM)
		return "an option that this version does not know";
	return s->latency_ms > CHECK_LATENCY_MAX_MS || s->history_ms > CHECK_HISTORY_MAX_MS
		       ? "a latency or history of more than 60 s"
		       : check_acl(&s->acl);
}

static const char *check_call(uint8_t proto, const struct dp_call *k)
{
	if (proto != DP_PROTO_SRT)
		return NULL;
	if (k->latency_ms > CHECK_LATENCY_MAX_MS || k->peer_latency_ms > CHECK_LATENCY_MAX_MS)
		return "a latency of more than 60 s";
	if (k->connect_ms > CHECK_CONNECT_MAX_MS)
		return "a connect time of more than 60 s";
	if (k->cipher > DP_CIPHER_GCM ||
		(k->key_len && k->key_len != 16 && k->key_len != 24 && k->key_len != 32))
		return "a key that this version does not know";
	return NULL;
}

static const char *check_route(const struct dp_route *r)
{
	struct endpoint to = {.port = r->port};
	const char *wrong = check_proto(r->proto);

	memcpy(to.ip, r->ip, sizeof(to.ip));
	if (!wrong)
		wrong = check_port(r->port);
	if (!wrong && endpoint_is_any(&to))
		wrong = "the unspecified address is nobody's";
	if (!wrong)
		wrong = check_call(r->proto, &r->call);
	if (!wrong && r->dscp > 63)
		wrong = "a DSCP is below 64";
	return wrong || stream_name_ok(r->stream) ? wrong : "not a stream name";
}

static const char *check_source(const struct dp_source *q)
{
	const char *wrong = check_proto(q->proto);

	if (!wrong)
		wrong = check_port(q->port);
	if (!wrong)
		wrong = check_call(q->proto, &q->call);
	if (!wrong && q->reorder_ms > CHECK_REORDER_MAX_MS)
		wrong = "a reorder time of more than 10 s";
	return wrong || stream_name_ok(q->stream) ? wrong : "not a stream name";
}

static const char *check_policy(const struct dp_policy *p)
{
	if (p->type < DP_POLICY_USER || p->type > DP_POLICY_REVOKED)
		return "a policy that this version does not know";
	return p->name[0] ? NULL : "a policy without a name";
}

const char *object_check(const struct object *o)
{
	switch (o->kind) {
	case DP_LISTENER:
		return check_listener(&o->listener);
	case DP_STREAM:
		return check_stream(&o->stream);
	case DP_ROUTE:
		return check_route(&o->route);
	case DP_SECRET:
		return o->secret.len ? NULL : "an empty secret";
	case DP_POLICY:
		return check_policy(&o->policy);
	default:
		return check_source(&o->source);
	}
}
