// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "worker/worker_priv.h"

#include <rte_ring_elem.h>

#define NOTE_TURN 128u // most of one worker in one round: a history is replayed over several

static unsigned from_one(struct worker *w, unsigned other, struct batch *b)
{
	struct note n;
	unsigned done = 0;

	while (done < NOTE_TURN && b->n < PORT_BURST &&
		!rte_ring_sc_dequeue_elem(w->from[other], &n, sizeof(n))) {
		done++;
		if (n.kind == NOTE_FORWARD)
			forward_open(&w->path, &n, b);
		else
			follow_feed(&w->path, other, &n);
	}
	return done;
}

unsigned worker_notes(struct worker *w, struct batch *b)
{
	unsigned n = 0, n_workers = w->group->o.n_workers;

	b->n = 0;
	// Beginning with another one each round, so that a full batch starves nobody.
	for (unsigned i = 0; i < n_workers; i++) {
		unsigned other = (unsigned)((w->path.stats->heartbeat + i) % n_workers);

		if (other != w->id)
			n += from_one(w, other, b);
	}
	return n;
}

void worker_wake_others(struct worker *w)
{
	uint64_t left = w->path.wake;

	w->path.wake = 0;
	for (; left; left &= left - 1) {
		struct port *other = w->group->o.ports[__builtin_ctzll(left)];

		other->ops->wake(other);
	}
}
