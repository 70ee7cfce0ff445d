// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "io/dpdk.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DEVICE_DRAIN 4096u // packets read at the end, so that their mbufs go back

// Devices that take chains and free them properly, though they do not say so.
static const char *const silent_about_chains[] = {"net_null", "net_ring"};

static bool takes_chains(const struct rte_eth_dev_info *info)
{
	if (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
		return true;
	for (unsigned i = 0; i < RTE_DIM(silent_about_chains); i++)
		if (!strcmp(info->driver_name, silent_about_chains[i]))
			return true;
	return false;
}

// Drivers say much, and in words of their own: ours is the one sentence.
static uint32_t hush(void)
{
	uint32_t level = rte_log_get_global_level();

	rte_log_set_global_level(RTE_LOG_EMERG);
	return level;
}

static int create(const char *name, const char *args)
{
	uint32_t level = hush();
	int rc = rte_eal_hotplug_add("vdev", name, args);

	rte_log_set_global_level(level);
	return rc;
}

static int find(struct dpdk_device *dev, const struct port_dpdk_opts *o, char *err, size_t err_cap)
{
	const char *args = strchr(o->device, ',');
	int len = args ? (int)(args - o->device) : (int)strlen(o->device);
	int rc;

	snprintf(dev->name, sizeof(dev->name), "%.*s", len, o->device);
	if (!rte_eth_dev_get_port_by_name(dev->name, &dev->id))
		return 0;
	rc = create(dev->name, args ? args + 1 : "");
	if (!rc) {
		dev->ours = true;
		rc = rte_eth_dev_get_port_by_name(dev->name, &dev->id);
	}
	if (rc)
		snprintf(err, err_cap,
			"dpdk: the device %s cannot be made: is it one, and are "
			"these its arguments?",
			o->device);
	return rc;
}

static int check(const struct dpdk_device *dev, const struct rte_eth_dev_info *info, unsigned n,
	char *err, size_t err_cap)
{
	unsigned most = RTE_MIN(info->max_rx_queues, info->max_tx_queues);

	if (n <= most)
		return 0;
	snprintf(err, err_cap, "dpdk: %u queues asked, %s has %u", n, dev->name, most);
	return -EINVAL;
}

static int queues(const struct dpdk_device *dev, unsigned n, struct rte_mempool *pool)
{
	uint16_t n_rx = DPDK_DESCS, n_tx = DPDK_DESCS;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(dev->id, &n_rx, &n_tx);

	for (uint16_t q = 0; !rc && q < n; q++) {
		rc = rte_eth_rx_queue_setup(dev->id, q, n_rx, SOCKET_ID_ANY, NULL, pool);
		if (!rc)
			rc = rte_eth_tx_queue_setup(dev->id, q, n_tx, SOCKET_ID_ANY, NULL);
	}
	return rc;
}

// Never RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE: payloads are shared, and of another pool.
static int configure(struct dpdk_device *dev, unsigned n, struct rte_mempool *pool,
	const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = {
		.txmode.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS};
	struct rte_ether_addr mac = {0};
	uint32_t level = hush();
	int rc = rte_eth_dev_configure(dev->id, (uint16_t)n, (uint16_t)n, &conf);

	if (!rc)
		rc = queues(dev, n, pool);
	if (!rc)
		rc = rte_eth_dev_start(dev->id);
	rte_log_set_global_level(level);
	rte_eth_macaddr_get(dev->id, &mac);
	memcpy(dev->mac, mac.addr_bytes, sizeof(dev->mac));
	return rc;
}

struct dpdk_device *dpdk_device_open(
	const struct port_dpdk_opts *o, unsigned n, char *err, size_t err_cap)
{
	struct dpdk_device *dev = calloc(1, sizeof(*dev));
	struct rte_eth_dev_info info;
	int rc;

	snprintf(err, err_cap, "dpdk: no memory for a device");
	if (!dev)
		return NULL;
	rc = find(dev, o, err, err_cap);
	if (!rc)
		rc = rte_eth_dev_info_get(dev->id, &info);
	if (!rc)
		rc = check(dev, &info, n, err, err_cap);
	if (!rc) {
		dev->chains = takes_chains(&info) && !o->copied;
		rc = configure(dev, n, arena_pool(o->arena), &info);
		if (rc)
			snprintf(err, err_cap, "dpdk: %s does not start: %s", dev->name,
				rte_strerror(-rc));
	}
	if (rc) {
		dpdk_device_close(dev);
		return NULL;
	}
	// From here on it is to be drained and stopped.
	snprintf(dev->mode, sizeof(dev->mode), "%s, %s", info.driver_name,
		dev->chains ? "chained" : "copied");
	return dev;
}

// What a ring in memory still holds are mbufs of our pools, which are about to go.
static void drain(uint16_t id)
{
	struct rte_mbuf *m[DPDK_BURST];
	struct rte_eth_dev_info info;
	uint16_t n;

	if (rte_eth_dev_info_get(id, &info))
		return;
	for (uint16_t q = 0; q < info.nb_rx_queues; q++)
		for (unsigned i = 0; i < DEVICE_DRAIN; i += DPDK_BURST) {
			n = rte_eth_rx_burst(id, q, m, DPDK_BURST);
			if (!n)
				break;
			rte_pktmbuf_free_bulk(m, n);
		}
}

void dpdk_device_close(struct dpdk_device *dev)
{
	if (dev->mode[0]) {
		drain(dev->id);
		rte_eth_dev_stop(dev->id);
	}
	if (dev->ours) {
		rte_eth_dev_close(dev->id);
		rte_eal_hotplug_remove("vdev", dev->name);
	}
	for (unsigned i = 0; i < dev->n_pools; i++)
		rte_mempool_free(dev->pools[i]);
	free(dev);
}
