// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/log.h"
#include "control/ops.h"

#include <errno.h>
#include <string.h>

LOG_SUBSYSTEM(sync)

static int terminated(const char *s, size_t cap)
{
	return memchr(s, '\0', cap) != NULL;
}

// Strings that came over the wire end within their fields.
static bool sane(uint32_t kind, const void *body)
{
	const struct dp_listener *l = body;
	const struct dp_stream *s = body;
	const struct dp_route *r = body;
	const struct dp_source *q = body;

	switch (kind) {
	case DP_LISTENER:
		return terminated(l->default_stream, sizeof(l->default_stream));
	case DP_STREAM:
		return terminated(s->name, sizeof(s->name));
	case DP_ROUTE:
		return terminated(r->iface, sizeof(r->iface)) &&
		       terminated(r->stream, sizeof(r->stream));
	default:
		return terminated(q->iface, sizeof(q->iface)) &&
		       terminated(q->stream, sizeof(q->stream));
	}
}

void op_obj_set(struct control *c, struct request *r)
{
	union {
		struct dp_listener listener;
		struct dp_stream stream;
		struct dp_route route;
		struct dp_source source;
	} body;
	struct dp_obj o;
	size_t size;

	if (dp_wire_body(r->body, &o, sizeof(o))) {
		request_fail(r, -EBADMSG, "OBJ_SET is cut short");
		return;
	}
	size = object_body_size(o.kind);
	if (size && (dp_wire_body(r->body, &body, size) || !sane(o.kind, &body))) {
		request_fail(r, -EBADMSG, "OBJ_SET is cut short");
		return;
	}
	r->status = object_set(c, &o, &body, r->error, sizeof(r->error));
}

void op_obj_del(struct control *c, struct request *r)
{
	struct dp_obj o;

	if (dp_wire_body(r->body, &o, sizeof(o)))
		request_fail(r, -EBADMSG, "OBJ_DEL is cut short");
	else if (object_del(c, o.kind, o.id))
		request_fail(r, -ENOENT, "no such object");
}

void op_sync_begin(struct control *c, struct request *r)
{
	objects_begin(c);
}

void op_sync_commit(struct control *c, struct request *r)
{
	struct dp_sync_commit commit;
	uint64_t digest[8];
	uint32_t count[8];

	if (dp_wire_body(r->body, &commit, sizeof(commit))) {
		request_fail(r, -EBADMSG, "SYNC_COMMIT is cut short");
		return;
	}
	if (!c->objects.syncing) {
		request_fail(r, -EINVAL, "no sync has begun");
		return;
	}
	r->held = objects_commit(c, commit.force);
	c->generation++;
	objects_digest(c, digest, count);
	if (!r->held && memcmp(digest, commit.digest, sizeof(digest)))
		request_fail(r, -EILSEQ, "the digests differ after the sync");
	else
		log_info("synced: %u objects", c->objects.n);
}
