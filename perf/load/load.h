#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One run: a loop over sockets and a timer wheel, driving the peers of one role.

#include "base/wheel.h"
#include "load/meter.h"
#include "load/net.h"
#include "load/opts.h"

#include <jansson.h>

struct load;

struct role {
	const char *name;
	// Make the peers and open their sockets. 0, or -errno and a sentence.
	int (*start)(struct load *l, char *err, size_t cap);
	void (*rx)(struct load *l, struct net_sock *s, ts_us now, const uint8_t *data, size_t len);
	void (*timer)(struct load *l, ts_us now, struct wheel_entry *e);
	void (*settle)(struct load *l, ts_us now); // after each round: send what is due
	// Spinning, before settle: look at every sender, finer than the wheel's ticks. NULL: none.
	void (*pace)(struct load *l, ts_us now);
	void (*stop)(struct load *l, ts_us now); // time is up: end every peer soon
	// Fill the report; returns false when something is missing, corrupt or was refused.
	bool (*report)(struct load *l, json_t *out);
	void (*fini)(struct load *l);
};

extern const struct role role_play, role_publish, role_recv, role_send;

struct load {
	struct opts opts;
	const struct role *role;
	struct net net;
	struct wheel wheel;
	struct rand rand;
	ts_us started, stop_at;
	uint32_t n_active; // peers that have not ended
	bool stopping;
	bool unsettled; // there is more to settle at once
	struct meter meter;
	// As of now, for lines of progress.
	uint32_t n_up;	    // SRT sessions
	uint64_t n_packets; // of media, sent or received
	uint64_t n_sent;    // by publishers beside players
	ts_us progress_at;  // next line
	ts_us behind;	    // how far behind its rate the slowest sender was at its end
	void *peers;	    // the role's
};

// Returns an exit code.
int load_run(const struct opts *o);
