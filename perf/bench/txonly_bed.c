// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "txonly_bed.h"

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <stdlib.h>

enum { MBUFS = 8191, CACHE = 256, DESCS = 1024, LEN = 1374 };

#define DEVICE "net_null_txonly"

struct txonly_bed {
	struct rte_mempool *pool;
	uint16_t device;
};

static bool start(struct txonly_bed *b)
{
	struct rte_eth_conf conf = {0};

	return !rte_eth_dev_configure(b->device, 1, 1, &conf) &&
	       !rte_eth_rx_queue_setup(b->device, 0, DESCS, 0, NULL, b->pool) &&
	       !rte_eth_tx_queue_setup(b->device, 0, DESCS, 0, NULL) &&
	       !rte_eth_dev_start(b->device);
}

struct txonly_bed *txonly_bed_new(void)
{
	struct txonly_bed *b = calloc(1, sizeof(*b));

	b->pool = rte_pktmbuf_pool_create("txonly", MBUFS, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (!b->pool || rte_eal_hotplug_add("vdev", DEVICE, "no-rx=1") ||
		rte_eth_dev_get_port_by_name(DEVICE, &b->device) || !start(b)) {
		txonly_bed_free(b);
		return NULL;
	}
	return b;
}

void txonly_bed_free(struct txonly_bed *b)
{
	rte_eal_hotplug_remove("vdev", DEVICE);
	rte_mempool_free(b->pool);
	free(b);
}

unsigned txonly_bed_burst(struct txonly_bed *b)
{
	struct rte_mbuf *m[TXONLY_BURST];
	unsigned sent;

	if (rte_pktmbuf_alloc_bulk(b->pool, m, TXONLY_BURST))
		return 0;
	for (unsigned i = 0; i < TXONLY_BURST; i++) {
		m[i]->data_len = LEN;
		m[i]->pkt_len = LEN;
	}
	sent = rte_eth_tx_burst(b->device, 0, m, TXONLY_BURST);
	for (unsigned i = sent; i < TXONLY_BURST; i++)
		rte_pktmbuf_free(m[i]);
	return sent;
}
