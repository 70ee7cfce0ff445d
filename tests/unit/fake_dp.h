#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A dataplane for tests of the daemon, in the test's own event loop: it keeps objects as sluice-dp
// does (dp_proto.h), carries no packet, and does wrong on demand.

#include "ctl/dp/dp_wire.h"

#include <event2/event.h>

#include <stdbool.h>
#include <stddef.h>

struct fake_object {
	struct dp_object_state s;
	bool marked;
	char name[DP_STREAM_NAME]; // of a stream; of others the stream they carry
};

struct fake_dp {
	struct event_base *base;
	char dir[64], path[96]; // of the socket
	int listen_fd, fd;	// -1: none; of the one client
	struct event *accept, *read;
	int stats_fd; // handed out with HELLO_R; -1: none. Borrowed
	uint64_t instance, generation;

	struct fake_object *objects; // sorted by (kind, id)
	size_t n, cap;
	struct dp_session sessions[16]; // what DUMP pages show
	size_t n_sessions;

	// Faults on demand.
	uint64_t refuse_id; // OBJ_SET of this id is refused
	bool refuse_hello, spoil_commit, deaf;

	// What was seen.
	unsigned hellos, begins, commits, sets, dels, dumps, kicks;
	uint64_t epoch, kicked;
	struct dp_admit_r verdict; // the last
	unsigned verdicts;
	char log[4096]; // "begin stream:a listener: commit " and so on, as far as it fits
};

void fake_dp_init(struct fake_dp *f, struct event_base *base);
void fake_dp_fini(struct fake_dp *f);

void fake_dp_start(struct fake_dp *f); // listen
// As kill -9: sockets closed, objects forgotten, another instance the next time.
void fake_dp_kill(struct fake_dp *f);
void fake_dp_hang_up(struct fake_dp *f); // only the connection breaks
void fake_dp_forget_log(struct fake_dp *f);

struct fake_object *fake_dp_find(struct fake_dp *f, uint32_t kind, uint64_t id);
void fake_dp_notice(struct fake_dp *f, const struct dp_notice *n);
void fake_dp_ask(struct fake_dp *f, const struct dp_admit *q); // as for a hook
