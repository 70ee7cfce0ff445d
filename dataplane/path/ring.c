// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "path/path.h"

#include <rte_mbuf.h>

#define RING_TABLES_NEAR 64u // packets

bool ring_pop(struct path *p, struct view *v)
{
	struct history_entry e;

	if (v->owner && !follow_allows_pop(p, v))
		return false;
	if (!history_pop(&v->history, &e))
		return false;
	if (e.frame)
		retire_frame(p, e.frame);
	if (v->in.inorder < v->history.first)
		v->in.inorder = v->history.first;
	return true;
}

// Where what is younger than the depth begins; a hole counts as the packet behind it.
static uint64_t young(const struct path *p, const struct view *v)
{
	const struct history *h = &v->history;
	uint64_t end = h->first;

	for (uint64_t seq = h->first; seq < h->next; seq++) {
		const struct history_entry *e = history_at(h, seq);

		if (e->frame && p->now - e->arrival < v->stream->cfg.history_us)
			return end;
		if (e->frame)
			end = seq + 1;
	}
	return h->next;
}

void ring_trim(struct path *p, struct view *v)
{
	uint64_t end = young(p, v);

	follow_want(v, end); // followers let go of all of it at their next look
	while (v->history.first < end && ring_pop(p, v))
		;
}

// Take a quarter from the largest history: better a shorter past than a lost packet.
bool ring_squeeze(struct path *p)
{
	struct view *largest = NULL;
	uint32_t n;

	for (uint32_t i = 0; i < p->n_open; i++)
		if (p->open[i]->owner &&
			(!largest || p->open[i]->history.n_frames > largest->history.n_frames))
			largest = p->open[i];
	if (!largest)
		return false;
	n = largest->history.n_frames / 4 + 1;
	follow_want(largest, largest->history.first + n);
	while (n-- && ring_pop(p, largest))
		;
	return true;
}

static uint8_t format_of(const struct session *s, const uint8_t *media, uint16_t len)
{
	bool ts = mpegts_looks_like(media, len);

	if (s->kind == SESSION_SOURCE && s->carries == DP_PROTO_RTP)
		return ts ? DP_FORMAT_RTP_TS : DP_FORMAT_RTP;
	return ts ? DP_FORMAT_TS : DP_FORMAT_RAW;
}

// Where the stream's end moves to seq. False: the frames there are still in use.
static bool make_room(struct path *p, struct view *v, uint64_t seq)
{
	uint64_t end = v->history.next;

	while (history_extend(&v->history, seq))
		if (!ring_pop(p, v))
			return false;
	// What found no room earlier is missing for good.
	if (v->in.refused > end)
		ring_give_up(p, v, end, (v->in.refused < seq ? v->in.refused : seq) - 1);
	v->in.refused = 0;
	return true;
}

static void gone(struct path *p, struct view *v, uint64_t seq)
{
	if (history_covers(&v->history, seq))
		ring_give_up(p, v, seq, seq);
	else
		v->in.refused = seq + 1;
}

// A new packet of the stream: index it, tell the followers, have it sent.
void ring_insert(struct path *p, struct view *v, const struct history_entry *e, uint64_t seq,
	const uint8_t *sealed)
{
	history_put(&v->history, seq, e);
	if (e->media_len > v->largest)
		v->largest = e->media_len;
	fanout_fresh(p, v, seq, sealed);
	if (v->owner && v->in.followers)
		follow_publish(p, v, seq, e);
}

static struct rte_mbuf *frame_of(struct path *p, struct pkt *k, const uint8_t **data)
{
	struct rte_mbuf *frame = k->rx.frame;

	*data = k->rx.data + k->media.at;
	if (frame) {
		k->rx.frame = NULL;
		return frame;
	}
	frame = arena_copy(p->arena, *data, k->media.len);
	if (!frame && ring_squeeze(p))
		frame = arena_copy(p->arena, *data, k->media.len);
	if (frame)
		*data = rte_pktmbuf_mtod(frame, const uint8_t *);
	return frame;
}

static void note_stats(struct path *p, struct view *v, const struct pkt_media *m)
{
	v->stats->rx_packets++;
	v->stats->rx_bytes += m->media_len;
	v->stats->recovered_packets += m->recovered;
	v->stats->last_rx_us = p->now;
	v->in.last_rx = p->now;
	if (m->play > v->in.last_play)
		v->in.last_play = m->play;
	// Its last packets may stand in one batch with its leave, which has been seen to already.
	if (v->in.publisher && v->in.state != DP_STREAM_LIVE)
		house_stream_state(p, v, DP_STREAM_LIVE);
}

static void set_format(struct path *p, struct view *v, uint8_t format)
{
	if (v->format == format)
		return;
	v->format = format;
	v->stats->format = format;
	inorder_reformat(p, v);
}

static struct history_entry entry_of(
	struct path *p, const struct pkt *k, struct rte_mbuf *frame, const uint8_t *data)
{
	const struct pkt_media *m = &k->media;
	struct view *v = m->view;
	struct history_entry e = {
		.frame = frame,
		.data = data,
		.play = m->play,
		.arrival = k->rx.arrival,
		.len = m->len,
		.off = m->off,
		.media_len = m->media_len,
	};

	if (v->format == DP_FORMAT_UNKNOWN || m->seq == v->in.anchor)
		set_format(p, v, format_of(k->session, data + m->off, m->media_len));
	return e;
}

// A decoder wants the tables before the picture: late joiners start at the PAT that stands before
// the random-access point, when it is close.
static void note_random(struct view *v, const struct history_entry *e, uint64_t seq)
{
	struct history *h = &v->history;
	unsigned marks = 0;

	if (v->format == DP_FORMAT_TS || v->format == DP_FORMAT_RTP_TS)
		marks = mpegts_scan(&v->in.scan, e->data + e->off, e->media_len);
	if (marks & MPEGTS_HAS_PAT)
		v->in.tables = seq;
	if (marks & MPEGTS_HAS_RANDOM)
		history_note_random(h, seq - v->in.tables < RING_TABLES_NEAR ? v->in.tables : seq);
}

static enum dp_drop why_not(const struct view *v, uint64_t seq)
{
	if (seq < v->history.first)
		return DP_DROP_LATE;
	if (seq >= v->history.next)
		return DP_DROP_NONE;
	if (history_at(&v->history, seq)->flags & HISTORY_GIVEN_UP)
		return DP_DROP_LATE_INORDER;
	return history_find(&v->history, seq) ? DP_DROP_DUPLICATE : DP_DROP_NONE;
}

static void insert(struct path *p, struct pkt *k)
{
	struct pkt_media *m = &k->media;
	struct view *v = m->view;
	enum dp_drop why = why_not(v, m->seq);
	struct rte_mbuf *frame;
	struct history_entry e;
	const uint8_t *data;

	if (why != DP_DROP_NONE) {
		v->stats->late_packets += why == DP_DROP_LATE || why == DP_DROP_LATE_INORDER;
		path_drop(p, k, why);
		return;
	}
	frame = make_room(p, v, m->seq) ? frame_of(p, k, &data) : NULL;
	if (!frame) {
		path_drop(p, k, DP_DROP_ARENA_FULL);
		gone(p, v, m->seq);
		return;
	}
	note_stats(p, v, m);
	e = entry_of(p, k, frame, data);
	note_random(v, &e, m->seq);
	ring_insert(p, v, &e, m->seq, k->sealed);
}

void path_ring(struct path *p, struct batch *b)
{
	for (unsigned i = 0; i < b->n; i++)
		insert(p, &b->pkts[i]);
	b->n = 0;
}

static void tell_missing(struct path *p, struct view *v, uint64_t first, uint64_t last)
{
	fanout_missing(p, v, first, last);
	if (v->owner && v->in.followers)
		follow_gave_up(p, v, first, last);
}

// What is given up before anything behind it has come gets its place now, so that it is a hole that
// everybody passes, and not one that everybody waits for.
static uint64_t cover(struct path *p, struct view *v, uint64_t last)
{
	if (last >= v->history.next && !make_room(p, v, last))
		v->in.refused = last + 1;
	return last < v->history.next ? last : v->history.next - 1;
}

// Holes among first..last will not be filled: say so once, unasked, to everybody who would wait for
// them (decisions A9).
void ring_give_up(struct path *p, struct view *v, uint64_t first, uint64_t last)
{
	struct history *h = &v->history;
	uint64_t run = HISTORY_NONE;

	last = cover(p, v, last);
	first = first > h->first ? first : h->first;
	for (uint64_t seq = first; seq <= last && seq < h->next; seq++) {
		struct history_entry *e = history_at(h, seq);
		bool hole = !e->frame && !(e->flags & HISTORY_GIVEN_UP);

		if (hole) {
			e->flags |= HISTORY_GIVEN_UP;
			v->stats->lost_packets += v->owner;
			run = run == HISTORY_NONE ? seq : run;
		} else if (run != HISTORY_NONE) {
			tell_missing(p, v, run, seq - 1);
			run = HISTORY_NONE;
		}
	}
	if (run != HISTORY_NONE)
		tell_missing(p, v, run, last);
	fanout_mark(p, v);
}
