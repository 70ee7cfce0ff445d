// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Streams in use by name: callers come by the thousand, so finding one does not depend on how many
// there are.

#include "control/control_priv.h"
#include "ctl/dp/dp_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// FNV-1a, 32 bits.
static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

static struct ctl_stream **bucket(const struct control *c, const char *name)
{
	return &c->buckets[hash(name) & (c->n_buckets - 1)];
}

bool stream_table_init(struct control *c)
{
	for (c->n_buckets = 64; c->n_buckets < 2 * c->o.max_streams;)
		c->n_buckets *= 2;
	c->streams = calloc(c->o.max_streams, sizeof(*c->streams));
	c->buckets = calloc(c->n_buckets, sizeof(struct ctl_stream *));
	if (!c->streams || !c->buckets)
		return false;
	for (uint32_t i = c->o.max_streams; i-- > 0;) {
		c->streams[i].next = c->free_streams;
		c->free_streams = &c->streams[i];
	}
	return true;
}

struct ctl_stream *stream_find(struct control *c, const char *name)
{
	struct ctl_stream *s = *bucket(c, name);

	while (s && strcmp(s->s.cfg.name, name))
		s = s->next;
	return s;
}

struct ctl_stream *stream_take(struct control *c, const char *name)
{
	struct ctl_stream *s = c->free_streams, **head = bucket(c, name);

	if (!s)
		return NULL;
	c->free_streams = s->next;
	*s = (struct ctl_stream){
		.control = c, .id = dp_id(name), .lonely_since = c->now, .next = *head};
	*head = s;
	s->s.index = (uint32_t)(s - c->streams);
	s->s.owner = (uint32_t)(s->id % c->o.workers.n);
	s->s.cfg.id = s->id;
	snprintf(s->s.cfg.name, sizeof(s->s.cfg.name), "%s", name);
	c->n_streams++;
	return s;
}

void stream_give(struct control *c, struct ctl_stream *s)
{
	struct ctl_stream **at = bucket(c, s->s.cfg.name);

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->control = NULL;
	s->next = c->free_streams;
	c->free_streams = s;
	c->n_streams--;
}
