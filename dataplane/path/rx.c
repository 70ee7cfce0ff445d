// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "path/path.h"

void path_rx(struct path *p, struct batch *b)
{
	struct port_rx rx[PORT_BURST];

	b->n = port_rx_burst(p->port, rx, PORT_BURST);
	for (unsigned i = 0; i < b->n; i++) {
		b->pkts[i].rx = rx[i];
		p->stats->rx_bytes += rx[i].len;
	}
	p->stats->rx_packets += b->n;
	if (p->port->ops->lends_frames && b->n && arena_low(p->arena))
		ring_squeeze(p);
}
