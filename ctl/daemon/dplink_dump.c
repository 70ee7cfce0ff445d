// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Pages read from the dataplane, one at a time: sessions for the API, and the states of all objects
// once a second and whenever something changed.

#include "ctl/daemon/dplink_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUMPS_MAX 256u // that wait; more callers are told to come again

static void add(struct dplink *l, const struct dp_dump *what, dplink_page cb, void *arg)
{
	struct dump *d = calloc(1, sizeof(*d));

	if (!d) {
		if (cb)
			cb(arg, -ENOMEM, NULL, 0, 0);
		return;
	}
	d->what = *what;
	d->cb = cb;
	d->arg = arg;
	STAILQ_INSERT_TAIL(&l->dumps, d, next);
}

static unsigned waiting(const struct dplink *l)
{
	const struct dump *d;
	unsigned n = 0;

	STAILQ_FOREACH(d, &l->dumps, next)
	n++;
	return n;
}

void dplink_sessions(struct dplink *l, enum dp_dump_what what, const char *stream, uint64_t cursor,
	uint32_t limit, dplink_page cb, void *arg)
{
	struct dp_dump d = {.what = what, .limit = limit, .cursor = cursor};

	if (!dplink_is_up(l) || waiting(l) >= DUMPS_MAX) {
		cb(arg, dplink_is_up(l) ? -EAGAIN : -ENOTCONN, NULL, 0, 0);
		return;
	}
	snprintf(d.stream, sizeof(d.stream), "%s", stream ? stream : "");
	add(l, &d, cb, arg);
	dump_send(l);
}

static void look_at(struct dplink *l, uint64_t cursor)
{
	struct dp_dump d = {.what = DP_DUMP_OBJECTS, .limit = DP_DUMP_MAX, .cursor = cursor};

	add(l, &d, NULL, NULL);
}

void dump_look(struct dplink *l)
{
	if (!dplink_is_up(l))
		return;
	if (l->looking) {
		l->look_again = true;
		return;
	}
	l->looking = true;
	l->look_again = l->look_due = false;
	l->looked_changes = l->n_objects ? UINT64_MAX : l->changes;
	l->coming.n = 0;
	look_at(l, 0);
}

void dump_send(struct dplink *l)
{
	struct dump *d = STAILQ_FIRST(&l->dumps);
	int64_t seq;

	if (!d || d->sent || !dplink_is_up(l))
		return;
	seq = dp_client_dump(&l->client, &d->what);
	if (seq == -EAGAIN) {
		event_add(l->writable, NULL);
	} else if (seq < 0) {
		dplink_close(l, strerror((int)-seq));
	} else {
		d->sent = true;
		d->seq = (uint32_t)seq;
		d->sent_at = ts_now();
	}
}

static int by_kind_and_id(const void *a, const void *b)
{
	const struct dp_object_state *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static const struct dp_object_state *state_of(const struct states *s, uint32_t kind, uint64_t id)
{
	const struct dp_object_state key = {.kind = kind, .id = id};

	return s->n ? bsearch(&key, s->all, s->n, sizeof(key), by_kind_and_id) : NULL;
}

const struct dp_object_state *dplink_object(
	const struct dplink *l, uint32_t kind, uint64_t id, uint64_t version)
{
	const struct dp_object_state *o = dplink_is_up(l) ? state_of(&l->states, kind, id) : NULL;

	return o && o->version == version ? o : NULL;
}

static bool is_news(const struct dp_object_state *old, const struct dp_object_state *o)
{
	return !old || old->state != o->state || strcmp(old->error, o->error) != 0;
}

static void look_complete(struct dplink *l)
{
	struct states old = l->states;

	if (l->coming.n)
		qsort(l->coming.all, l->coming.n, sizeof(*l->coming.all), by_kind_and_id);
	l->states = l->coming;
	l->coming = (struct states){0};
	l->looking = false;
	for (size_t i = 0; i < l->states.n; i++) {
		const struct dp_object_state *o = &l->states.all[i];

		if (is_news(state_of(&old, o->kind, o->id), o))
			l->ops->object(l->arg, o);
	}
	free(old.all);
	if (l->look_again)
		dump_look(l);
	else if (l->state == DPLINK_UP && !l->dirty && !l->n_objects &&
		 l->looked_changes == l->changes)
		l->ops->settled(l->arg);
}

static void take_objects(struct dplink *l, const struct dp_msg *m)
{
	struct states *s = &l->coming;
	struct dp_object_state *more;

	if (s->n + m->dump.n > s->cap) {
		size_t cap = 2 * s->cap + DP_DUMP_MAX;

		more = reallocarray(s->all, cap, sizeof(*more));
		if (!more) {
			l->looking = false; // the next second looks again
			l->looked_changes = UINT64_MAX;
			return;
		}
		s->all = more;
		s->cap = cap;
	}
	if (m->dump.n)
		memcpy(&s->all[s->n], m->objects, m->dump.n * sizeof(*s->all));
	s->n += m->dump.n;
	if (m->dump.next)
		look_at(l, m->dump.next);
	else
		look_complete(l);
}

static struct dump *take_head(struct dplink *l)
{
	struct dump *d = STAILQ_FIRST(&l->dumps);

	STAILQ_REMOVE_HEAD(&l->dumps, next);
	return d;
}

void dump_answered(struct dplink *l, const struct dp_msg *m)
{
	struct dump *d = STAILQ_FIRST(&l->dumps);

	if (!d || !d->sent || d->seq != m->seq)
		return;
	take_head(l);
	if (!d->cb)
		take_objects(l, m);
	else if (d->arg)
		d->cb(d->arg, 0, m->sessions, m->dump.n, m->dump.next);
	free(d);
}

static void fail(struct dplink *l, struct dump *d, int status)
{
	if (!d->cb) {
		l->looking = false;
		l->looked_changes = UINT64_MAX;
	} else if (d->arg) {
		d->cb(d->arg, status, NULL, 0, 0);
	}
	free(d);
}

void dump_failed(struct dplink *l, int status)
{
	struct dump *d = STAILQ_FIRST(&l->dumps);

	if (d && d->sent)
		fail(l, take_head(l), status);
}

void dump_reset(struct dplink *l)
{
	while (!STAILQ_EMPTY(&l->dumps))
		fail(l, take_head(l), -ENOTCONN);
	l->states.n = l->coming.n = 0;
	l->looking = l->look_again = false;
	l->looked_changes = UINT64_MAX;
}
