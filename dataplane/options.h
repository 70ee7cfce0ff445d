#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The command line of sluice-dp (interface.md, 1).

#include "ctl/dp/dp_stats.h"
#include "io/port_dpdk.h"
#include "worker/worker.h"

#include <stdbool.h>

struct options {
	char port_name[32];	    // as shown by status
	bool no_uring;		    // port sock: receive by epoll
	unsigned sockbuf;	    // bytes; 0: the default
	struct port_dpdk_opts dpdk; // device empty: the port is sock
	unsigned n_workers;
	int cores[DP_WORKERS_MAX]; // -1: not pinned
	enum worker_idle idle;
	char socket[108];
	bool socket_given; // else it stands in the run directory
	unsigned memory_mb, max_streams, max_subscribers;
};

// Fills o, or prints one sentence and exits with 2.
void options_parse(struct options *o, int argc, char **argv);
