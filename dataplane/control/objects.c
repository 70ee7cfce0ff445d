// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

LOG_SUBSYSTEM(objects)

struct kind_ops {
	const char *name;
	size_t size; // of its struct
	void (*apply)(struct control *c, struct object *o);
	void (*remove)(struct control *c, struct object *o);
};

static const struct kind_ops kinds[DP_KINDS] = {
	[DP_LISTENER] = {"listener", sizeof(struct dp_listener), listener_apply, listener_remove},
	[DP_STREAM] = {"stream", sizeof(struct dp_stream), stream_apply, stream_remove},
	[DP_ROUTE] = {"route", sizeof(struct dp_route), push_apply, push_remove},
	[DP_SOURCE] = {"source", sizeof(struct dp_source), source_apply, source_remove},
};

size_t object_body_size(uint32_t kind)
{
	return kind < DP_KINDS ? kinds[kind].size : 0;
}

static uint32_t position(const struct objects *t, uint32_t kind, uint64_t id)
{
	uint32_t low = 0, high = t->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct object *o = t->all[mid];

		if (o->kind < kind || (o->kind == kind && o->id < id))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct object *object_find(struct control *c, uint32_t kind, uint64_t id)
{
	struct objects *t = &c->objects;
	uint32_t at = position(t, kind, id);

	return at < t->n && t->all[at]->kind == kind && t->all[at]->id == id ? t->all[at] : NULL;
}

static struct object *insert(struct objects *t, uint32_t kind, uint64_t id)
{
	uint32_t at = position(t, kind, id);
	struct object *o = calloc(1, sizeof(*o));

	if (o && t->n == t->cap) {
		uint32_t cap = t->cap ? 2 * t->cap : 64;
		struct object **all = realloc(t->all, cap * sizeof(*all));

		if (!all) {
			free(o);
			return NULL;
		}
		t->all = all;
		t->cap = cap;
	}
	if (!o)
		return NULL;
	memmove(&t->all[at + 1], &t->all[at], (t->n - at) * sizeof(t->all[0]));
	t->all[at] = o;
	t->n++;
	o->kind = kind;
	o->id = id;
	return o;
}

void object_state(struct control *c, struct object *o, enum dp_obj_state s, const char *error)
{
	bool same = o->state == s && !strcmp(o->error, error);

	o->state = (uint8_t)s;
	snprintf(o->error, sizeof(o->error), "%s", error);
	if (same || o->gone)
		return;
	if (s == DP_OBJ_ERROR)
		log_warn("%s %010llx: %s", kinds[o->kind].name, (unsigned long long)o->id, error);
	notice_object(c, o);
}

static void *body_of(struct object *o)
{
	return &o->listener;
}

int object_set(struct control *c, const struct dp_obj *d, const void *body, char *err, size_t cap)
{
	struct object *o;

	if (!object_body_size(d->kind)) {
		snprintf(err, cap, "objects of kind %u are not served", d->kind);
		return -ENOTSUP;
	}
	o = object_find(c, d->kind, d->id);
	if (o && o->version == d->version) {
		o->marked = true;
		return 0;
	}
	// A change of what is pushed or bound: the old one ends, the new one begins.
	if (o && (o->kind == DP_ROUTE || o->kind == DP_SOURCE)) {
		object_del(c, o->kind, o->id);
		o = NULL;
	}
	if (!o)
		o = insert(&c->objects, d->kind, d->id);
	if (!o) {
		snprintf(err, cap, "out of memory");
		return -ENOMEM;
	}
	memcpy(body_of(o), body, kinds[d->kind].size);
	o->version = d->version;
	o->marked = true;
	kinds[o->kind].apply(c, o);
	return 0;
}

void object_release(struct control *c, struct object *o)
{
	if (o->in_flight)
		o->in_flight--;
	if (o->gone && !o->in_flight) {
		free(o);
		c->retry = true;
	}
}

void object_ended(struct control *c, uint64_t id, session_key session)
{
	static const uint32_t with_session[] = {DP_ROUTE, DP_SOURCE};

	for (unsigned i = 0; i < 2; i++) {
		struct object *o = object_find(c, with_session[i], id);

		if (!o || o->session != session)
			continue;
		kinds[o->kind].remove(c, o);
		o->ended = true;
		object_state(c, o, DP_OBJ_ERROR, "ended by an operator");
	}
}

int object_del(struct control *c, uint32_t kind, uint64_t id)
{
	struct objects *t = &c->objects;
	struct object *o = object_find(c, kind, id);
	uint32_t at = position(t, kind, id);

	if (!o)
		return -ENOENT;
	memmove(&t->all[at], &t->all[at + 1], (t->n - at - 1) * sizeof(t->all[0]));
	t->n--;
	o->gone = true;
	o->in_flight++; // so that it outlives its removal
	kinds[kind].remove(c, o);
	object_release(c, o);
	return 0;
}

void objects_begin(struct control *c)
{
	c->objects.syncing = true;
	for (uint32_t i = 0; i < c->objects.n; i++)
		c->objects.all[i]->marked = false;
}

static uint32_t unmarked(const struct objects *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		n += !t->all[i]->marked;
	return n;
}

// Removal guard (decisions B2): a sync that would sweep many is more often a mistake than a wish.
uint32_t objects_commit(struct control *c, bool force)
{
	struct objects *t = &c->objects;
	uint32_t n = unmarked(t);

	t->syncing = false;
	t->held = 0;
	if (!force && n > DP_SWEEP_GUARD_MIN && n * 100 > t->n * DP_SWEEP_GUARD_PERCENT) {
		t->held = n;
		log_warn("a sync would remove %u of %u objects: held", n, t->n);
		return n;
	}
	for (uint32_t i = 0; i < t->n;)
		if (t->all[i]->marked)
			i++;
		else
			object_del(c, t->all[i]->kind, t->all[i]->id);
	return 0;
}

void objects_digest(const struct control *c, uint64_t digest[8], uint32_t count[8])
{
	memset(digest, 0, 8 * sizeof(digest[0]));
	memset(count, 0, 8 * sizeof(count[0]));
	for (uint32_t i = 0; i < c->objects.n; i++) {
		const struct object *o = c->objects.all[i];

		digest[o->kind] += dp_mix(o->id, o->version);
		count[o->kind]++;
	}
}

void objects_retry(struct control *c)
{
	c->retry = false;
	for (uint32_t i = 0; i < c->objects.n; i++) {
		struct object *o = c->objects.all[i];

		// What an operator has ended stays ended.
		if (o->state != DP_OBJ_ACTIVE && !o->ended)
			kinds[o->kind].apply(c, o);
	}
}
