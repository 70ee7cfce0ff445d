// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/admit.h"

#include "control/control_priv.h"

#include <string.h>

// Cheap before slow, and what tells a stranger least before what tells more.
static int (*const stages[])(struct control *c, struct wish *w) = {
	admit_listener,
	admit_listener_acl,
	admit_handshake,
	admit_streamid,
	admit_stream,
	admit_stream_acl,
	admit_user,
	admit_token,
	admit_limits,
	admit_hook,
	admit_secret,
	admit_key,
	admit_size,
	admit_place,
};

void admits_init(struct admits *t, uint64_t key)
{
	share_init(&t->share, key);
	TAILQ_INIT(&t->free);
	TAILQ_INIT(&t->waiting);
	t->due = TS_NEVER;
	for (uint32_t i = 0; i < ADMITS_MAX; i++)
		TAILQ_INSERT_TAIL(&t->free, &t->all[i], link);
}

static struct admission *admission_new(struct admits *t, const struct parked *q)
{
	struct admission *a = TAILQ_FIRST(&t->free);

	if (!a || !share_lets_in(&t->share, q->peer.ip, t->n, ADMITS_MAX))
		return NULL;
	share_take(&t->share, q->peer.ip);
	TAILQ_REMOVE(&t->free, a, link);
	*a = (struct admission){.used = true, .generation = a->generation + 1};
	memcpy(a->from, q->peer.ip, sizeof(a->from));
	t->n++;
	return a;
}

static void stop_waiting(struct admits *t, struct admission *a)
{
	if (a->waits == ADMIT_FOR_NOTHING)
		return;
	TAILQ_REMOVE(&t->waiting, a, link);
	t->n_for_stream -= a->waits == ADMIT_FOR_STREAM;
	a->waits = ADMIT_FOR_NOTHING;
}

static void admission_free(struct admits *t, struct admission *a)
{
	stop_waiting(t, a);
	share_give(&t->share, a->from);
	a->used = false;
	explicit_bzero(&a->keys, sizeof(a->keys));
	TAILQ_INSERT_TAIL(&t->free, a, link);
	t->n--;
}

uint64_t admit_id(const struct control *c, const struct admission *a)
{
	return (uint64_t)a->generation << 32 | (uint64_t)(a - c->admits.all);
}

struct admission *admit_find(struct control *c, uint64_t id)
{
	struct admission *a = &c->admits.all[id % ADMITS_MAX];

	return a->used && admit_id(c, a) == id ? a : NULL;
}

int admit_say(struct wish *w, int code, const char *why)
{
	w->why = why;
	return code;
}

int admit_wait(struct control *c, struct wish *w, enum admit_wait what)
{
	w->a->waits = (uint8_t)what;
	w->a->stream = w->stream;
	c->admits.n_for_stream += what == ADMIT_FOR_STREAM;
	TAILQ_INSERT_TAIL(&c->admits.waiting, w->a, link);
	return ADMIT_WAITS;
}

static void refuse(struct control *c, const struct wish *w, unsigned worker, uint32_t park,
	uint32_t generation, int code)
{
	struct cmd cmd = {.kind = CMD_REJECT};

	cmd.admit = (struct cmd_admit){.park = park, .park_generation = generation, .code = code};
	refusal_tell(c, w, code); // while the conclusion is still ours to read
	post(c, worker, &cmd);
}

static const struct parked *parked(struct control *c, unsigned worker, uint32_t park)
{
	return c->o.workers.parked(c->o.workers.ctx, worker, park);
}

// Through the stages, from the first. It ends here, waits, or is in its worker's hands.
static void run(struct control *c, struct admission *a)
{
	struct wish w = {.a = a, .q = parked(c, a->worker, a->park)};
	int code = ADMIT_NEXT;

	if (w.q->generation != a->park_generation) { // its worker has forgotten it
		admission_free(&c->admits, a);
		return;
	}
	for (unsigned i = 0; i < sizeof(stages) / sizeof(stages[0]) && code == ADMIT_NEXT; i++)
		code = stages[i](c, &w);
	if (code == ADMIT_WAITS)
		return;
	refuse(c, &w, a->worker, a->park, a->park_generation, code);
	admission_free(&c->admits, a);
}

void admit_join(struct control *c, unsigned worker, uint32_t park)
{
	const struct parked *q = parked(c, worker, park);
	struct admission *a = admission_new(&c->admits, q);

	if (!a) {
		struct wish w = {.q = q, .why = ADMIT_FULL};

		refuse(c, &w, worker, park, q->generation, SRT_REJ_BACKLOG);
		return;
	}
	a->worker = worker;
	a->park = park;
	a->park_generation = q->generation;
	run(c, a);
}

void admit_again(struct control *c, struct admission *a)
{
	stop_waiting(&c->admits, a);
	run(c, a);
}

void admit_waiting(struct control *c, const struct ctl_stream *s)
{
	struct admission *a = c->admits.n_for_stream ? TAILQ_FIRST(&c->admits.waiting) : NULL;

	for (struct admission *next; a; a = next) {
		next = TAILQ_NEXT(a, link);
		if (a->waits == ADMIT_FOR_STREAM && a->stream == s)
			admit_again(c, a);
	}
}

void admit_done(struct control *c, struct cmd *done)
{
	struct admission *a = done->owner;
	struct wish w = {.a = a, .q = &done->admit.from};
	int code;

	if (!a)
		return; // an answer to a caller: nothing is left to do
	if (!admit_placed(c, done, &w, &code))
		refuse(c, &w, a->worker, a->park, a->park_generation, code);
	else if (!done->status)
		badge_add(c, done->admit.key, a);
	admission_free(&c->admits, a);
}
