// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/impair.h"

#include <stdlib.h>
#include <string.h>

struct held {
	ts_us due;
	uint64_t order; // of equal due times, the first in is the first out
	struct net_sock *sock;
	struct endpoint to;
	bool out, has_to;
	size_t len;
	uint8_t data[];
};

static bool before(const struct held *a, const struct held *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void heap_put(struct net *n, struct held *h)
{
	uint32_t i = n->n_held++;

	while (i && before(h, n->held[(i - 1) / 2])) {
		n->held[i] = n->held[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	n->held[i] = h;
}

static struct held *heap_take(struct net *n)
{
	struct held *top = n->held[0], *last = n->held[--n->n_held];
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < n->n_held) {
		if (child + 1 < n->n_held && before(n->held[child + 1], n->held[child]))
			child++;
		if (!before(n->held[child], last))
			break;
		n->held[i] = n->held[child];
		i = child;
	}
	n->held[i] = last;
	return top;
}

static bool chance(struct net *n, double percent)
{
	return percent > 0 && rand_below(&n->rand, 1000000) < percent * 10000;
}

static void carry(struct net *n, ts_us now, struct net_sock *s, const struct endpoint *to, bool out,
	const uint8_t *data, size_t len)
{
	if (out)
		net_out(n, s, to, data, len);
	else
		net_in(n, s, now, data, len);
}

static void hold(struct net *n, ts_us due, struct net_sock *s, const struct endpoint *to, bool out,
	const uint8_t *data, size_t len)
{
	struct held *h = n->n_held < NET_HELD_MAX ? malloc(sizeof(*h) + len) : NULL;

	if (!h) {
		n->stats.held_full++;
		return;
	}
	*h = (struct held){.due = due,
		.order = n->held_order++,
		.sock = s,
		.out = out,
		.has_to = to,
		.len = len};
	if (to)
		h->to = *to;
	memcpy(h->data, data, len);
	heap_put(n, h);
}

static void travel(struct net *n, ts_us now, struct net_sock *s, const struct endpoint *to,
	bool out, const uint8_t *data, size_t len)
{
	ts_us delay = n->opts.delay_ms * TS_MS;

	if (chance(n, n->opts.reorder)) {
		n->stats.held++;
		delay += 1 + rand_below(&n->rand, n->opts.reorder_ms * TS_MS);
	}
	if (delay)
		hold(n, now + delay, s, to, out, data, len);
	else
		carry(n, now, s, to, out, data, len);
}

static void enter(struct net *n, ts_us now, struct net_sock *s, const struct endpoint *to, bool out,
	const uint8_t *data, size_t len)
{
	if (chance(n, n->opts.loss)) {
		n->stats.lost++;
		return;
	}
	travel(n, now, s, to, out, data, len);
	if (chance(n, n->opts.dup)) {
		n->stats.repeated++;
		travel(n, now, s, to, out, data, len);
	}
}

void impair_out(struct net *n, ts_us now, struct net_sock *s, const struct endpoint *to,
	const uint8_t *data, size_t len)
{
	enter(n, now, s, to, true, data, len);
}

void impair_in(struct net *n, ts_us now, struct net_sock *s, const uint8_t *data, size_t len)
{
	enter(n, now, s, NULL, false, data, len);
}

void impair_release(struct net *n, ts_us now)
{
	while (n->n_held && n->held[0]->due <= now) {
		struct held *h = heap_take(n);

		carry(n, now, h->sock, h->has_to ? &h->to : NULL, h->out, h->data, h->len);
		free(h);
	}
}

ts_us impair_next(const struct net *n)
{
	return n->n_held ? n->held[0]->due : TS_NEVER;
}

void impair_fini(struct net *n)
{
	while (n->n_held)
		free(heap_take(n));
	free(n->held);
}
