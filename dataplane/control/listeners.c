// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct endpoint address(const struct dp_listener *l)
{
	struct endpoint e = {.port = l->port};

	memcpy(e.ip, l->ip, sizeof(e.ip));
	return e;
}

static void serve(struct control *c, struct object *o, const int *fds)
{
	struct cmd cmd = {.kind = CMD_SOCK_ADD, .owner = o};

	o->adding = c->o.workers.n;
	o->refused = false;
	object_state(c, o, DP_OBJ_PENDING, "");
	for (unsigned w = 0; w < c->o.workers.n; w++) {
		cmd.sock = (struct cmd_sock){.fd = fds[w], .tag = o->tag};
		o->in_flight++;
		post(c, w, &cmd);
	}
}

// A port that one of our own has is not another program's: say whose it is.
static void name_holder(struct control *c, const struct endpoint *local, char *err, size_t cap)
{
	char text[ENDPOINT_STRLEN];

	for (uint32_t i = objects_from(&c->objects, DP_LISTENER, 0); i < c->objects.n; i++) {
		const struct object *o = c->objects.all[i];

		if (o->kind != DP_LISTENER)
			return;
		if (!o->tag || o->listener.port != local->port)
			continue;
		snprintf(err, cap, "UDP port %s is in use by listener l%010llx",
			endpoint_str(local, text, sizeof(text)),
			(unsigned long long)(o->id & 0xffffffffffu));
		return;
	}
}

// What changes at run time is read at admission; the address is the object's identity.
void listener_apply(struct control *c, struct object *o)
{
	struct endpoint local = address(&o->listener);
	char err[DP_ERROR_MAX] = "";
	int fds[DP_WORKERS_MAX], rc;

	if (o->tag || o->in_flight)
		return;
	rc = c->o.sockets.listen(c->o.sockets.ctx, &local, fds, err, sizeof(err));
	if (rc == -EADDRINUSE)
		name_holder(c, &local, err, sizeof(err));
	if (rc) {
		object_no_socket(c, o, rc, err);
		return;
	}
	o->tag = tag_take(c, o);
	if (o->tag) {
		serve(c, o, fds);
		return;
	}
	for (unsigned w = 0; w < c->o.workers.n; w++)
		c->o.sockets.close(fds[w]);
	object_no_socket(c, o, -ENFILE, "no room: too many listeners and sources");
}

static void added(struct control *c, struct object *o, const struct cmd *cmd)
{
	o->adding--;
	if (cmd->status && cmd->sock.fd >= 0)
		c->o.sockets.close(cmd->sock.fd);
	o->refused |= cmd->status != 0;
	if (o->adding || o->closing)
		return;
	if (!o->refused) {
		object_state(c, o, DP_OBJ_ACTIVE, "");
		return;
	}
	listener_remove(c, o);
	object_no_socket(c, o, cmd->status, "a worker cannot serve its socket");
}

void listener_done(struct control *c, struct object *o, const struct cmd *cmd)
{
	if (cmd->kind == CMD_SOCK_ADD) {
		added(c, o, cmd);
	} else if (o->in_flight == 1) {
		tag_give(c, o->tag);
		o->tag = 0;
		o->closing = false;
	}
}

void listener_remove(struct control *c, struct object *o)
{
	struct cmd cmd = {.kind = CMD_SOCK_DEL, .owner = o, .sock = {.fd = -1, .tag = o->tag}};

	if (!o->tag || o->closing)
		return;
	o->closing = true;
	for (unsigned w = 0; w < c->o.workers.n; w++) {
		o->in_flight++;
		post(c, w, &cmd);
	}
}
