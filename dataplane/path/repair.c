// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "path/path.h"
#include "proto/srt_pkt.h"

// A subscriber's NAK: its numbers are mapped back to the stream's, and what the history holds is
// sent again with R set (srt-wire 9; decisions A9, A15). Neighbours that are gone for good are
// answered by one DROPREQ.

#define PROBE_MAX 64u // packets behind a number that ACKs stand at

struct gap {
	uint32_t first, last; // the peer's numbers
	bool open;
};

static void gap_close(struct path *p, struct session *s, struct gap *g)
{
	uint8_t out[SRT_DROPREQ_LEN];
	size_t len;

	if (!g->open)
		return;
	len = srt_snd_dropreq(&s->conn.snd, p->now, g->first, g->last, out);
	port_send(p->port, &s->line, out, (uint16_t)len);
	g->open = false;
}

static void gap_add(struct path *p, struct session *s, struct gap *g, uint32_t n)
{
	path_count(p, DP_DROP_NAK_LATE, 1);
	s->dropped++;
	if (!g->open || n != seq31_add(g->last, 1)) {
		gap_close(p, s, g);
		g->first = n;
		g->open = true;
	}
	g->last = n;
}

static void resend(struct path *p, struct session *s, const struct history_entry *e, uint64_t seq)
{
	struct port_payload pl = fanout_payload(p, e, seq);

	struct line line = rekey_line(p, s, seq);

	pl.word1 |= srt_snd_rexmit_bit(&s->conn.snd);
	if (!fanout_one(p, s, &line, &pl, 1))
		return;
	s->retransmitted++;
	session_note_more(s, &pl);
	s->view->tx->retransmitted_packets++;
	fanout_count(p, s->view, &pl, 1, 1, 1);
}

static void wanted(struct path *p, struct session *s, struct gap *g, uint32_t n, uint64_t seq)
{
	const struct history_entry *e = history_find(&s->view->history, seq);

	if (srt_snd_fresh(&s->conn.snd, p->now, e->arrival)) {
		path_count(p, DP_DROP_NAK_REPEATED, 1);
		return;
	}
	switch (srt_snd_resend(&s->conn.snd, p->now, n, e->play, e->media_len)) {
	case SRT_RESEND_NOW:
		for (unsigned i = srt_snd_copies(&s->conn.snd); i; i--)
			resend(p, s, e, seq);
		break;
	case SRT_RESEND_REPEATED:
		path_count(p, DP_DROP_NAK_REPEATED, 1);
		break;
	case SRT_RESEND_BUDGET:
		path_count(p, DP_DROP_NAK_BUDGET, 1);
		srt_slow_broke(&s->slow, p->now);
		break;
	case SRT_RESEND_LATE:
		gap_add(p, s, g, n);
		break;
	}
}

// A hole that may still be filled.
static bool pending(const struct history *h, uint64_t seq)
{
	return history_covers(h, seq) && !history_find(h, seq) &&
	       !(history_at(h, seq)->flags & HISTORY_GIVEN_UP);
}

// Or may have been: a call of ours begins with `start`, and who catches up has what is before its
// cursor. To answer for other numbers would be to send them under a key that is not theirs.
static bool was_sent(const struct session *s, uint64_t seq)
{
	if (s->pinned && (int64_t)(seq - s->start) < 0)
		return false;
	return (int64_t)((s->place.chunk ? s->view->history.next : s->cursor) - seq) > 0;
}

static void lacking(struct path *p, struct session *s, struct gap *g, uint32_t n)
{
	const struct history *h = &s->view->history;
	uint64_t seq = seq31_extend(h->next, (n - s->dseq) & SEQ31_MASK);

	if (!was_sent(s, seq))
		return;
	if (history_find(h, seq))
		wanted(p, s, g, n, seq);
	else if (pending(h, seq))
		path_count(p, DP_DROP_NAK_PENDING, 1);
	else
		gap_add(p, s, g, n);
}

// What revealed a hole is the packet behind it, unless the hole was the stream's own first.
static void bound(struct path *p, struct session *s, uint32_t first, uint32_t last)
{
	const struct history *h = &s->view->history;
	const struct history_entry *e, *behind;

	e = history_find(h, seq31_extend(h->next, (first - s->dseq) & SEQ31_MASK));
	behind = history_find(h, seq31_extend(h->next, (last + 1 - s->dseq) & SEQ31_MASK));
	if (e && behind && e->arrival > s->caught_up && e->arrival <= behind->arrival)
		srt_snd_bound(&s->conn.snd, p->now, behind->arrival);
}

void repair_feed(struct path *p, struct session *s, const uint8_t *list, size_t len)
{
	struct srt_loss loss = srt_loss_of(list, len);
	struct gap g = {0};
	uint32_t first, last;

	if (s->kind != SESSION_SUB || s->cursor == SESSION_START_UNSET)
		return;
	srt_snd_set_rate(&s->conn.snd, s->view->rate_bps);
	while (srt_loss_next(&loss, &first, &last)) {
		bound(p, s, first, last);
		for (uint32_t n = first;; n = seq31_add(n, 1)) {
			lacking(p, s, &g, n);
			if (n == last)
				break;
		}
	}
	gap_close(p, s, &g);
}

static bool told(
	const struct path *p, const struct session *s, const struct history_entry *e, uint64_t seq)
{
	const struct view *v = s->view;
	ts_us first_sent = ts_max(e->arrival, s->caught_up);

	if (seq >= v->flushed_from)
		first_sent = ts_max(first_sent, v->flushed_at);
	return srt_snd_told(&s->conn.snd, p->now, first_sent);
}

// What the peer has of all that follows the number its ACKs stand at is not known: some of it is
// sent in vain.
static void probe(struct path *p, struct session *s, uint32_t n)
{
	const struct history *h = &s->view->history;

	for (unsigned i = 0; i < PROBE_MAX; i++, n = seq31_add(n, 1)) {
		uint64_t seq = seq31_extend(h->next, (n - s->dseq) & SEQ31_MASK);
		const struct history_entry *e = history_find(h, seq);

		if ((int64_t)(h->next - seq) <= 0 || (e && !told(p, s, e, seq)))
			return;
		if (e && srt_snd_probe(&s->conn.snd, p->now, n, e->play, e->media_len))
			resend(p, s, e, seq);
	}
}

void repair_standing(struct path *p, struct session *s)
{
	const struct history *h = &s->view->history;
	const struct history_entry *e;
	uint8_t list[4];
	uint64_t seq;
	uint32_t n;

	if (!srt_snd_standing(&s->conn.snd, list) || !s->place.chunk)
		return;
	n = be32_get(list);
	seq = seq31_extend(h->next, (n - s->dseq) & SEQ31_MASK);
	e = history_find(h, seq);
	if (e ? !told(p, s, e, seq) : pending(h, seq))
		return;
	repair_feed(p, s, list, sizeof(list));
	probe(p, s, seq31_add(n, 1));
}
