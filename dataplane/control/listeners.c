// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

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

	for (unsigned w = 0; w < c->o.workers.n; w++) {
		cmd.sock = (struct cmd_sock){.fd = fds[w], .tag = o->tag};
		o->in_flight++;
		post(c, w, &cmd);
	}
	object_state(c, o, DP_OBJ_ACTIVE, "");
}

// What changes at run time is read at admission; the address is the object's identity.
void listener_apply(struct control *c, struct object *o)
{
	struct endpoint local = address(&o->listener);
	char err[DP_ERROR_MAX] = "";
	int fds[64];

	if (o->tag) {
		object_state(c, o, DP_OBJ_ACTIVE, "");
		return;
	}
	if (!endpoint_is_v4(&local)) {
		object_state(c, o, DP_OBJ_ERROR, "IPv6 is not served yet");
		return;
	}
	if (c->o.sockets.listen(c->o.sockets.ctx, &local, fds, err, sizeof(err))) {
		object_state(c, o, DP_OBJ_ERROR, err);
		return;
	}
	o->tag = tag_take(c, o);
	if (o->tag) {
		serve(c, o, fds);
		return;
	}
	for (unsigned w = 0; w < c->o.workers.n; w++)
		c->o.sockets.close(fds[w]);
	object_state(c, o, DP_OBJ_ERROR, "no room: too many listeners and sources");
}

void listener_remove(struct control *c, struct object *o)
{
	struct cmd cmd = {.kind = CMD_SOCK_DEL, .owner = o, .sock = {.fd = -1, .tag = o->tag}};

	if (!o->tag)
		return;
	for (unsigned w = 0; w < c->o.workers.n; w++) {
		o->in_flight++;
		post(c, w, &cmd);
	}
}
