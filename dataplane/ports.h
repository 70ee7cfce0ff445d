#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The port that the command line names, one part of it for each worker, and the sockets that
// control serves by it.

#include "io/port_dpdk.h"
#include "io/port_sock.h"
#include "options.h"

struct ports {
	struct port *all[DP_WORKERS_MAX];
	unsigned n;
	struct port_sock_opts sock;
	bool dpdk;
};

// Returns 0, or -errno and a sentence in err.
int ports_open(
	struct ports *p, const struct options *o, struct arena *arena, char *err, size_t cap);

const char *ports_kind(const struct ports *p);
const char *ports_mode(const struct ports *p);

// As port_sock_listen() and port_sock_bind(); p: struct ports.
int ports_listen(void *p, const struct endpoint *local, int *fds, char *err, size_t cap);
int ports_bind(void *p, const struct port_sock_source *s, char *err, size_t cap);
