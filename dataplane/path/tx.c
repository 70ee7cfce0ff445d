// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <rte_mbuf.h>

static void release_done(struct path *p)
{
	uint64_t done;

	if (p->retired_tail == p->retired_head)
		return;
	done = p->port->ops->tx_done(p->port);
	while (p->retired_tail != p->retired_head) {
		struct path_retired *r = &p->retired[p->retired_tail % p->n_retired];

		if ((int64_t)(done - r->posted) < 0)
			break;
		rte_pktmbuf_free(r->frame);
		p->retired_tail++;
	}
}

void path_tx(struct path *p)
{
	p->port->ops->flush(p->port);
	release_done(p);
}
