// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include "base/log.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

LOG_SUBSYSTEM(sync)

struct kind_ops {
	const char *name;
	size_t size; // of its struct
	void (*apply)(struct control *c, struct object *o);
	void (*remove)(struct control *c, struct object *o);
	void (*forget)(struct control *c, struct object *o); // before a change; NULL: nothing to do
};

static const struct kind_ops kinds[DP_KINDS] = {
	[DP_LISTENER] = {"listener", sizeof(struct dp_listener), listener_apply, listener_remove},
	[DP_STREAM] = {"stream", sizeof(struct dp_stream), stream_apply, stream_remove},
	[DP_ROUTE] = {"route", sizeof(struct dp_route), push_apply, push_remove},
	[DP_SOURCE] = {"source", sizeof(struct dp_source), source_apply, source_remove},
	[DP_SECRET] = {"secret", sizeof(struct dp_secret), secret_apply, secret_remove},
	[DP_POLICY] = {"policy", sizeof(struct dp_policy), policy_apply, policy_remove,
		policy_forget},
};

static const struct kind_ops calls = {.apply = call_apply, .remove = call_remove};

static const struct kind_ops *ops_of(const struct object *o)
{
	return object_calls(o) ? &calls : &kinds[o->kind];
}

size_t object_body_size(uint32_t kind)
{
	return kind < DP_KINDS ? kinds[kind].size : 0;
}

const char *object_kind_name(uint32_t kind)
{
	return kind < DP_KINDS && kinds[kind].name ? kinds[kind].name : "unknown";
}

uint32_t objects_from(const struct objects *t, uint32_t kind, uint64_t id)
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
	uint32_t at = objects_from(t, kind, id);

	return at < t->n && t->all[at]->kind == kind && t->all[at]->id == id ? t->all[at] : NULL;
}

static bool grow(struct objects *t)
{
	uint32_t cap = t->cap ? 2 * t->cap : 64;
	struct object **all;

	if (t->n < t->cap)
		return true;
	all = t->n < OBJECTS_MAX ? realloc(t->all, cap * sizeof(*all)) : NULL;
	if (!all)
		return false;
	t->all = all;
	t->cap = cap;
	return true;
}

static size_t object_size(uint32_t kind)
{
	return offsetof(struct object, listener) + kinds[kind].size;
}

// Secrets are wiped.
static void object_free(struct object *o)
{
	OPENSSL_cleanse(o, object_size(o->kind));
	free(o);
}

static struct object *insert(struct objects *t, uint32_t kind, uint64_t id)
{
	uint32_t at = objects_from(t, kind, id);
	struct object *o = grow(t) ? calloc(1, object_size(kind)) : NULL;

	if (!o)
		return NULL;
	memmove(&t->all[at + 1], &t->all[at], (t->n - at) * sizeof(t->all[0]));
	t->all[at] = o;
	t->n++;
	o->kind = kind;
	o->id = id;
	return o;
}

void object_apply(struct control *c, struct object *o)
{
	const char *wrong = object_check(o);

	if (!wrong)
		ops_of(o)->apply(c, o);
	else
		object_state(c, o, DP_OBJ_ERROR, wrong);
}

void object_remove(struct control *c, struct object *o)
{
	ops_of(o)->remove(c, o);
}

static void *body_of(struct object *o)
{
	return &o->listener;
}

// A change of what is pushed or bound: the old one ends, the new one begins. The others take it on
// as they are.
static struct object *renew(struct control *c, struct object *o, const struct dp_obj *d)
{
	if (o && (o->kind == DP_ROUTE || o->kind == DP_SOURCE)) {
		object_del(c, o->kind, o->id);
		o = NULL;
	}
	if (o && kinds[o->kind].forget)
		kinds[o->kind].forget(c, o);
	return o ? o : insert(&c->objects, d->kind, d->id);
}

int object_set(struct control *c, const struct dp_obj *d, const void *body, char *err, size_t cap)
{
	struct object *o = object_find(c, d->kind, d->id);

	if (!object_body_size(d->kind)) {
		snprintf(err, cap, "objects of kind %s are not served yet",
			object_kind_name(d->kind));
		return -ENOTSUP;
	}
	if (o && o->version == d->version) {
		o->marked = true;
		return 0;
	}
	if (!o && d->kind == DP_POLICY && !policy_fits(c, body)) {
		snprintf(err, cap, "%u tokens and keys are revoked already", DP_REVOKED_MAX);
		return -ENOSPC;
	}
	o = renew(c, o, d);
	if (!o) {
		snprintf(err, cap, "no room for another object");
		return -ENOMEM;
	}
	memcpy(body_of(o), body, kinds[d->kind].size);
	o->version = d->version;
	o->marked = true;
	o->tries = 0;
	object_apply(c, o);
	return 0;
}

void object_release(struct control *c, struct object *o)
{
	if (o->in_flight)
		o->in_flight--;
	if (o->gone && !o->in_flight) {
		object_free(o);
		c->retry = true;
	}
}

int object_del(struct control *c, uint32_t kind, uint64_t id)
{
	struct objects *t = &c->objects;
	struct object *o = object_find(c, kind, id);
	uint32_t at = objects_from(t, kind, id);

	if (!o)
		return -ENOENT;
	memmove(&t->all[at], &t->all[at + 1], (t->n - at - 1) * sizeof(t->all[0]));
	t->n--;
	o->gone = true;
	o->in_flight++; // so that it outlives its removal
	object_remove(c, o);
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

static void digest_of(const struct objects *t, bool marked, uint64_t digest[8], uint32_t count[8])
{
	memset(digest, 0, 8 * sizeof(digest[0]));
	memset(count, 0, 8 * sizeof(count[0]));
	for (uint32_t i = 0; i < t->n; i++) {
		const struct object *o = t->all[i];

		if (marked && !o->marked)
			continue;
		digest[o->kind] += dp_mix(o->id, o->version);
		count[o->kind]++;
	}
}

void objects_digest(const struct control *c, uint64_t digest[8], uint32_t count[8])
{
	digest_of(&c->objects, false, digest, count);
}

// Did all of the sync arrive?
static bool is_complete(const struct objects *t, const struct dp_sync_commit *commit)
{
	uint64_t digest[8];
	uint32_t count[8];

	digest_of(t, true, digest, count);
	return !memcmp(digest, commit->digest, sizeof(digest)) &&
	       !memcmp(count, commit->count, sizeof(count));
}

// Removal guard (decisions B2): a sync that would sweep many is more often a mistake than a wish.
static bool is_suspect(const struct objects *t, uint32_t n)
{
	return n > DP_SWEEP_GUARD_MIN &&
	       (uint64_t)n * 100 > (uint64_t)t->n * DP_SWEEP_GUARD_PERCENT;
}

int objects_commit(struct control *c, const struct dp_sync_commit *commit)
{
	struct objects *t = &c->objects;
	uint32_t n = unmarked(t);

	t->syncing = false;
	if (!is_complete(t, commit))
		return -EILSEQ;
	t->held = !commit->force && is_suspect(t, n) ? n : 0;
	if (t->held) {
		log_warn("a sync would remove %u of %u objects: held", n, t->n);
		return (int)t->held;
	}
	for (uint32_t i = t->n; i-- > 0;)
		if (!t->all[i]->marked)
			object_del(c, t->all[i]->kind, t->all[i]->id);
	return 0;
}

void object_free_all(struct control *c)
{
	for (uint32_t i = 0; i < c->objects.n; i++)
		object_free(c->objects.all[i]);
	free(c->objects.all);
}
