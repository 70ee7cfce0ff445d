#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/port.h"
#include "load/net.h"

// Let n run over this port, which it owns from then on; its sockets have the address `local`.
// Returns 0 or -errno.
int net_port_take(struct net *n, struct port *port, const struct endpoint *local);
