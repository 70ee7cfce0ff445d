// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <errno.h>

#define NARROW_BATCH 16u // refused destinations looked at in one go

// Subscribers whose path takes no packet of the stream's size (decisions A23). DF is set, so what
// is too long for them never leaves; without a word they would wait for ever.

static bool goes_to(const struct line *l, const struct endpoint *peer)
{
	struct endpoint to = line_addresses(l).peer;

	return endpoint_eq(&to, peer);
}

static struct session *find_in(struct view *v, const struct endpoint *peer)
{
	for (unsigned l = 0; view_srt_list(v, l); l++)
		for (const struct sublist_chunk *c = view_srt_list(v, l)->head; c; c = c->next)
			for (unsigned i = 0; i < c->n; i++)
				if (goes_to(&c->lines[i], peer))
					return c->who[i];
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
