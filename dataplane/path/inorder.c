// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

// Pushes go in order: a cursor of its own passes a hole when it is filled or given up, never before
// (decisions A10). Who gives up is who takes in: the SRT receiver, or the source's reorder time.

enum { RTP_KHZ_OF_US = 9, RTP_US_PER = 100 }; // 90 kHz = us x 9 / 100

static bool came_as_rtp(const struct view *v)
{
	return v->format == DP_FORMAT_RTP || v->format == DP_FORMAT_RTP_TS;
}

// The datagram as it came in.
static struct port_payload whole(const struct path *p, const struct history_entry *e, uint64_t seq)
{
	struct port_payload pl = fanout_payload(p, e, seq);

	pl.data = e->data;
	pl.len = e->len;
	pl.sum = p->port->ops->want_sum ? line_sum(e->data, e->len) : 0;
	return pl;
}

static void push_udp(struct path *p, struct view *v, const uint64_t *seqs, unsigned n)
{
	struct port_payload pl[PORT_BUNDLE];

	for (unsigned i = 0; i < n; i++) {
		const struct history_entry *e = history_at(&v->history, seqs[i]);

		// RTP of other media makes no sense without its header.
		pl[i] = v->format == DP_FORMAT_RTP ? whole(p, e, seqs[i])
						   : fanout_payload(p, e, seqs[i]);
	}
	fanout_list(p, v, LINE_UDP, pl, n, &v->out.udp);
}

static void push_rtp(struct path *p, struct view *v, const uint64_t *seqs, unsigned n)
{
	struct port_payload pl[PORT_BUNDLE];
	bool as_it_came = came_as_rtp(v);

	for (unsigned i = 0; i < n; i++) {
		const struct history_entry *e = history_at(&v->history, seqs[i]);

		pl[i] = as_it_came ? whole(p, e, seqs[i]) : fanout_payload(p, e, seqs[i]);
		pl[i].ts = (uint32_t)(e->play * RTP_KHZ_OF_US / RTP_US_PER);
	}
	fanout_list(p, v, as_it_came ? LINE_UDP : LINE_RTP, pl, n, &v->out.rtp);
}

static void push(struct path *p, struct view *v, const uint64_t *seqs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		v->sent_push.bytes += history_at(&v->history, seqs[i])->media_len;
	v->sent_push.packets += n;
	if (v->out.udp.n)
		push_udp(p, v, seqs, n);
	if (v->out.rtp.n && v->format != DP_FORMAT_RAW)
		push_rtp(p, v, seqs, n);
}

// The next run that may go: up to a bundle of packets, holes given up left out.
static unsigned run_take(struct view *v, uint64_t seqs[PORT_BUNDLE])
{
	unsigned n = 0;

	for (; v->in.inorder < v->history.next && n < PORT_BUNDLE; v->in.inorder++) {
		const struct history_entry *e = history_at(&v->history, v->in.inorder);

		if (e->frame)
			seqs[n++] = v->in.inorder;
		else if (!(e->flags & HISTORY_GIVEN_UP))
			break;
	}
	return n;
}

void inorder_advance(struct path *p, struct view *v)
{
	uint64_t seqs[PORT_BUNDLE];
	unsigned n;

	while ((n = run_take(v, seqs)))
		push(p, v, seqs, n);
}

// The lines of rtp:// pushes depend on what the stream carries.
void inorder_reformat(struct path *p, struct view *v)
{
	for (struct sublist_chunk *c = v->out.rtp.head; c; c = c->next)
		for (unsigned i = 0; i < c->n; i++) {
			plain_push_line(v, c->who[i]);
			c->lines[i] = c->who[i]->line;
		}
}
