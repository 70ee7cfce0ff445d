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

static bool goes_to(const struct line *l, const struct port_tx_error *e)
{
	struct line_udp to = line_addresses(l);

	return port_tx_error_is(e, &to);
}

static struct session *find_in_list(const struct sublist *l, const struct port_tx_error *e)
{
	for (const struct sublist_chunk *c = l->head; c; c = c->next)
		for (unsigned i = 0; i < c->n; i++)
			if (goes_to(&c->lines[i], e))
				return c->who[i];
	return NULL;
}

static struct session *find_in(struct view *v, const struct port_tx_error *e)
{
	struct session *found = find_in_list(&v->out.udp, e);

	if (!found)
		found = find_in_list(&v->out.rtp, e);
	for (unsigned l = 0; !found && view_srt_list(v, l); l++)
		found = find_in_list(view_srt_list(v, l), e);
	if (found)
		return found;
	for (struct session *s = v->out.starting; s; s = s->next_starting)
		if (goes_to(&s->line, e))
			return s;
	return NULL;
}

// Of several of one stream the next is found by its next packet.
static void close_narrow(struct path *p, const struct port_tx_error *e)
{
	for (uint32_t i = 0; i < p->n_open; i++) {
		struct session *s = find_in(p->open[i], e);

		if (s)
			leave_session(p, s, DP_CLOSE_NARROW);
	}
}

// --- pushes ---------------------------------------------------------------------------------

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

// What never left does not count as sent. Where several pushes of a worker go to one destination
// nobody knows whose it was: each is told, and bears its share of it; but none has sent less than
// nothing.
static void take_back(struct session *s, uint64_t refused_packets, uint64_t refused_bytes)
{
	const struct session_base *sent = &s->view->sent_push;
	uint64_t packets = sent->packets - s->base.packets, bytes = sent->bytes - s->base.bytes;

	s->base.packets += refused_packets < packets ? refused_packets : packets;
	s->base.bytes += refused_bytes < bytes ? refused_bytes : bytes;
}

static void push_refused(
	struct path *p, struct session *s, const struct port_tx_error *e, unsigned of)
{
	take_back(s, e->packets / of, e->bytes / of);
	s->refused_at = p->now;
	s->tried = s->view->sent_push.packets;
	if (s->refusal != e->error)
		say(p, s, e->error);
}

// Those of a list that go there. of: how many do in all; 0: they are only counted.
static unsigned in_list(
	struct path *p, const struct sublist *l, const struct port_tx_error *e, unsigned of)
{
	unsigned n = 0;

	for (const struct sublist_chunk *c = l->head; c; c = c->next)
		for (unsigned i = 0; i < c->n; i++) {
			if (!goes_to(&c->lines[i], e))
				continue;
			if (of)
				push_refused(p, c->who[i], e, of);
			n++;
		}
	return n;
}

static unsigned pushes_to(struct path *p, const struct port_tx_error *e, unsigned of)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->n_open; i++) {
		n += in_list(p, &p->open[i]->out.udp, e, of);
		n += in_list(p, &p->open[i]->out.rtp, e, of);
	}
	return n;
}

static void refused(struct path *p, const struct port_tx_error *e)
{
	unsigned n;

	if (e->error == EMSGSIZE) {
		close_narrow(p, e);
		return;
	}
	n = pushes_to(p, e, 0);
	if (n)
		pushes_to(p, e, n);
}

void refused_turn(struct path *p)
{
	struct port_tx_error e[REFUSED_BATCH];
	unsigned n = p->port->ops->tx_errors(p->port, e, REFUSED_BATCH);

	for (unsigned i = 0; i < n; i++)
		refused(p, &e[i]);
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
