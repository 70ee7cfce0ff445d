#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A poll-mode worker: one thread, one port share, one loop. Control talks to it by commands and
// events only (state/event.h).

#include "ctl/dp/dp_proto.h"
#include "ctl/dp/dp_stats.h"
#include "state/event.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct port;
struct worker;

enum worker_idle { WORKER_ADAPTIVE, WORKER_SPIN };

struct worker_group_opts {
	unsigned n_workers;
	const int *cores;	   // n_workers of them, -1: not pinned
	struct port *const *ports; // n_workers; the group closes them
	struct arena *arena;
	unsigned max_streams, max_subscribers; // subscribers: of the whole process
	enum worker_idle idle;
	struct dp_stats_header *stats; // the shared segment; sections are found by its offsets
	int event_fd;		       // eventfd: written when events wait for control
	uint64_t cookie_key;
	uint64_t seed; // for socket ids
};

// All workers of the process: they know each other's rings. NULL when memory is short.
struct worker_group *worker_group_new(const struct worker_group_opts *o);
int worker_group_start(struct worker_group *g); // 0 or -errno
void worker_group_free(
	struct worker_group *g); // after every worker has done CMD_QUIT; joins the threads

// --- control thread's side ------------------------------------------------------------------

// Hand a command down; it comes back by EV_DONE. Returns 0 or -EAGAIN when the ring is full.
int worker_post(struct worker_group *g, unsigned worker, struct cmd *c);
// Up to n events of one worker; returns how many.
unsigned worker_events(struct worker_group *g, unsigned worker, struct event *out, unsigned n);
// The parked conclusion an EV_JOIN named.
const struct parked *worker_parked(struct worker_group *g, unsigned worker, uint32_t park);

unsigned worker_n_slots(const struct worker_group *g, unsigned worker);
// A consistent copy of a live session; false when the slot is free.
bool worker_session_read(
	const struct worker_group *g, unsigned worker, unsigned slot, struct dp_session *out);
