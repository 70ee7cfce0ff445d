// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/sublist.h"

#include <errno.h>
#include <stddef.h>

void sublist_pool_init(struct sublist_pool *p, struct sublist_chunk *chunks, uint32_t n)
{
	*p = (struct sublist_pool){.fresh = chunks, .end = chunks + n};
}

static struct sublist_chunk *chunk_take(struct sublist_pool *p)
{
	struct sublist_chunk *c = p->free;

	if (c)
		p->free = c->next;
	else if (p->fresh < p->end)
		c = p->fresh++;
	return c;
}

static struct sublist_chunk *tail_with_room(struct sublist *l, struct sublist_pool *p)
{
	struct sublist_chunk *c = l->tail;

	if (c && c->n < SUBLIST_CHUNK)
		return c;
	c = chunk_take(p);
	if (!c)
		return NULL;
	c->n = 0;
	c->next = NULL;
	c->prev = l->tail;
	if (l->tail)
		l->tail->next = c;
	else
		l->head = c;
	l->tail = c;
	return c;
}

int sublist_add(struct sublist *l, struct sublist_pool *p, const struct line *line,
	struct session *who, struct sublist_place *place)
{
	struct sublist_chunk *c = tail_with_room(l, p);

	if (!c)
		return -ENOSPC;
	c->lines[c->n] = *line;
	c->who[c->n] = who;
	*place = (struct sublist_place){.chunk = c, .at = c->n};
	c->n++;
	l->n++;
	return 0;
}

static void tail_shrink(struct sublist *l, struct sublist_pool *p)
{
	struct sublist_chunk *c = l->tail;

	if (--c->n)
		return;
	l->tail = c->prev;
	if (l->tail)
		l->tail->next = NULL;
	else
		l->head = NULL;
	c->next = p->free;
	p->free = c;
}

void sublist_del(struct sublist *l, struct sublist_pool *p, struct sublist_place *place,
	struct sublist_place *(*place_of)(struct session *))
{
	struct sublist_chunk *c = place->chunk, *tail = l->tail;
	uint32_t last = tail->n - 1, at = place->at;

	if (c != tail || at != last) {
		c->lines[at] = tail->lines[last];
		c->who[at] = tail->who[last];
		*place_of(c->who[at]) = *place;
	}
	*place = (struct sublist_place){0};
	l->n--;
	tail_shrink(l, p);
}
