// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "path/path.h"
#include "proto/srt_pkt.h"

#define FANOUT_LONG 1000u // subscribers

void fanout_mark(struct path *p, struct view *v)
{
	if (v->dirty)
		return;
	v->dirty = true;
	v->next_dirty = p->dirty;
	p->dirty = v;
}

struct port_payload fanout_payload(
	const struct path *p, const struct history_entry *e, uint64_t seq)
{
	const uint8_t *media = e->data + e->off;

	return (struct port_payload){
		.data = media,
		.len = e->media_len,
		.sum = p->port->ops->want_sum ? line_sum(media, e->media_len) : 0,
		.seq = (uint32_t)seq,
		.word1 = SRT_WORD1_SINGLE | seq_msgno(seq),
		.ts = (uint32_t)e->play,
	};
}

void fanout_count(struct path *p, struct view *v, const struct port_payload *pl, unsigned n,
	unsigned subscribers, unsigned copies)
{
	uint64_t bytes = 0, asked = (uint64_t)n * subscribers;

	for (unsigned i = 0; i < n; i++)
		bytes += pl[i].len;
	v->tx->tx_packets += copies;
	v->tx->tx_bytes += bytes * copies / n;
	v->tx->dropped_packets += asked - copies;
	p->stats->tx_packets += copies;
	p->stats->tx_bytes += bytes * copies / n;
	v->last_sent = p->now;
}

// n payloads to every line of a list.
void fanout_list(struct path *p, struct view *v, enum line_kind kind, const struct port_payload *pl,
	unsigned n, const struct sublist *l)
{
	unsigned copies = 0;

	for (const struct sublist_chunk *c = l->head; c; c = c->next) {
		if (c->next)
			__builtin_prefetch(c->next);
		copies += port_tx_fanout(p->port, kind, pl, n, c->lines, c->n);
	}
	fanout_count(p, v, pl, n, l->n, copies);
}

unsigned fanout_one(struct path *p, struct session *s, const struct line *l,
	const struct port_payload *pl, unsigned n)
{
	return s->suite ? seal_send(p, s->suite, pl, n, l, &s, 1)
			: port_tx_fanout(p->port, LINE_SRT, pl, n, l, 1);
}

// Late joiners read the history as they go; a repair behind their cursor has to be sent apart.
static void repaired_to_starting(
	struct path *p, struct view *v, const struct port_payload *pl, unsigned n)
{
	for (struct session *s = v->out.starting; s; s = s->next_starting)
		for (unsigned i = 0; i < n; i++)
			if (s->cursor != SESSION_START_UNSET && v->fresh[i] < s->cursor &&
				fanout_one(p, s, &s->line, &pl[i], 1))
				session_note_more(s, &pl[i]);
}

// To a hundred thousand a fan-out takes longer than a round trip, and those who took so long to
// take it in take as long again to answer.
static ts_us flushed_at(const struct path *p, const struct view *v)
{
	ts_us now = v->n_sessions < FANOUT_LONG ? p->now : ts_now();

	return now + (now - p->now);
}

void fanout_flush(struct path *p, struct view *v)
{
	struct port_payload pl[PORT_BUNDLE];
	unsigned n = 0;

	for (unsigned i = 0; i < v->n_fresh; i++) {
		const struct history_entry *e = history_find(&v->history, v->fresh[i]);

		if (!e) // popped already: the history is shorter than one round
			continue;
		pl[n] = fanout_payload(p, e, v->fresh[i]);
		v->fresh[n] = v->fresh[i];
		v->sealed[n] = v->sealed[i];
		v->sent_srt.packets++;
		v->sent_srt.bytes += pl[n++].len;
	}
	v->n_fresh = 0;
	if (n && v->out.srt.n)
		fanout_list(p, v, LINE_SRT, pl, n, &v->out.srt);
	for (enum srt_suite suite = SRT_CTR_128; n && suite < SRT_SUITES; suite++)
		if (v->out.secured[suite].n)
			seal_list(p, v, suite, pl, n);
	for (unsigned i = 0; n && i < SRT_PUSHKEYS; i++)
		if (v->out.shared[i].n)
			seal_shared(p, v, i, pl, v->sealed, n);
	if (n && v->out.n_starting)
		repaired_to_starting(p, v, pl, n);
	if (n) {
		v->flushed_from = v->fresh[0];
		v->flushed_at = flushed_at(p, v);
	}
}

void fanout_fresh(struct path *p, struct view *v, uint64_t seq, const uint8_t *sealed)
{
	v->sealed[v->n_fresh] = sealed;
	v->fresh[v->n_fresh++] = seq;
	if (v->n_fresh == PORT_BUNDLE)
		fanout_flush(p, v);
	fanout_mark(p, v);
}

static void missing(struct path *p, struct session *s, uint64_t first, uint64_t last)
{
	uint8_t out[SRT_DROPREQ_LEN];
	size_t len = srt_snd_dropreq(&s->conn.snd, p->now, seq31_add(s->dseq, (uint32_t)first),
		seq31_add(s->dseq, (uint32_t)last), out);

	port_send(p->port, &s->line, out, (uint16_t)len);
}

// In the order of the numbers: a receiver that hears of a gap before the packets in front of it
// would ask for the gap again.
void fanout_missing(struct path *p, struct view *v, uint64_t first, uint64_t last)
{
	if (v->n_fresh)
		fanout_flush(p, v);
	for (unsigned l = 0; view_srt_list(v, l); l++)
		for (const struct sublist_chunk *c = view_srt_list(v, l)->head; c; c = c->next)
			for (unsigned i = 0; i < c->n; i++)
				missing(p, c->who[i], first, last);
	for (struct session *s = v->out.starting; s; s = s->next_starting)
		if (s->cursor != SESSION_START_UNSET && s->cursor > first)
			missing(p, s, first, last);
}

void path_fanout(struct path *p)
{
	while (p->dirty) {
		struct view *v = p->dirty;

		p->dirty = v->next_dirty;
		v->dirty = false;
		if (v->n_fresh)
			fanout_flush(p, v);
		if (v->owner)
			inorder_advance(p, v);
		p->start_due |= v->out.n_starting > 0;
	}
	while (p->n_sealed)
		retire_frame(p, p->sealed[--p->n_sealed]);
	start_turn(p);
}
