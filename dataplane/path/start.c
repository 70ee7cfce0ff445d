// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "path/path.h"

// Joiners. Late ones begin at the last random-access point that the history holds, and catch up
// from there a few packets per millisecond, so that a join storm does not burst out of the socket
// buffers of those who watch. At the end of the history they enter the fan-out list.

#define START_DEPTH_MAX 1024u // packets: an eighth of a player's buffer of 8,192

// A libsrt caller that is still busy with our answer loses what comes right behind it (15 packets
// of a burst of 16 on loopback), and repair does not help: their play time has passed already.
#define START_AFTER_US (10 * TS_MS)

static bool startable(const struct view *v)
{
	return v->ready && v->history.n_frames;
}

static uint64_t start_of(const struct view *v, const struct session *s)
{
	const struct history *h = &v->history;
	const struct history_entry *oldest = history_find(h, h->first);

	// Who waited for the stream gets it from its first packet on.
	if (oldest && oldest->arrival >= s->since && h->next - h->first <= START_DEPTH_MAX)
		return h->first;
	if (history_covers(h, h->random) && h->next - h->random <= START_DEPTH_MAX)
		return h->random;
	return h->next - 1;
}

static void choose(struct path *p, struct view *v, struct session *s)
{
	struct line_udp u = {.local = s->local, .peer = s->peer, .ttl = s->ttl, .dscp = s->dscp};
	struct line_srt srt;

	// A call of ours has promised its first number: what is gone by now is a gap at its end.
	s->cursor = s->pinned ? (s->start > v->history.first ? s->start : v->history.first)
			      : start_of(v, s);
	s->seen_next = v->history.next;
	s->dseq = (s->isn - (uint32_t)(s->pinned ? s->start : s->cursor)) & SEQ31_MASK;
	srt = (struct line_srt){.dseq = s->dseq,
		.dts = s->dts,
		.word1 = secure_kk(p, s),
		.dst_id = s->hs.caller_id};
	line_build_srt(&s->line, &u, &srt);
	rekey_plan(p, s);
}

void session_note_more(struct session *s, const struct port_payload *pl)
{
	s->more_packets++;
	s->more_bytes += pl->len;
}

// One bundle. Returns how many packets it had.
static unsigned bundle(struct path *p, struct view *v, struct session *s, unsigned most)
{
	struct port_payload pl[PATH_START_BURST];
	unsigned n = 0, sent;

	for (; s->cursor < v->history.next && n < most; s->cursor++) {
		const struct history_entry *e = history_find(&v->history, s->cursor);

		if (e)
			pl[n++] = fanout_payload(p, e, s->cursor);
	}
	if (!n)
		return 0;
	sent = fanout_one(p, s, &s->line, pl, n);
	for (unsigned i = 0; i < sent; i++)
		session_note_more(s, &pl[i]);
	fanout_count(p, v, pl, n, 1, sent);
	return n;
}

// What has arrived since its last turn, and a burst on top: so it catches up whatever the rate.
static void burst(struct path *p, struct view *v, struct session *s)
{
	uint64_t left = v->history.next - s->seen_next + PATH_START_BURST;
	unsigned n = 1;

	while (left && n) {
		n = bundle(p, v, s, left < PATH_START_BURST ? (unsigned)left : PATH_START_BURST);
		left -= n;
	}
	s->seen_next = v->history.next;
}

// True when it has caught up and stands in the list now.
static bool enter(struct path *p, struct view *v, struct session *s)
{
	struct sublist *list =
		s->shared ? &v->out.shared[s->shared - 1] : view_srt_list(v, s->suite);

	if (s->cursor < v->history.next)
		return false;
	s->base = v->sent_srt;
	if (sublist_add(list, &p->lists, &s->line, s, &s->place))
		return false;
	s->list = list;
	s->caught_up = p->now;
	return true;
}

static void view_turn(struct path *p, struct view *v)
{
	for (struct session **at = &v->out.starting; *at;) {
		struct session *s = *at;

		if (p->now - s->since < START_AFTER_US || pass_holds(p, s)) {
			at = &s->next_starting;
			continue;
		}
		if (s->cursor == SESSION_START_UNSET)
			choose(p, v, s);
		burst(p, v, s);
		if (enter(p, v, s)) {
			*at = s->next_starting;
			v->out.n_starting--;
			p->n_starting--;
		} else {
			at = &s->next_starting;
		}
	}
}

// Due at once while somebody catches up, never while all wait for a stream to begin.
ts_us start_next(const struct path *p)
{
	return p->start_due ? p->start_at : TS_NEVER;
}

void start_turn(struct path *p)
{
	if (!p->start_due || p->now < p->start_at)
		return;
	p->start_due = false;
	for (uint32_t i = 0; i < p->n_open; i++) {
		struct view *v = p->open[i];

		if (!v->out.n_starting || !startable(v))
			continue;
		view_turn(p, v);
		p->start_due |= v->out.n_starting > 0;
	}
	p->start_at = p->now + TS_MS;
}
