// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control_priv.h"

#include <string.h>

#define STREAM_LINGER_US (60 * TS_S) // an undeclared stream after its last peer (decisions B3)
#define STREAM_LATENCY_MS 120u
#define STREAM_DEPTH_MAX_MS 10000u // what a caller's wish may deepen a history to
#define STREAM_REPAIR_PERCENT 50u
#define STREAM_SLOW_MS 10000u
#define STREAMS_FULL "no room: --max-streams of sluice-dp is reached"

struct dp_stats_stream *stream_stats(struct control *c, const struct ctl_stream *s)
{
	return (struct dp_stats_stream *)((uint8_t *)c->o.stats + c->o.stats->off_streams) +
	       s->s.index;
}

// Depth: at least a second and twice the latency (decisions A8).
static void configure(struct ctl_stream *s)
{
	static const struct dp_stream plain;
	const struct dp_stream *d = s->declared ? &s->declared->stream : &plain;
	uint32_t latency = d->latency_ms ? d->latency_ms : STREAM_LATENCY_MS;
	uint32_t depth = 2 * latency > 1000 ? 2 * latency : 1000;

	s->latency_ms = d->latency_ms;
	s->max_subscribers = d->max_subscribers;
	s->takeover = d->takeover;
	s->s.cfg.declared = s->declared;
	s->s.cfg.leg_shared = d->leg == DP_LEG_SHARED;
	s->s.cfg.history_us = (d->history_ms ? d->history_ms : depth) * TS_MS;
	s->s.cfg.km_refresh = d->km_refresh;
	s->s.cfg.slow_us = (d->slow_ms ? d->slow_ms : STREAM_SLOW_MS) * TS_MS;
	s->s.cfg.repair_percent = d->repair_percent ? d->repair_percent : STREAM_REPAIR_PERCENT;
}

void stream_deepen(struct ctl_stream *s, uint32_t latency_ms)
{
	uint32_t depth =
		2 * latency_ms < STREAM_DEPTH_MAX_MS ? 2 * latency_ms : STREAM_DEPTH_MAX_MS;
	bool chosen = s->declared && s->declared->stream.history_ms;

	// Workers read it as it is; an aligned word is old or new.
	if (!chosen && depth * TS_MS > s->s.cfg.history_us)
		s->s.cfg.history_us = depth * TS_MS;
}

static void show(struct control *c, struct ctl_stream *s)
{
	struct dp_stats_stream *t = stream_stats(c, s);
	uint64_t generation = t->generation;
	struct dp_stats_stream_tx *tx =
		(struct dp_stats_stream_tx *)((uint8_t *)c->o.stats + c->o.stats->off_stream_tx);
	struct dp_stats_hists *hists =
		(struct dp_stats_hists *)((uint8_t *)c->o.stats + c->o.stats->off_hists);

	memset(t, 0, sizeof(*t));
	for (unsigned w = 0; w < c->o.workers.n; w++) {
		uint32_t at = w * c->o.stats->n_streams + s->s.index;

		memset(&tx[at], 0, sizeof(*tx));
		if (c->o.stats->off_hists)
			memset(&hists[at], 0, sizeof(*hists));
	}
	t->id = s->id;
	t->declared = s->declared != NULL;
	t->owner = s->s.owner;
	memcpy(t->name, s->s.cfg.name, sizeof(t->name));
	__atomic_store_n(&t->generation, generation + 1, __ATOMIC_RELEASE);
}

static void hide(struct control *c, struct ctl_stream *s)
{
	struct dp_stats_stream *t = stream_stats(c, s);

	__atomic_store_n(&t->generation, t->generation + 1, __ATOMIC_RELEASE);
}

static struct ctl_stream *stream_open(struct control *c, const char *name, struct object *declared)
{
	struct ctl_stream *s = stream_take(c, name);
	struct cmd cmd = {.kind = CMD_STREAM_OPEN};

	if (!s)
		return NULL;
	s->declared = declared;
	configure(s);
	show(c, s);
	cmd.stream = &s->s;
	post(c, s->s.owner, &cmd);
	notice_stream(c, s);
	return s;
}

struct ctl_stream *stream_make(struct control *c, const char *name)
{
	return stream_open(c, name, NULL);
}

struct ctl_stream *stream_use(struct control *c, const char *name, struct object *user)
{
	struct ctl_stream *s = stream_find(c, name);

	if (!s)
		s = stream_make(c, name);
	if (!s)
		object_state(c, user, DP_OBJ_ERROR, STREAMS_FULL);
	if (!s || !s->closing)
		return s;
	object_state(c, user, DP_OBJ_PENDING, "");
	return NULL;
}

void stream_opened(struct control *c, struct ctl_stream *s)
{
	s->open = true;
	if (s->declared)
		object_state(c, s->declared, DP_OBJ_ACTIVE, "");
	admit_waiting(c, s);
}

static void stream_close(struct control *c, struct ctl_stream *s)
{
	struct cmd cmd = {.kind = CMD_STREAM_CLOSE, .stream = &s->s};

	if (s->closing)
		return;
	s->closing = c->o.workers.n;
	for (unsigned w = 0; w < c->o.workers.n; w++)
		post(c, w, &cmd);
}

void stream_closed(struct control *c, struct ctl_stream *s)
{
	if (--s->closing)
		return;
	hide(c, s);
	notice_stream_gone(c, s);
	stream_give(c, s);
	c->retry = true;
}

static bool unused(const struct ctl_stream *s)
{
	return !s->declared && !s->publisher && !s->publish_in_flight && !s->n_users &&
	       !s->n_subscribers;
}

// Close it when nobody has needed it for a while.
static void settle(struct control *c, struct ctl_stream *s)
{
	if (!s->closing && unused(s) && c->now - s->lonely_since >= STREAM_LINGER_US)
		stream_close(c, s);
}

void streams_second(struct control *c)
{
	for (uint32_t i = 0; i < c->o.max_streams; i++)
		if (c->streams[i].control)
			settle(c, &c->streams[i]);
}

// --- the object -----------------------------------------------------------------------------

static void declare(struct control *c, struct ctl_stream *s, struct object *o)
{
	s->declared = o;
	configure(s);
	stream_stats(c, s)->declared = o != NULL;
}

void stream_apply(struct control *c, struct object *o)
{
	struct ctl_stream *s = stream_find(c, o->stream.name);

	if (s && s->closing) {
		object_state(c, o, DP_OBJ_PENDING, "");
		return;
	}
	if (!s)
		s = stream_open(c, o->stream.name, o);
	if (!s) {
		object_state(c, o, DP_OBJ_ERROR, STREAMS_FULL);
		return;
	}
	declare(c, s, o);
	if (s->open)
		object_state(c, o, DP_OBJ_ACTIVE, "");
	else
		object_state(c, o, DP_OBJ_PENDING, "");
}

// End those who called us; what routes and sources do with it goes on.
static void evict(struct control *c, const struct ctl_stream *s)
{
	const struct control_workers *k = &c->o.workers;
	struct cmd cmd = {.kind = CMD_KICK, .kick = {.reason = DP_CLOSE_SHUTDOWN}};
	struct dp_session seen;

	for (unsigned w = 0; w < k->n; w++)
		for (unsigned slot = 0; slot < k->n_slots(k->ctx, w); slot++) {
			if (!k->session(k->ctx, w, slot, &seen) || seen.object ||
				strcmp(seen.stream, s->s.cfg.name))
				continue;
			cmd.kick.key = seen.key;
			post(c, w, &cmd);
		}
}

// Without its object a stream ends, with its peers. Routes and sources keep it, undeclared.
void stream_remove(struct control *c, struct object *o)
{
	struct ctl_stream *s = stream_find(c, o->stream.name);

	if (!s || s->declared != o)
		return;
	declare(c, s, NULL);
	s->lonely_since = c->now;
	if (s->n_users)
		evict(c, s);
	else
		stream_close(c, s);
}
