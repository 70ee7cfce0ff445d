// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

const struct object *secret_find(struct control *c, uint64_t id)
{
	const struct object *o = id ? object_find(c, DP_SECRET, id) : NULL;

	return o && o->state == DP_OBJ_ACTIVE ? o : NULL;
}

// Who is in stays in; calls of ours that lacked it are tried again.
void secret_apply(struct control *c, struct object *o)
{
	object_state(c, o, DP_OBJ_ACTIVE, "");
	c->retry = true;
}

// Its bytes are wiped when the object is freed.
void secret_remove(struct control *, struct object *)
{
}
