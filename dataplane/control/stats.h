#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The shared counters: a memfd laid out as dp_stats.h says.

#include "ctl/dp/dp_stats.h"

#include <stddef.h>

struct stats_port {
	const char *name, *kind, *mode;
};

// Make and map the segment. *fd: a descriptor that others can only read. NULL: no memory.
struct dp_stats_header *stats_new(unsigned n_workers, unsigned n_streams, uint64_t instance,
	const struct stats_port *ports, unsigned n_ports, int *fd);
