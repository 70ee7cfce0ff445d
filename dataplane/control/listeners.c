// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <errno.h>
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

// What changes at run time is read at admission; the address is the object's identity.
void listener_apply(struct control *c, struct object *o)
{
	struct endpoint local = address(&o->listener);
	char err[DP_ERROR_MAX] = "";
	int fds[DP_WORKERS_MAX], rc;

	if (o->tag || o->in_flight)
		return;
	rc = c->o.sockets.listen(c->o.sockets.ctx, &local, fds, err, sizeof(err));
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
