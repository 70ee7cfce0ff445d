// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Which kinds of ports there are, beside the kernel's sockets.

#include "io/port_mem.h"
#include "load/net_back.h"
#include "load/net_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MEM_RING = 4096 };

static int take_mem(struct net *n)
{
	struct endpoint local = endpoint_of_v4(0x7f000001, 0);
	struct port *port = port_mem_open(MEM_RING);

	return port ? net_port_take(n, port, &local) : -ENOMEM;
}

int net_port_init(struct net *n, char *err, size_t cap)
{
	if (!strcmp(n->opts.port, "mem"))
		return take_mem(n);
	snprintf(err, cap, "--port '%s': this has sock and mem", n->opts.port);
	return -EINVAL;
}
