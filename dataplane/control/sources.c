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
	s->publish_in_flight++;
	object_state(c, o, DP_OBJ_PENDING, "");
	o->in_flight++;
	post(c, s->s.owner, &cmd);
}

// Has the stream's place for a publisher been taken? One that is just going is waited for.
static bool has_place(struct control *c, struct object *o, const struct ctl_stream *s)
{
	const struct object *holder = s->source ? object_find(c, DP_SOURCE, s->source) : NULL;
	bool going = s->source && (!holder || holder == o || holder->closing);

	if (!s->publisher && !s->publish_in_flight)
		return true;
	if (s->publish_in_flight || going)
		object_state(c, o, DP_OBJ_PENDING, "");
	else
		object_state(c, o, DP_OBJ_ERROR, "the stream has another publisher");
	return false;
}

void source_apply(struct control *c, struct object *o)
{
	char err[DP_ERROR_MAX] = "";
	struct ctl_stream *s;
	int fd;

	if (o->used || o->tag || o->in_flight)
		return;
	s = stream_use(c, o->source.stream, o);
	if (!s || !has_place(c, o, s))
		return;
	fd = open_socket(c, &o->source, err, sizeof(err));
	if (fd < 0) {
		object_no_socket(c, o, fd, err);
		return;
	}
	o->tag = tag_take(c, o);
	if (o->tag) {
		serve(c, o, s, fd);
		return;
	}
	c->o.sockets.close(fd);
	object_no_socket(c, o, -ENFILE, "no room: too many listeners and sources");
}

static void refused(struct control *c, struct object *o, const struct cmd *cmd)
{
	if (cmd->sock.fd >= 0)
		c->o.sockets.close(cmd->sock.fd);
	if (!o->used)
		return; // removed meanwhile: the tag is SOCK_DEL's to give back
	tag_give(c, o->tag);
	o->tag = 0;
	o->used->n_users--;
	o->used = NULL;
	if (cmd->status == -EBUSY)
		object_state(c, o, DP_OBJ_ERROR, "the stream has another publisher");
	else
		object_no_socket(c, o, cmd->status, "the worker has no room for it");
}

static void added(struct control *c, struct object *o, const struct cmd *cmd)
{
	ctl_stream_of(cmd->sock.stream)->publish_in_flight--;
	c->retry = true; // whoever waited for this to be settled
	if (cmd->status) {
		refused(c, o, cmd);
	} else if (o->used) {
		o->session = cmd->sock.key;
		object_state(c, o, DP_OBJ_ACTIVE, "");
	}
}

void source_done(struct control *c, struct object *o, const struct cmd *cmd)
{
	if (cmd->kind == CMD_SOCK_ADD) {
		added(c, o, cmd);
		return;
	}
	tag_give(c, o->tag);
	o->tag = 0;
	o->closing = false;
}

void source_remove(struct control *c, struct object *o)
{
	struct cmd cmd = {.kind = CMD_SOCK_DEL, .owner = o, .sock = {.fd = -1, .tag = o->tag}};

	if (!o->used)
		return;
	cmd.sock.source = true;
	o->closing = true;
	o->in_flight++;
	post(c, o->used->s.owner, &cmd);
	o->used->n_users--;
	o->used->lonely_since = c->now;
	o->used = NULL;
	o->session = 0;
}
