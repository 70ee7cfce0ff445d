// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

enum { PUSH_TTL = 64, PUSH_TTL_GROUP = 1 };

static const char *interface_of(const struct dp_route *d, uint32_t *ifindex)
{
	*ifindex = d->iface[0] ? if_nametoindex(d->iface) : 0;
	return d->iface[0] && !*ifindex ? "no such interface" : NULL;
}

static void add(struct control *c, struct object *o, struct ctl_stream *s, uint32_t ifindex)
{
	const struct dp_route *d = &o->route;
	struct cmd cmd = {.kind = CMD_PUSH_ADD, .owner = o};
	struct endpoint peer = {.port = d->port};

	memcpy(peer.ip, d->ip, sizeof(peer.ip));
	cmd.push = (struct cmd_push){
		.stream = &s->s,
		.object = o->id,
		.proto = d->proto,
		.ttl = d->ttl			      ? d->ttl
		       : endpoint_is_multicast(&peer) ? PUSH_TTL_GROUP
						      : PUSH_TTL,
		.dscp = d->dscp,
		.peer = peer,
		.ifindex = ifindex,
	};
	o->used = s;
	s->n_users++;
	object_state(c, o, DP_OBJ_PENDING, "");
	o->in_flight++;
	post(c, s->s.owner, &cmd);
}

void push_apply(struct control *c, struct object *o)
{
	struct ctl_stream *s;
	const char *wrong;
	uint32_t ifindex;

	if (o->used || o->in_flight)
		return;
	wrong = interface_of(&o->route, &ifindex);
	if (wrong) {
		object_no_socket(c, o, -ENODEV, wrong);
		return;
	}
	s = stream_use(c, o->route.stream, o);
	if (s)
		add(c, o, s, ifindex);
}

static const char *word_of_refusal(int error)
{
	const char *word = strerrordesc_np(error); // NULL: a kernel's that libc does not know

	switch (error) {
	case ENETUNREACH:
		return "no route leads to its network";
	case EHOSTUNREACH:
		return "its host cannot be reached";
	case EACCES:
	case EPERM:
		return "the system does not permit sending there";
	default:
		return word ? word : "the system refuses it";
	}
}

// An rtp:// route needs RTP, or TS to wrap (decisions A11). Known when the stream flows.
static bool needs_ts(struct control *c, const struct object *o)
{
	return o->route.proto == DP_PROTO_RTP && stream_stats(c, o->used)->format == DP_FORMAT_RAW;
}

void push_check(struct control *c, struct object *o)
{
	if (!o->session || o->route.proto == DP_PROTO_SRT)
		return;
	if (o->refusal)
		object_state(c, o, DP_OBJ_ERROR, word_of_refusal(o->refusal));
	else if (needs_ts(c, o))
		object_state(c, o, DP_OBJ_ERROR, "not MPEG-TS");
	else
		object_state(c, o, DP_OBJ_ACTIVE, "");
}

void push_refused(struct control *c, const struct event *e)
{
	struct object *o = object_find(c, DP_ROUTE, e->object);

	if (!o || o->session != e->key)
		return;
	o->refusal = -e->code;
	push_check(c, o);
}

void push_done(struct control *c, struct object *o, const struct cmd *cmd)
{
	if (cmd->status) {
		o->used->n_users--;
		o->used = NULL;
		object_no_socket(c, o, cmd->status, "the worker has no room for it");
		return;
	}
	o->session = cmd->push.key;
	o->refusal = 0;
	object_state(c, o, DP_OBJ_ACTIVE, "");
	if (o->gone)
		push_remove(c, o);
	else
		push_check(c, o);
}

void push_remove(struct control *c, struct object *o)
{
	struct cmd cmd = {.kind = CMD_KICK, .owner = o};

	if (!o->used || !o->session)
		return; // still in flight: push_done() sees to it
	cmd.kick.key = o->session;
	cmd.kick.reason = DP_CLOSE_KICKED;
	o->in_flight++;
	post(c, o->used->s.owner, &cmd);
	o->used->n_users--;
	o->used->lonely_since = c->now;
	o->used = NULL;
	o->session = 0;
}

// By itself: nothing of the stream reaches its target. It is tried again, for paths change.
void push_ended(struct control *c, const struct event *e, const char *why)
{
	struct object *o = object_find(c, DP_ROUTE, e->object);

	if (!o || !o->used || o->session != e->key)
		return;
	o->used->n_users--;
	o->used->lonely_since = c->now;
	o->used = NULL;
	o->session = 0;
	object_no_socket(c, o, -EMSGSIZE, why);
}
