#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The daemon, wired: store, intent, connection to the dataplane, counters, feed, API.

#include <stddef.h>
#include <stdint.h>

struct config;
struct daemon;
struct event_base;

// Open the store, read the intent (the loop is turned until it is there), listen for the API, and
// begin to look for the dataplane. config: borrowed for life. epoch: of this owner of the state
// directory (state_lock.h). Returns NULL and one sentence in err.
struct daemon *daemon_new(struct event_base *base, const struct config *config, uint64_t epoch,
	char *err, size_t cap);

// Answer what still waits, close everything. The dataplane keeps what it has.
void daemon_free(struct daemon *d);
