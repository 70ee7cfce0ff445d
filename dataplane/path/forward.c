// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "path/path.h"

#include <rte_mbuf.h>
#include <rte_ring_elem.h>

#include <assert.h>

static_assert(sizeof(struct note_forward) <= RTE_PKTMBUF_HEADROOM, "it travels in the headroom");

// Hand a note over; the other worker is woken at the end of the round. 0 or -ENOBUFS.
int path_note(struct path *p, unsigned worker, const struct note *n)
{
	struct note copy = *n;

	p->wake |= 1ull << worker;
	return rte_ring_sp_enqueue_elem(p->to[worker], &copy, sizeof(copy));
}

static struct note_forward *meta(struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod_offset(
		frame, struct note_forward *, -(int)sizeof(struct note_forward));
}

// The whole datagram travels, with its addresses in the headroom. slot: the session it is for, or
// UINT32_MAX when its destination id says so.
void forward_pkt(struct path *p, struct pkt *k, unsigned worker, uint32_t slot)
{
	struct note n = {.kind = NOTE_FORWARD};
	struct rte_mbuf *frame =
		k->rx.len <= ARENA_ROOM ? arena_copy(p->arena, k->rx.data, k->rx.len) : NULL;

	if (!frame) {
		path_drop(p, k, DP_DROP_ARENA_FULL);
		return;
	}
	*meta(frame) = (struct note_forward){
		.peer = k->rx.peer,
		.local = k->rx.local,
		.tag = k->rx.tag,
		.arrival = k->rx.arrival,
		.slot = slot,
	};
	n.entry.frame = frame;
	n.entry.len = k->rx.len;
	if (path_note(p, worker, &n)) {
		rte_pktmbuf_free(frame);
		path_drop(p, k, DP_DROP_FORWARD_FULL);
		return;
	}
	p->stats->forwarded++;
	path_absorb(p, k);
}

// A repeated conclusion: its session is here, its first copy was elsewhere.
static void repeat_answer(struct path *p, struct pkt *k, uint32_t slot)
{
	struct session *s = session_at(&p->sessions, slot);

	if (s && !s->closing && s->id && endpoint_eq(&s->peer, &k->rx.peer))
		handshake_answer(p, s);
	path_absorb(p, k);
}

// Append what was forwarded to a batch that has room for it.
void forward_open(struct path *p, const struct note *n, struct batch *b)
{
	struct rte_mbuf *frame = n->entry.frame;
	const struct note_forward *m = meta(frame);
	struct pkt *k = &b->pkts[b->n];

	k->rx = (struct port_rx){
		.data = rte_pktmbuf_mtod(frame, const uint8_t *),
		.frame = frame,
		.len = n->entry.len,
		.tag = m->tag,
		.peer = m->peer,
		.local = m->local,
		.arrival = m->arrival,
	};
	if (m->slot == UINT32_MAX)
		b->n++;
	else
		repeat_answer(p, k, m->slot);
}
