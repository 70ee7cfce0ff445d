#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The control thread of sluice-dp: holds the objects that the daemon has sent, admits callers, and
// tells workers what to do. It alone owns stream names, publisher claims and limits (decisions
// A17). It never touches a packet.

#include "ctl/dp/dp_proto.h"
#include "ctl/dp/dp_stats.h"
#include "io/port_sock.h"
#include "state/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Workers, as control sees them: worker.h in the program, a fake in tests.
struct control_workers {
	unsigned n;
	int (*post)(void *ctx, unsigned worker, struct cmd *c); // 0 or -EAGAIN
	unsigned (*events)(void *ctx, unsigned worker, struct event *out, unsigned n);
	const struct parked *(*parked)(void *ctx, unsigned worker, uint32_t park);
	unsigned (*n_slots)(void *ctx, unsigned worker);
	bool (*session)(void *ctx, unsigned worker, unsigned slot, struct dp_session *out);
	void *ctx;
};

// Sockets, as control opens them: port_sock.h in the program.
struct control_sockets {
	// One per worker into fds. 0, or -errno and a sentence. Neither waits for a busy port.
	int (*listen)(void *ctx, const struct endpoint *local, int *fds, char *err, size_t cap);
	int (*bind)(void *ctx, const struct port_sock_source *s, char *err, size_t cap);
	void (*close)(int fd);
	void *ctx;
};

struct control_opts {
	struct control_workers workers;
	struct control_sockets sockets;
	struct dp_stats_header *stats; // stats_new()
	int stats_fd;
	int event_fd; // readable when events wait
	unsigned max_streams, max_subscribers;
	uint64_t instance;
	int listen_fd; // of dp.sock (dp_socket.h), stays the caller's; -1: no server
};

struct control;

// NULL when memory is short.
struct control *control_new(const struct control_opts *o);
// Serve until stop_fd is readable. Returns 0 or -errno.
int control_run(struct control *c, int stop_fd);
// End every session (SRT peers get a SHUTDOWN) and the workers. Returns 0, or -ETIMEDOUT when one
// of them does not answer.
int control_stop(struct control *c);
// When the workers' threads are gone.
void control_free(struct control *c);

// For tests, and what control_run() does: carry out everything that waits, without blocking.
void control_turn(struct control *c, ts_us now);
