// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/log.h"
#include "control/control_priv.h"
#include "ctl/dp/dp_id.h"
#include "proto/streamid.h"

#include <stdio.h>
#include <string.h>

LOG_SUBSYSTEM(streams)

#define STREAM_LINGER_US (60 * TS_S) // an undeclared stream after its last peer (decisions B3)
#define STREAM_LATENCY_MS 120u
#define STREAM_REPAIR_PERCENT 50u

struct dp_stats_stream *stream_stats(struct control *c, const struct ctl_stream *s)
{
	return (struct dp_stats_stream *)((uint8_t *)c->o.stats + c->o.stats->off_streams) +
	       s->s.index;
}

struct ctl_stream *stream_find(struct control *c, const char *name)
{
	for (uint32_t i = 0; i < c->o.max_streams; i++) {
		struct ctl_stream *s = &c->streams[i];

		if (s->control && !strcmp(s->s.cfg.name, name))
			return s;
	}
	return NULL;
}

static struct ctl_stream *slot_free(struct control *c)
{
	for (uint32_t i = 0; i < c->o.max_streams; i++)
		if (!c->streams[i].control)
			return &c->streams[i];
	return NULL;
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
	s->s.cfg.repair_percent = d->repair_percent ? d->repair_percent : STREAM_REPAIR_PERCENT;
}

static void show(struct control *c, struct ctl_stream *s)
{
	struct dp_stats_stream *t = stream_stats(c, s);
	uint64_t generation = t->generation;
	struct dp_stats_stream_tx *tx =
		(struct dp_stats_stream_tx *)((uint8_t *)c->o.stats + c->o.stats->off_stream_tx);

	memset(t, 0, sizeof(*t));
	for (unsigned w = 0; w < c->o.workers.n; w++)
		memset(&tx[w * c->o.stats->n_streams + s->s.index], 0, sizeof(*tx));
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
	struct ctl_stream *s = slot_free(c);
	struct cmd cmd = {.kind = CMD_STREAM_OPEN};

	if (!s)
		return NULL;
	*s = (struct ctl_stream){.control = c, .declared = declared, .lonely_since = c->now};
	s->id = dp_id(name);
	s->s.index = (uint32_t)(s - c->streams);
	s->s.owner = (uint32_t)(s->id % c->o.workers.n);
	s->s.cfg.id = s->id;
	snprintf(s->s.cfg.name, sizeof(s->s.cfg.name), "%s", name);
	configure(s);
	show(c, s);
	c->n_streams++;
	cmd.stream = &s->s;
	post(c, s->s.owner, &cmd);
	notice_stream(c, s);
	return s;
}

struct ctl_stream *stream_use(struct control *c, const char *name)
{
	struct ctl_stream *s = stream_find(c, name);

	if (s)
		return s->closing ? NULL : s;
	return stream_open(c, name, NULL);
}

void stream_opened(struct control *c, struct ctl_stream *s)
{
	s->open = true;
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
	s->control = NULL;
	c->n_streams--;
	c->retry = true;
}

static bool unused(const struct ctl_stream *s)
{
	return !s->declared && !s->publisher && !s->publish_in_flight && !s->n_users &&
	       !s->n_subscribers;
}

void stream_settle(struct control *c, struct ctl_stream *s)
{
	if (!s->closing && unused(s) && c->now - s->lonely_since >= STREAM_LINGER_US)
		stream_close(c, s);
}

void streams_second(struct control *c)
{
	for (uint32_t i = 0; i < c->o.max_streams; i++)
		if (c->streams[i].control)
			stream_settle(c, &c->streams[i]);
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
	struct ctl_stream *s;

	if (!stream_name_ok(o->stream.name)) {
		object_state(c, o, DP_OBJ_ERROR, "not a stream name");
		return;
	}
	s = stream_find(c, o->stream.name);
	if (s && s->closing) {
		object_state(c, o, DP_OBJ_PENDING, "");
		return;
	}
	if (!s)
		s = stream_open(c, o->stream.name, o);
	if (!s) {
		object_state(c, o, DP_OBJ_ERROR, "no room: --max-streams of sluice-dp is reached");
		return;
	}
	declare(c, s, o);
	object_state(c, o, DP_OBJ_ACTIVE, "");
}

// Routes and sources of it go on; without them the stream ends now, with its peers.
void stream_remove(struct control *c, struct object *o)
{
	struct ctl_stream *s = stream_find(c, o->stream.name);

	if (!s || s->declared != o)
		return;
	declare(c, s, NULL);
	s->lonely_since = c->now;
	if (!s->n_users)
		stream_close(c, s);
}
