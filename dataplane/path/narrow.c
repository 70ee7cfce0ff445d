// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <errno.h>

#define NARROW_BATCH 16u // refused destinations looked at in one go

// Subscribers that take no packet of the stream's size: by what they announced, or because of the
// path to them (decisions A23). DF is set, so what is too long for a path never leaves; without a
// word they would wait for ever.

#define LARGEST_US (10 * TS_S) // the largest packet counts for that long, and at most twice

// --- what they announced --------------------------------------------------------------------

void narrow_join(struct session *s, uint32_t mss, bool gcm)
{
	struct view *v = s->view;

	s->payload_max = srt_hs_payload_max(mss, !endpoint_is_v4(&s->peer), gcm);
	if (s->payload_max < v->fits)
		v->fits = s->payload_max;
}

static uint16_t largest(const struct view *v)
{
	return v->largest > v->largest_before ? v->largest : v->largest_before;
}

static void close_smaller(struct path *p, struct view *v, uint16_t size)
{
	struct session *next;

	v->fits = UINT16_MAX;
	for (struct session *s = v->sessions; s; s = next) {
		next = s->next_of_view;
		if (s->kind != SESSION_SUB || s->closing)
			continue;
		if (s->payload_max < size)
			leave_session(p, s, CLOSE_NARROW);
		else if (s->payload_max < v->fits)
			v->fits = s->payload_max;
	}
}

void narrow_view(struct path *p, struct view *v)
{
	if (p->now - v->largest_at >= LARGEST_US) {
		v->largest_before = v->largest;
		v->largest = 0;
		v->largest_at = p->now;
	}
	if (v->owner)
		v->stats->payload = largest(v);
	if (largest(v) > v->fits)
		close_smaller(p, v, largest(v));
}

// --- what their path takes ------------------------------------------------------------------

static bool goes_to(const struct line *l, const struct endpoint *peer)
{
	struct endpoint to = line_addresses(l).peer;

	return endpoint_eq(&to, peer);
}

static struct session *find_in_list(const struct sublist *l, const struct endpoint *peer)
{
	for (const struct sublist_chunk *c = l->head; c; c = c->next)
		for (unsigned i = 0; i < c->n; i++)
			if (goes_to(&c->lines[i], peer))
				return c->who[i];
	return NULL;
}

static struct session *find_in(struct view *v, const struct endpoint *peer)
{
	struct session *found = find_in_list(&v->out.udp, peer);

	if (!found)
		found = find_in_list(&v->out.rtp, peer);
	for (unsigned l = 0; !found && view_srt_list(v, l); l++)
		found = find_in_list(view_srt_list(v, l), peer);
	if (found)
		return found;
	for (struct session *s = v->out.starting; s; s = s->next_starting)
		if (goes_to(&s->line, peer))
			return s;
	return NULL;
}

static void close_all_to(struct path *p, const struct endpoint *peer)
{
	for (uint32_t i = 0; i < p->n_open; i++) {
		struct session *s = find_in(p->open[i], peer);

		if (s)
			leave_session(p, s, CLOSE_NARROW);
	}
}

void narrow_close(struct path *p)
{
	struct port_tx_error e[NARROW_BATCH];
	unsigned n = p->port->ops->tx_errors(p->port, e, NARROW_BATCH);

	for (unsigned i = 0; i < n; i++)
		if (e[i].error == EMSGSIZE)
			close_all_to(p, &e[i].peer);
}
