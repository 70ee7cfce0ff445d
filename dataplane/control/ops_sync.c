// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/log.h"
#include "control/ops.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <string.h>

LOG_SUBSYSTEM(sync)

void op_obj_set(struct control *c, struct request *r)
{
	union {
		struct dp_listener listener;
		struct dp_stream stream;
		struct dp_route route;
		struct dp_source source;
		struct dp_secret secret;
		struct dp_policy policy;
	} body;
	const struct dp_obj *o = &r->body.obj;
	size_t size = object_body_size(o->kind);

	if (size && dp_wire_body(r->in, &body, size))
		request_fail(r, -EBADMSG, "OBJ_SET is cut short");
	else if (size && !object_is_whole(o->kind, o->id, &body))
		request_fail(r, -EINVAL, "the id or a string of this %s cannot be",
			object_kind_name(o->kind));
	else
		r->status = object_set(c, o, &body, r->error, sizeof(r->error));
	OPENSSL_cleanse(&body, sizeof(body));
}

void op_obj_del(struct control *c, struct request *r)
{
	if (object_del(c, r->body.obj.kind, r->body.obj.id))
		request_fail(r, -ENOENT, "no such object");
}

void op_sync_begin(struct control *c, struct request *r)
{
	objects_begin(c);
}

void op_sync_commit(struct control *c, struct request *r)
{
	int held;

	if (!c->objects.syncing) {
		request_fail(r, -EINVAL, "no sync has begun");
		return;
	}
	held = objects_commit(c, &r->body.commit);
	if (held < 0) {
		request_fail(r, held, "what came does not add up to the sync's digest");
		return;
	}
	r->held = (uint32_t)held;
	if (held)
		return;
	c->generation++;
	log_info("synced: %u objects", c->objects.n);
}
