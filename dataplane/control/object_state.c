// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What an object is up to, and trying again those that wait.

#include "base/log.h"
#include "control/control_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

LOG_SUBSYSTEM(objects)

#define STATE_BUSY_TRIES 10u // a port that a program has just left: a second in all
#define STATE_BUSY_US (100 * TS_MS)
#define STATE_KICKED_US (1 * TS_S)
#define STATE_RETRY_US (10 * TS_S) // a port that somebody has, an address that is not here yet

void object_state(struct control *c, struct object *o, enum dp_obj_state s, const char *error)
{
	bool same = o->state == s && !strcmp(o->error, error);

	o->state = (uint8_t)s;
	o->retry_at = 0;
	snprintf(o->error, sizeof(o->error), "%s", error);
	if (same || o->gone)
		return;
	if (s == DP_OBJ_ERROR)
		log_warn("%s %010llx: %s", object_kind_name(o->kind), (unsigned long long)o->id,
			error);
	notice_object(c, o);
}

// A port may be busy only because its last holder is still going: that is waited for without a
// word, and without holding up anybody else.
void object_no_socket(struct control *c, struct object *o, int rc, const char *error)
{
	bool wait = rc == -EADDRINUSE && o->tries < STATE_BUSY_TRIES;

	o->tries++;
	object_state(c, o, wait ? DP_OBJ_PENDING : DP_OBJ_ERROR, error);
	o->retry_at = c->now + (wait ? STATE_BUSY_US : STATE_RETRY_US);
	c->retry_at = ts_min(c->retry_at, o->retry_at);
}

// A route or source is to be there until it is deleted: it begins again.
void object_kicked(struct control *c, const struct event *e)
{
	struct object *o =
		object_find(c, e->mode == DP_MODE_PLAY ? DP_ROUTE : DP_SOURCE, e->object);

	if (!o || o->session != e->key)
		return;
	object_remove(c, o);
	object_state(c, o, DP_OBJ_PENDING, "disconnected by an operator, it begins again");
	o->retry_at = c->now + STATE_KICKED_US;
	c->retry_at = ts_min(c->retry_at, o->retry_at);
}

static bool waits(const struct object *o)
{
	return o->state != DP_OBJ_ACTIVE && !o->in_flight;
}

void objects_retry(struct control *c)
{
	ts_us next = c->now + STATE_RETRY_US;

	c->retry = false;
	for (uint32_t i = 0; i < c->objects.n; i++) {
		struct object *o = c->objects.all[i];

		if (waits(o) && o->retry_at <= c->now)
			object_apply(c, o);
		// In flight, it is looked at again soon after its time.
		if (o->state != DP_OBJ_ACTIVE && o->retry_at)
			next = ts_min(next, ts_max(o->retry_at, c->now + STATE_BUSY_US));
	}
	c->retry_at = next;
}
