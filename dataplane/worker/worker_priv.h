#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the files of this folder share.

#include "path/path.h"
#include "worker/worker.h"

#include <pthread.h>

#define WORKER_CMD_RING 1024u

struct worker {
	struct path path;
	struct worker_group *group;
	unsigned id;
	int core;
	pthread_t thread;
	bool started, quit;
	struct rte_ring *down;		       // commands, from control
	struct rte_ring *from[DP_WORKERS_MAX]; // notes
	struct cmd **closing;		       // STREAM_CLOSE that wait for followers
	uint32_t n_closing;
	ts_us began, housed, slept;
	struct batch batch;
};

struct worker_group {
	struct worker_group_opts o;
	struct worker *workers;
	int *cores;
	struct stream_follow *follows;
	struct path_regions regions;
};

// loop.c. One round: everything that is there, once; returns how much that was.
unsigned worker_turn(struct worker *w, ts_us now);
void *worker_main(void *worker);
// cmd.c: carry out what control has sent; returns how many.
unsigned worker_commands(struct worker *w);
// note.c: read what other workers have sent; forwarded packets go into the batch.
unsigned worker_notes(struct worker *w, struct batch *b);
void worker_wake_others(struct worker *w);
