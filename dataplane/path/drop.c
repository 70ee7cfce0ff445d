// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <rte_mbuf.h>

void path_count(struct path *p, enum dp_drop why, uint64_t n)
{
	p->stats->drops[why] += n;
}

void path_absorb(struct path *p, struct pkt *k)
{
	if (k->rx.frame)
		rte_pktmbuf_free(k->rx.frame);
	k->rx.frame = NULL;
}

void path_drop(struct path *p, struct pkt *k, enum dp_drop why)
{
	path_count(p, why, 1);
	path_absorb(p, k);
}
