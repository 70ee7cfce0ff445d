// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "path/path.h"

#include <rte_mbuf.h>

// --- on the owner ---------------------------------------------------------------------------

// A note may outlive its stream: the pointer is compared, never followed.
static struct view *owned(struct path *p, const struct note *n)
{
	struct view *v = &p->views[n->index];

	return v->stream == n->stream && v->owner ? v : NULL;
}

static void tell(struct path *p, struct view *v, unsigned worker, struct note *n)
{
	n->stream = v->stream;
	n->index = v->stream->index;
	n->epoch = v->in.follow_epoch[worker];
	n->format = v->format;
	// A follower that cannot keep up loses this packet, as over a network: its subscribers'
	// NAKs find a hole. What it holds stays safe, for it still reports what it has released.
	if (path_note(p, worker, n))
		path_count(p, DP_DROP_FORWARD_FULL, 1);
}

static void tell_all(struct path *p, struct view *v, struct note *n)
{
	for (uint64_t left = v->in.followers; left; left &= left - 1)
		tell(p, v, (unsigned)__builtin_ctzll(left), n);
}

void follow_publish(struct path *p, struct view *v, uint64_t seq, const struct history_entry *e)
{
	struct note n = {.kind = NOTE_PACKET, .seq = seq, .entry = *e};

	n.last = v->history.random;
	tell_all(p, v, &n);
}

void follow_gave_up(struct path *p, struct view *v, uint64_t first, uint64_t last)
{
	struct note n = {.kind = NOTE_GAVE_UP, .seq = first, .last = last};

	tell_all(p, v, &n);
}

// Following starts by replaying the history.
static void begin(struct path *p, struct view *v, unsigned worker, uint32_t epoch)
{
	struct history *h = &v->history;
	struct note end = {.kind = NOTE_FOLLOWED, .seq = h->next, .last = h->first};

	v->in.followers |= 1ull << worker;
	v->in.follow_epoch[worker] = epoch;
	for (uint64_t seq = h->first; seq < h->next; seq++) {
		struct note n = {
			.kind = NOTE_PACKET,
			.seq = seq,
			.last = h->random,
			.entry = *history_at(h, seq),
		};

		if (n.entry.frame)
			tell(p, v, worker, &n);
	}
	tell(p, v, worker, &end);
}

void follow_want(const struct view *v, uint64_t first)
{
	struct stream_follow *f = v->stream->follow;

	if (v->in.followers && first > atomic_load_explicit(&f->wanted_first, memory_order_relaxed))
		atomic_store_explicit(&f->wanted_first, first, memory_order_relaxed);
}

bool follow_allows_pop(const struct path *p, const struct view *v)
{
	struct stream_follow *f = v->stream->follow;
	uint64_t first = v->history.first;

	if (!v->in.followers)
		return true;
	follow_want(v, first + 1);
	for (uint64_t left = v->in.followers; left; left &= left - 1) {
		unsigned w = (unsigned)__builtin_ctzll(left);

		if (atomic_load_explicit(&f->released[w], memory_order_acquire) <= first)
			return false;
	}
	return true;
}

// --- on a follower --------------------------------------------------------------------------

void follow_begin(struct path *p, struct view *v)
{
	struct note n = {
		.kind = NOTE_FOLLOW,
		.stream = v->stream,
		.index = v->stream->index,
	};

	// Before the owner hears of it: nothing is released until its notes have been read.
	atomic_store_explicit(&v->stream->follow->released[p->worker], 0, memory_order_relaxed);
	history_init(&v->history, v->history.e, 0);
	n.epoch = ++v->epoch;
	v->ready = false;
	v->following = path_note(p, v->stream->owner, &n) == 0;
}

// Pop what the owner wants gone, and say how far: what stands before first is never looked at
// again, also when its note still waits in the ring.
void follow_report(struct path *p, struct view *v)
{
	struct stream_follow *f = v->stream->follow;
	struct history *h = &v->history;
	uint64_t wanted = atomic_load_explicit(&f->wanted_first, memory_order_relaxed);

	while (h->first < wanted && ring_pop(p, v))
		;
	if (h->first < wanted)
		h->first = h->next = wanted;
	if (p->port->ops->tx_done(p->port) >= p->port->ops->tx_posted(p->port))
		atomic_store_explicit(&f->released[p->worker], h->first, memory_order_release);
}

static bool report_due(const struct view *v)
{
	return atomic_load_explicit(&v->stream->follow->wanted_first, memory_order_relaxed) >
	       v->history.first;
}

void follow_end(struct path *p, struct view *v)
{
	struct note n = {
		.kind = NOTE_UNFOLLOW,
		.stream = v->stream,
		.index = v->stream->index,
		.epoch = v->epoch,
	};

	while (ring_pop(p, v))
		;
	v->following = path_note(p, v->stream->owner, &n) != 0;
}

static void packet(struct path *p, struct view *v, const struct note *n)
{
	struct history *h = &v->history;
	struct history_entry e = n->entry;

	if (h->first == h->next && n->seq > h->next)
		h->first = h->next = n->seq;
	if (n->seq < h->first || history_find(h, n->seq))
		return;
	while (history_extend(h, n->seq))
		ring_pop(p, v);
	e.frame = arena_clone(p->arena, n->entry.frame);
	if (!e.frame) {
		path_count(p, DP_DROP_ARENA_FULL, 1);
		return;
	}
	if (n->last != HISTORY_NONE)
		history_note_random(h, n->last);
	ring_insert(p, v, &e, n->seq, NULL);
}

// The owner's history has been replayed: late joiners may choose where to start.
static void ready(struct path *p, struct view *v, const struct note *n)
{
	struct history *h = &v->history;

	if (h->first == h->next)
		h->first = h->next = n->seq;
	v->ready = true;
	fanout_mark(p, v);
}

static void from_owner(struct path *p, const struct note *n)
{
	struct view *v = &p->views[n->index];

	if (v->stream != n->stream || v->owner || !v->following || v->epoch != n->epoch)
		return;
	v->format = n->format;
	if (n->kind == NOTE_PACKET)
		packet(p, v, n);
	else if (n->kind == NOTE_GAVE_UP)
		ring_give_up(p, v, n->seq, n->last);
	else
		ready(p, v, n);
	if (report_due(v))
		follow_report(p, v);
}

void follow_feed(struct path *p, unsigned from, const struct note *n)
{
	struct view *v;

	if (n->kind != NOTE_FOLLOW && n->kind != NOTE_UNFOLLOW) {
		from_owner(p, n);
		return;
	}
	v = owned(p, n);
	if (!v)
		return;
	if (n->kind == NOTE_FOLLOW)
		begin(p, v, from, n->epoch);
	else if (v->in.follow_epoch[from] == n->epoch)
		v->in.followers &= ~(1ull << from);
}
