#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/port.h"
#include "load/net.h"

struct arena;

// Let n run over this port, which it owns from then on with the frames it receives into (NULL: it
// has none); its sockets have the address `local`. Returns 0 or -errno.
int net_port_take(
	struct net *n, struct port *port, struct arena *arena, const struct endpoint *local);
