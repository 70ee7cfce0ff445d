// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <errno.h>
#include <string.h>

#define SOURCE_REORDER_MS 50u // decisions A10

static int open_socket(struct control *c, const struct dp_source *d, char *err, size_t cap)
{
	struct port_sock_source s = {.bind = {.port = d->port}};

	memcpy(s.bind.ip, d->ip, sizeof(s.bind.ip));
	// Source-specific joining is of groups; from one address alone is the worker's to see to.
	if (endpoint_is_multicast(&s.bind))
		memcpy(s.source.ip, d->from, sizeof(s.source.ip));
	memcpy(s.iface, d->iface, sizeof(s.iface));
	if (!endpoint_is_v4(&s.bind)) {
		strcpy(err, "IPv6 is not served yet");
		return -EAFNOSUPPORT;
	}
	return c->o.sockets.bind(c->o.sockets.ctx, &s, err, cap);
}

static void serve(struct control *c, struct object *o, struct ctl_stream *s, int fd)
{
	struct cmd cmd = {.kind = CMD_SOCK_ADD, .owner = o};
	const struct dp_source *d = &o->source;

	cmd.sock = (struct cmd_sock){
		.fd = fd,
		.tag = o->tag,
		.source = true,
		.proto = d->proto,
		.stream = &s->s,
		.object = o->id,
		.reorder_us = (d->reorder_ms ? d->reorder_ms : SOURCE_REORDER_MS) * TS_MS,
	};
	memcpy(cmd.sock.from, d->from, sizeof(cmd.sock.from));
	o->used = s;
	s->n_users++;
	s->publish_in_flight = true;
	o->in_flight++;
	post(c, s->s.owner, &cmd);
}

static bool waits(const struct object *o)
{
	return o->used || o->tag || o->in_flight;
}

void source_apply(struct control *c, struct object *o)
{
	char err[DP_ERROR_MAX] = "";
	struct ctl_stream *s;
	int fd;

	if (waits(o))
		return;
	s = stream_use(c, o->source.stream);
	if (!s) {
		object_state(c, o, DP_OBJ_PENDING, "no room for its stream");
		return;
	}
	if (s->publisher || s->publish_in_flight) {
		object_state(c, o, DP_OBJ_ERROR, "the stream has another publisher");
		return;
	}
	fd = open_socket(c, &o->source, err, sizeof(err));
	if (fd < 0) {
		object_state(c, o, DP_OBJ_ERROR, err);
		return;
	}
	o->tag = tag_take(c, o);
	if (o->tag) {
		serve(c, o, s, fd);
		return;
	}
	c->o.sockets.close(fd);
	object_state(c, o, DP_OBJ_ERROR, "no room: too many listeners and sources");
}

void source_done(struct control *c, struct object *o, const struct cmd *cmd)
{
	struct ctl_stream *s = ctl_stream_of(cmd->sock.stream);

	s->publish_in_flight = false;
	if (!o->used) // removed meanwhile
		return;
	if (!cmd->status) {
		o->session = cmd->sock.key;
		object_state(c, o, DP_OBJ_ACTIVE, "");
		return;
	}
	tag_give(c, o->tag);
	o->tag = 0;
	o->used = NULL;
	s->n_users--;
	object_state(c, o, DP_OBJ_ERROR,
		cmd->status == -EBUSY ? "the stream has another publisher"
				      : "the worker has no room for it");
}

void source_remove(struct control *c, struct object *o)
{
	struct cmd cmd = {.kind = CMD_SOCK_DEL, .owner = o, .sock = {.fd = -1, .tag = o->tag}};

	if (!o->used)
		return;
	cmd.sock.source = true;
	o->in_flight++;
	post(c, o->used->s.owner, &cmd);
	o->used->n_users--;
	o->used->lonely_since = c->now;
	o->used = NULL;
	o->session = 0;
}
