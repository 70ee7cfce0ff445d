// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Keeping what the dataplane holds equal to what is wanted: everything in one sync when the two
// differ at the start, single operations from then on.

#include "ctl/daemon/dplink_priv.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

LOG_SUBSYSTEM(sync)

static size_t place_of(const struct dplink *l, uint32_t kind, uint64_t id)
{
	size_t from = 0, to = l->n_applied;

	while (from < to) {
		size_t mid = (from + to) / 2;
		const struct applied *a = &l->applied[mid];

		if (a->kind < kind || (a->kind == kind && a->id < id))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static struct applied *find(const struct dplink *l, uint32_t kind, uint64_t id)
{
	size_t at = place_of(l, kind, id);

	return at < l->n_applied && l->applied[at].kind == kind && l->applied[at].id == id
		       ? &l->applied[at]
		       : NULL;
}

const struct applied *sync_applied(const struct dplink *l, uint32_t kind, uint64_t id)
{
	return find(l, kind, id);
}

static bool grow(struct dplink *l, size_t n)
{
	size_t cap = l->cap_applied ? l->cap_applied : 64;
	struct applied *more;

	if (n <= l->cap_applied)
		return true;
	while (cap < n)
		cap *= 2;
	more = reallocarray(l->applied, cap, sizeof(*more));
	if (!more)
		return false;
	l->applied = more;
	l->cap_applied = cap;
	return true;
}

static bool note_set(struct dplink *l, const struct desired *d)
{
	size_t at = place_of(l, d->kind, d->id);

	if (!find(l, d->kind, d->id)) {
		if (!grow(l, l->n_applied + 1))
			return false;
		memmove(&l->applied[at + 1], &l->applied[at],
			(l->n_applied++ - at) * sizeof(*l->applied));
	}
	l->applied[at] = (struct applied){d->kind, d->id, d->version};
	return true;
}

static void note_del(struct dplink *l, uint32_t kind, uint64_t id)
{
	struct applied *a = find(l, kind, id);

	if (a)
		memmove(a, a + 1, (size_t)(&l->applied[--l->n_applied] - a) * sizeof(*a));
}

// The dataplane holds this set, whole.
static bool note_all(struct dplink *l, const struct desired_set *s)
{
	if (!grow(l, s->n))
		return false;
	for (size_t i = 0; i < s->n; i++)
		l->applied[i] = (struct applied){s->all[i].kind, s->all[i].id, s->all[i].version};
	l->n_applied = s->n;
	return true;
}

const struct refusal *sync_refusal(const struct dplink *l, uint32_t kind, uint64_t id)
{
	const struct refusal *r;

	LIST_FOREACH(r, &l->refusals, next)
	if (r->kind == kind && r->id == id)
		return r;
	return NULL;
}

bool dplink_holds(const struct dplink *l, uint32_t kind, uint64_t id, uint64_t version)
{
	const struct applied *a = find(l, kind, id);
	const struct request *r;

	if (!a || (version && a->version != version) || sync_refusal(l, kind, id))
		return false;
	STAILQ_FOREACH(r, &l->requests, next)
	if (r->type == REQ_SET && r->kind == kind && r->id == id)
		return false;
	return true;
}

const char *dplink_refusal(const struct dplink *l, uint32_t kind, uint64_t id)
{
	const struct refusal *r = sync_refusal(l, kind, id);

	return r ? r->error : NULL;
}

static void forget_refusal(struct dplink *l, uint32_t kind, uint64_t id)
{
	struct refusal *r = (struct refusal *)sync_refusal(l, kind, id);

	if (!r)
		return;
	LIST_REMOVE(r, next);
	free(r);
}

static void note_refusal(struct dplink *l, const struct request *q, int status, const char *why)
{
	struct refusal *r = calloc(1, sizeof(*r));

	if (!r)
		return;
	r->kind = q->kind;
	r->id = q->id;
	snprintf(r->error, sizeof(r->error), "%s", *why ? why : strerror(-status));
	LIST_INSERT_HEAD(&l->refusals, r, next);
	l->refused_at = ts_now();
	log_warn("the dataplane refuses a %s: %s", desired_noun(q->kind), r->error);
}

void sync_reset(struct dplink *l)
{
	desired_set_free(&l->sending);
	while (!LIST_EMPTY(&l->refusals)) {
		struct refusal *r = LIST_FIRST(&l->refusals);

		LIST_REMOVE(r, next);
		free(r);
	}
	l->n_applied = 0;
	l->held = 0;
}

static bool copy_set(struct desired_set *to, const struct desired_set *from)
{
	desired_set_free(to);
	for (size_t i = 0; i < from->n; i++)
		if (desired_set_put(to, &from->all[i]))
			return false;
	return true;
}

static void begin_sync(struct dplink *l)
{
	if (!copy_set(&l->sending, &l->want)) {
		dplink_close(l, "out of memory");
		return;
	}
	l->state = DPLINK_SYNCING;
	l->sent = 0;
	l->begun = l->committed = false;
	l->synced = ts_now();
}

void sync_start(struct dplink *l)
{
	l->state = DPLINK_UP;
	l->dirty = true;
	l->synced = 0;
	if (!l->wanted)
		return; // dplink_want() starts it
	if (!reconcile_is_equal(&l->want, &l->hello))
		begin_sync(l);
	else if (!note_all(l, &l->want))
		dplink_close(l, "out of memory");
	else
		log_info("the dataplane has all %zu objects", l->want.n);
}

// Where the objects of a kind begin in a sorted set.
static size_t begin_of(const struct desired_set *s, uint32_t kind)
{
	size_t from = 0, to = s->n;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (s->all[mid].kind < kind)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

// Objects by kind in the order in which they may refer to each other.
static const struct desired *nth_to_send(const struct desired_set *s, size_t n)
{
	static const uint32_t order[] = {
		DP_SECRET, DP_POLICY, DP_STREAM, DP_SOURCE, DP_ROUTE, DP_LISTENER};

	for (size_t k = 0; k < sizeof(order) / sizeof(*order); k++) {
		size_t from = begin_of(s, order[k]), many = begin_of(s, order[k] + 1) - from;

		if (n < many)
			return &s->all[from + n];
		n -= many;
	}
	return NULL;
}

static bool send_set(struct dplink *l, const struct desired *d)
{
	int64_t seq = dp_client_obj_set(
		&l->client, d->kind, d->id, d->version, &d->body, desired_body_size(d->kind));

	if (!dplink_sent(l, seq, REQ_SET, d->kind, d->id, NULL, NULL))
		return false;
	l->changes++;
	forget_refusal(l, d->kind, d->id);
	return true;
}

static void send_commit(struct dplink *l)
{
	struct dp_sync_commit c = {.force = l->force};
	const struct refusal *r;

	desired_set_digest(&l->sending, c.digest, c.count);
	LIST_FOREACH(r, &l->refusals, next)
	{
		const struct desired *d = desired_set_find(&l->sending, r->kind, r->id);

		if (!d)
			continue;
		// It is not there, and must not keep the others' sweep from happening.
		c.digest[r->kind] -= dp_mix(d->id, d->version);
		c.count[r->kind]--;
	}
	l->committed =
		dplink_sent(l, dp_client_sync_commit(&l->client, &c), REQ_COMMIT, 0, 0, NULL, NULL);
}

static void continue_sync(struct dplink *l)
{
	if (!l->begun) {
		l->begun = dplink_sent(
			l, dp_client_sync_begin(&l->client), REQ_BEGIN, 0, 0, NULL, NULL);
		if (!l->begun)
			return;
	}
	while (l->sent < l->sending.n && l->n_objects < DPLINK_WINDOW) {
		if (!send_set(l, nth_to_send(&l->sending, l->sent)))
			return;
		l->sent++;
	}
	// After the last answer: refusals are known then.
	if (l->sent == l->sending.n && !l->n_objects && !l->committed)
		send_commit(l);
}

static bool send_op(struct dplink *l, const struct reconcile_op *op)
{
	if (op->del) {
		if (!dplink_sent(l, dp_client_obj_del(&l->client, op->kind, op->id), REQ_DEL,
			    op->kind, op->id, NULL, NULL))
			return false;
		l->changes++;
		note_del(l, op->kind, op->id);
		forget_refusal(l, op->kind, op->id);
		return true;
	}
	if (!send_set(l, op->object))
		return false;
	if (note_set(l, op->object))
		return true;
	dplink_close(l, "out of memory");
	return false;
}

static void continue_ops(struct dplink *l)
{
	struct reconcile_op *ops;
	size_t n, i = 0;

	if (!l->wanted || !l->dirty || l->n_objects > DPLINK_WINDOW / 2)
		return;
	ops = calloc(l->want.n + l->n_applied + 1, sizeof(*ops));
	if (!ops)
		return;
	n = reconcile(&l->want, l->applied, l->n_applied, ops);
	while (i < n && l->n_objects < DPLINK_WINDOW && send_op(l, &ops[i]))
		i++;
	l->dirty = i < n;
	free(ops);
	if (!n && !l->n_objects)
		dump_look(l); // nothing to send: who waits for an answer has it
}

void sync_continue(struct dplink *l)
{
	if (l->state == DPLINK_SYNCING)
		continue_sync(l);
	else if (l->state == DPLINK_UP)
		continue_ops(l);
}

static void committed(struct dplink *l, int status, const struct dp_ack *ack)
{
	if (status)
		log_error("the dataplane did not take the sync: %s",
			*ack->error ? ack->error : strerror(-status));
	else
		log_info("sent all %zu objects", l->sending.n);
	if (ack->held)
		log_warn("%u objects would have gone and are held by the removal guard; "
			 "force a sync to let them go",
			ack->held);
	l->held = ack->held;
	l->force = false;
	l->state = DPLINK_UP;
	l->dirty = true; // what was wanted meanwhile
	if (!note_all(l, &l->sending))
		dplink_close(l, "out of memory");
	desired_set_free(&l->sending);
	dump_look(l);
}

// Secrets are never dumped, nor what stands on them.
static bool is_dumped(uint32_t kind)
{
	return kind != DP_SECRET && kind != DP_POLICY;
}

void sync_answered(struct dplink *l, const struct request *r, int status, const struct dp_ack *ack)
{
	if (r->type == REQ_COMMIT)
		committed(l, status, ack);
	else if (r->type == REQ_SET && status)
		note_refusal(l, r, status, ack->error);
	else if (r->type == REQ_DEL && status && status != -ENOENT)
		log_warn("the dataplane does not let go of a %s: %s", desired_noun(r->kind),
			*ack->error ? ack->error : strerror(-status));
	// A stream has no state of its own to be read: its answer settles it.
	l->look_due |= (is_dumped(r->kind) && r->kind != DP_STREAM) || status;
	if (l->n_objects || l->dirty || l->state != DPLINK_UP)
		return;
	if (l->look_due)
		dump_look(l);
	else
		l->ops->settled(l->arg);
}

// Does the dataplane hold what we think? Asked when a look at all its objects is complete.
static bool differs(const struct dplink *l)
{
	size_t expected = 0, found = 0;

	for (size_t i = 0; i < l->n_applied; i++) {
		const struct applied *a = &l->applied[i];

		if (!is_dumped(a->kind) || sync_refusal(l, a->kind, a->id))
			continue;
		expected++;
		if (!dplink_object(l, a->kind, a->id, a->version))
			return true;
	}
	for (size_t i = 0; i < l->states.n; i++)
		found += is_dumped(l->states.all[i].kind);
	return !l->held && expected != found;
}

void sync_tick(struct dplink *l, ts_us now)
{
	if (l->state != DPLINK_UP || !l->wanted)
		return;
	if (!LIST_EMPTY(&l->refusals) && now - l->refused_at > DPLINK_REFUSED_US) {
		struct refusal *r;

		LIST_FOREACH(r, &l->refusals, next)
		{
			struct applied *a = find(l, r->kind, r->id);

			if (a)
				a->version = 0; // of nothing: it is sent again
		}
		l->refused_at = now;
		l->dirty = true;
	}
	if (now - l->synced > DPLINK_RESYNC_US && !l->n_objects && !l->looking &&
		l->looked_changes == l->changes && differs(l)) {
		log_warn("the dataplane does not hold what it was sent: sending everything");
		begin_sync(l);
	}
	sync_continue(l);
}

void dplink_want(struct dplink *l, struct desired_set *want)
{
	bool first = !l->wanted;

	desired_set_free(&l->want);
	l->want = *want;
	*want = (struct desired_set){0};
	l->wanted = l->dirty = true;
	if (first && l->state == DPLINK_UP)
		sync_start(l);
	sync_continue(l);
}

// Send one operation, in turn behind what waits.
static void send_one(struct dplink *l, const struct reconcile_op *op)
{
	if (l->state != DPLINK_UP || l->dirty || l->n_objects >= DPLINK_WINDOW || !send_op(l, op))
		l->dirty = true;
	sync_continue(l);
}

void dplink_put(struct dplink *l, const struct desired *d)
{
	const struct reconcile_op op = {.kind = d->kind, .id = d->id, .object = d};

	if (desired_set_replace(&l->want, d))
		log_error("out of memory: a %s is left out", desired_noun(d->kind));
	else
		send_one(l, &op);
}

void dplink_drop(struct dplink *l, uint32_t kind, uint64_t id)
{
	const struct reconcile_op op = {.del = true, .kind = kind, .id = id};

	if (desired_set_remove(&l->want, kind, id))
		send_one(l, &op);
}

void dplink_force(struct dplink *l)
{
	l->force = true;
	if (l->state == DPLINK_UP && l->wanted)
		begin_sync(l);
	sync_continue(l);
}
