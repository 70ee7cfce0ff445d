// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <errno.h>

// Destinations that the kernel takes no copy for. DF is set, so what is too long for a path never
// leaves: its session is closed with that reason (decisions A23), for otherwise it would wait for
// ever. An SRT peer that nothing reaches falls silent, and that ends it. A push has nobody who
// could fall silent: its operator is told that nothing goes out, and later that it does again.

#define REFUSED_BATCH 64u	   // destinations looked at in one go
#define REFUSED_OVER_US (1 * TS_S) // without a refusal: it goes out again

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

static void say(struct path *p, struct session *s, int error)
{
	struct event e = {
		.kind = EV_PUSH,
		.key = session_key_get(&p->sessions, s),
		.stream = s->view->stream,
		.object = s->object,
		.code = -error,
		.peer = s->peer,
		.proto = s->proto,
		.mode = DP_MODE_PLAY,
	};

	s->refusal = error;
	path_event(p, &e);
}

// What never left does not count as sent. Where two pushes of a worker go to one address each is
// told of what both were refused, but none has sent less than nothing.
static void take_back(struct session *s, const struct port_tx_error *e)
{
	const struct session_base *sent = &s->view->sent_push;
	uint64_t packets = sent->packets - s->base.packets, bytes = sent->bytes - s->base.bytes;

	s->base.packets += e->packets < packets ? e->packets : packets;
	s->base.bytes += e->bytes < bytes ? e->bytes : bytes;
}

static void push_refused(struct path *p, struct session *s, const struct port_tx_error *e)
{
	take_back(s, e);
	s->refused_at = p->now;
	s->tried = s->view->sent_push.packets;
	if (s->refusal != e->error)
		say(p, s, e->error);
}

static void tell_all_to(struct path *p, const struct port_tx_error *e)
{
	for (uint32_t i = 0; i < p->n_open; i++) {
		struct session *s = find_in(p->open[i], &e->peer);

		if (s && e->error == EMSGSIZE)
			leave_session(p, s, DP_CLOSE_NARROW);
		else if (s && s->kind == SESSION_PUSH)
			push_refused(p, s, e);
	}
}

void refused_turn(struct path *p)
{
	struct port_tx_error e[REFUSED_BATCH];
	unsigned n = p->port->ops->tx_errors(p->port, e, REFUSED_BATCH);

	for (unsigned i = 0; i < n; i++)
		tell_all_to(p, &e[i]);
}

static void list_over(struct path *p, const struct view *v, const struct sublist *l)
{
	for (const struct sublist_chunk *c = l->head; c; c = c->next)
		for (unsigned i = 0; i < c->n; i++) {
			struct session *s = c->who[i];

			if (s->refusal && p->now - s->refused_at >= REFUSED_OVER_US &&
				v->sent_push.packets > s->tried)
				say(p, s, 0);
		}
}

void refused_view(struct path *p, struct view *v)
{
	list_over(p, v, &v->out.udp);
	list_over(p, v, &v->out.rtp);
}
