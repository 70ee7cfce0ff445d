// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/view.h"

#include <string.h>

void view_open(struct view *v, struct stream *stream, bool owner, struct history_entry *entries,
	uint64_t first_seq)
{
	struct dp_stats_stream *stats = v->stats;
	struct dp_stats_stream_tx *tx = v->tx;
	struct dp_stats_hists *hists = v->hists;

	memset(v, 0, sizeof(*v));
	v->stream = stream;
	v->owner = v->ready = owner;
	v->stats = stats;
	v->tx = tx;
	v->hists = hists;
	v->in.inorder = first_seq;
	v->rekey_at = UINT64_MAX;
	v->fits = UINT16_MAX;
	history_init(&v->history, entries, first_seq);
}

void view_link(struct view *v, struct session *s)
{
	s->view = v;
	s->next_of_view = v->sessions;
	s->prev_of_view = &v->sessions;
	if (s->next_of_view)
		s->next_of_view->prev_of_view = &s->next_of_view;
	v->sessions = s;
	v->n_sessions++;
}

void view_unlink(struct session *s)
{
	*s->prev_of_view = s->next_of_view;
	if (s->next_of_view)
		s->next_of_view->prev_of_view = s->prev_of_view;
	s->view->n_sessions--;
}
