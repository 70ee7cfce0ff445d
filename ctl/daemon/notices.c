// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What happened, as events of the feed: {id, time, type} and what the type says.
//
//   stream      stream, state
//   publisher   up, session, stream, peer, proto, and when it went: reason
//   subscriber  the same
//   reject      peer, proto, mode, stream, stream_id (as sent, secrets starred; or null),
//               code (wire value), reason
//   object      kind, name, state, error
//   intent      kind, name, action: added, changed, removed
//   dataplane   state: connected, away; why
//   lost        count: reports of the dataplane that did not fit; read the state again

#include "ctl/daemon/daemon_priv.h"

#include <assert.h>
#include <string.h>

static const char *const reasons[] = {
	[DP_CLOSE_PEER] = "left",
	[DP_CLOSE_TIMEOUT] = "timed out",
	[DP_CLOSE_KICKED] = "kicked",
	[DP_CLOSE_REPLACED] = "replaced",
	[DP_CLOSE_SHUTDOWN] = "shut down",
	[DP_CLOSE_NARROW] = "path too narrow",
	[DP_CLOSE_REVOKED] = "revoked",
	[DP_CLOSE_REKEY] = "took no new key",
	[DP_CLOSE_STUCK] = "acknowledged nothing",
	[DP_CLOSE_GREEDY] = "over its repair budget",
};

static_assert(sizeof(reasons) / sizeof(*reasons) == DP_CLOSE_REASONS);

static const char *reason_of(uint32_t code)
{
	return code < DP_CLOSE_REASONS ? reasons[code] : "unknown";
}

static const char *peer_of(const struct dp_notice *n, char buf[ENDPOINT_STRLEN])
{
	struct endpoint e = {.port = n->peer_port};

	memcpy(e.ip, n->peer_ip, sizeof(e.ip));
	return endpoint_str(&e, buf, ENDPOINT_STRLEN);
}

static json_t *session_event(struct daemon *d, const struct dp_notice *n)
{
	char id[SESSION_ID_MAX], peer[ENDPOINT_STRLEN];
	json_t *out = json_pack("{s:b, s:s, s:s, s:s, s:s}", "up", n->up != 0, "session",
		session_id(d, n->session, id, sizeof(id)), "stream", n->stream, "peer",
		peer_of(n, peer), "proto", proto_word(n->proto));

	if (!n->up)
		json_object_set_new(
			out, "reason", json_string(*n->text ? n->text : reason_of(n->code)));
	return out;
}

static json_t *reject_event(const struct dp_notice *n)
{
	char peer[ENDPOINT_STRLEN];

	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:i, s:s}", "peer", peer_of(n, peer), "proto",
		proto_word(n->proto), "mode", mode_word(n->mode), "stream", n->stream, "stream_id",
		*n->streamid ? n->streamid : NULL, "code", (int)n->code, "reason", n->text);
}

void notice_of_dataplane(struct daemon *d, const struct dp_notice *notice)
{
	struct dp_notice n = *notice;

	snapshot_expire(&d->snapshot); // who looks because of the event must see it
	n.stream[sizeof(n.stream) - 1] = n.text[sizeof(n.text) - 1] =
		n.streamid[sizeof(n.streamid) - 1] = '\0';
	if (n.lost)
		feed_publish(d->feed, "lost", json_pack("{s:I}", "count", (json_int_t)n.lost));
	switch (n.event) {
	case DP_EV_STREAM:
		feed_publish(d->feed, "stream",
			json_pack("{s:s, s:s}", "stream", n.stream, "state",
				stream_state_word(n.up)));
		break;
	case DP_EV_PUBLISHER:
		feed_publish(d->feed, "publisher", session_event(d, &n));
		break;
	case DP_EV_SUBSCRIBER:
		feed_publish(d->feed, "subscriber", session_event(d, &n));
		break;
	case DP_EV_REJECT:
		feed_publish(d->feed, "reject", reject_event(&n));
		break;
	default:
		break; // states of objects are told when they have been read
	}
}

void notice_of_object(struct daemon *d, const struct dp_object_state *o)
{
	const char *noun = desired_noun(o->kind);
	char id[DESIRED_ID_LEN];

	if (!noun || o->kind == DP_STREAM || o->kind == DP_SECRET || o->kind == DP_POLICY)
		return;
	feed_publish(d->feed, "object",
		json_pack("{s:s, s:s, s:s, s:s?}", "kind", noun, "name",
			desired_id_text(o->kind, o->id, id), "state", object_state_word(o->state),
			"error", *o->error ? o->error : NULL));
}

void notice_of_intent(
	struct daemon *d, const struct intent_item *before, const struct intent_item *after)
{
	const struct intent_item *item = after ? after : before;

	if (item->kind == DP_SECRET)
		return; // what it belongs to is told
	feed_publish(d->feed, "intent",
		json_pack("{s:s, s:s, s:s}", "kind", desired_noun(item->kind), "name", item->name,
			"action",
			!before ? "added"
			: after ? "changed"
				: "removed"));
}
