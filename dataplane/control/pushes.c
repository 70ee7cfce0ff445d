// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <net/if.h>
#include <string.h>

static const char *interface_of(const struct dp_route *d, uint32_t *ifindex)
{
	*ifindex = d->iface[0] ? if_nametoindex(d->iface) : 0;
	return d->iface[0] && !*ifindex ? "no such interface" : NULL;
}

void push_apply(struct control *c, struct object *o)
{
	const struct dp_route *d = &o->route;
	struct cmd cmd = {.kind = CMD_PUSH_ADD, .owner = o};
	struct endpoint peer = {.port = d->port};
	const char *wrong;
	struct ctl_stream *s;
	uint32_t ifindex;

	if (o->used || o->in_flight)
		return;
	memcpy(peer.ip, d->ip, sizeof(peer.ip));
	wrong = endpoint_is_v4(&peer) ? interface_of(d, &ifindex) : "IPv6 is not served yet";
	if (wrong) {
		object_state(c, o, DP_OBJ_ERROR, wrong);
		return;
	}
	s = stream_use(c, d->stream);
	if (!s) {
		object_state(c, o, DP_OBJ_PENDING, "no room for its stream");
		return;
	}
	cmd.push = (struct cmd_push){
		.stream = &s->s,
		.object = o->id,
		.proto = d->proto,
		.ttl = d->ttl			      ? d->ttl
		       : endpoint_is_multicast(&peer) ? 1
						      : 64,
		.dscp = d->dscp,
		.peer = peer,
		.ifindex = ifindex,
	};
	o->used = s;
	s->n_users++;
	o->in_flight++;
	post(c, s->s.owner, &cmd);
}

// An rtp:// route needs RTP, or TS to wrap (decisions A11). Known when the stream flows.
void push_check(struct control *c, struct object *o)
{
	const struct dp_stats_stream *t;

	if (o->route.proto != DP_PROTO_RTP || !o->session)
		return;
	t = stream_stats(c, o->used);
	if (t->format == DP_FORMAT_RAW)
		object_state(c, o, DP_OBJ_ERROR, "not MPEG-TS");
	else
		object_state(c, o, DP_OBJ_ACTIVE, "");
}

void push_done(struct control *c, struct object *o, const struct cmd *cmd)
{
	if (!cmd->status) {
		o->session = cmd->push.key;
		object_state(c, o, DP_OBJ_ACTIVE, "");
		if (o->gone)
			push_remove(c, o);
		else
			push_check(c, o);
		return;
	}
	o->used->n_users--;
	o->used = NULL;
	object_state(c, o, DP_OBJ_ERROR, "the worker has no room for it");
}

void push_remove(struct control *c, struct object *o)
{
	struct cmd cmd = {.kind = CMD_KICK, .owner = o};

	if (!o->used || !o->session)
		return; // still in flight: push_done() sees to it
	cmd.kick.key = o->session;
	cmd.kick.reason = CLOSE_KICKED;
	o->in_flight++;
	post(c, o->used->s.owner, &cmd);
	o->used->n_users--;
	o->used->lonely_since = c->now;
	o->used = NULL;
	o->session = 0;
}
