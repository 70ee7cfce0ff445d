// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/dpdk.h"

#include <stdlib.h>

bool dpdk_slots_init(struct dpdk_slots *s, struct rte_mempool *pool, unsigned n)
{
	s->m = calloc(n, sizeof(struct rte_mbuf *));
	s->mask = n - 1;
	if (!s->m || rte_pktmbuf_alloc_bulk(pool, s->m, n)) {
		free(s->m);
		s->m = NULL;
		return false;
	}
	for (unsigned i = 0; i < n; i++)
		s->m[i]->data_off = 0;
	return true;
}

// The device has given back, or forgotten, everything: whatever it still counts is of no use.
void dpdk_slots_fini(struct dpdk_slots *s)
{
	free(s->m);
}

uint64_t dpdk_slots_reclaim(struct dpdk_slots *s)
{
	while (s->done != s->posted && rte_mbuf_refcnt_read(s->m[s->done & s->mask]) == 1)
		s->done++;
	return s->done;
}
