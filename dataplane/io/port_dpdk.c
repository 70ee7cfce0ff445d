// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "io/dpdk.h"

#include <rte_errno.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define POOL_CACHE 256u
#define HEADERS (4 * DPDK_DESCS - 1)
#define SLOTS 4096u	   // payloads that the device has not done with
#define SOURCE_PORT 49152u // of pushes: the first private one, and the queue's number more

// --- addresses ------------------------------------------------------------------------------

static void dpdk_source(const struct port *p, const struct endpoint *peer, struct endpoint *local)
{
	const struct port_dpdk *d = (const struct port_dpdk *)p;

	if (!local->port)
		local->port = (uint16_t)(SOURCE_PORT + d->queue);
	if (!endpoint_is_any(local))
		return;
	for (unsigned i = 0; i < d->n_addr; i++)
		if (endpoint_is_v4(&d->addr[i]) == endpoint_is_v4(peer)) {
			memcpy(local->ip, d->addr[i].ip, sizeof(local->ip));
			return;
		}
}

// Right aligned in 18 bytes: {peer, us, [VLAN tag,] type}.
static void ethernet_make(
	uint8_t eth[DPDK_ETH], const struct port_dpdk_opts *o, const uint8_t mac[6], uint16_t type)
{
	uint8_t *at = eth + (o->vlan ? 0 : 4);

	memcpy(at, o->peer, 6);
	memcpy(at + 6, mac, 6);
	if (o->vlan) {
		at[12] = 0x81;
		at[13] = 0x00;
		at[14] = (uint8_t)(o->vlan >> 8);
		at[15] = (uint8_t)o->vlan;
	}
	eth[DPDK_ETH - 2] = (uint8_t)(type >> 8);
	eth[DPDK_ETH - 1] = (uint8_t)type;
}

// --- the rest of the seam -------------------------------------------------------------------

static void dpdk_stats(const struct port *p, struct port_stats *out)
{
	*out = ((const struct port_dpdk *)p)->st;
}

static unsigned dpdk_tx_errors(struct port *p, struct port_tx_error *out, unsigned n)
{
	return 0; // nobody tells a device that a path is narrow
}

static void binds_close(struct port_dpdk *d)
{
	for (unsigned i = 0; i < d->n_binds; i++)
		if (d->binds[i].fd >= 0)
			close(d->binds[i].fd);
	free(d->binds);
	free(d->by_port);
}

// The device ends with its last port, and the pools with the device: until then it may hold mbufs
// of any of them.
static void dpdk_close(struct port *p)
{
	struct port_dpdk *d = dpdk_self(p);

	dpdk_tx_flush(p);
	if (d->n_stash)
		rte_mempool_put_bulk(d->headers, (void **)d->stash, d->n_stash);
	if (!--d->dev->ports)
		dpdk_device_close(d->dev);
	dpdk_slots_fini(&d->slots);
	if (d->wake_fd >= 0)
		close(d->wake_fd);
	binds_close(d);
	free(d);
}

static const struct port_ops dpdk_ops = {
	.kind = "dpdk",
	.want_sum = true,
	.lends_frames = true,
	.all_acks = true,
	.rx_burst = dpdk_rx_burst,
	.tx_fanout = dpdk_tx_fanout,
	.tx_private = dpdk_tx_private,
	.send = dpdk_tx_send,
	.source = dpdk_source,
	.flush = dpdk_tx_flush,
	.wait = dpdk_rx_wait,
	.wake = dpdk_rx_wake,
	.tx_posted = dpdk_tx_posted,
	.tx_done = dpdk_tx_done,
	.add = dpdk_rx_add,
	.del = dpdk_rx_del,
	.stats = dpdk_stats,
	.tx_errors = dpdk_tx_errors,
	.close = dpdk_close,
};

// --- open -----------------------------------------------------------------------------------

static struct rte_mempool *pool_new(
	struct dpdk_device *dev, char what, unsigned n, unsigned cache, unsigned room)
{
	static unsigned serial; // names of pools are unique in a process
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;

	snprintf(name, sizeof(name), "%c%u.%.12s", what, serial++, dev->name);
	pool = rte_pktmbuf_pool_create(name, n, cache, 0, (uint16_t)room, SOCKET_ID_ANY);
	if (pool)
		dev->pools[dev->n_pools++] = pool;
	return pool;
}

static bool memory_take(struct port_dpdk *d)
{
	unsigned n_flat = d->dev->chains ? DPDK_DESCS - 1 : HEADERS;
	struct rte_mempool *payloads = pool_new(d->dev, 'p', SLOTS, 0, 0);

	d->headers = pool_new(d->dev, 'h', HEADERS, POOL_CACHE, DPDK_HEADER_ROOM);
	d->flat = pool_new(d->dev, 'f', n_flat, POOL_CACHE, DPDK_FLAT_ROOM);
	d->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	d->by_port = malloc(DPDK_BY_PORT * sizeof(*d->by_port));
	for (unsigned i = 0; d->by_port && i < DPDK_BY_PORT; i++)
		d->by_port[i] = DPDK_NO_BIND;
	return d->headers && d->flat && d->wake_fd >= 0 && d->by_port && payloads &&
	       dpdk_slots_init(&d->slots, payloads, SLOTS);
}

static struct port *queue_open(struct dpdk_device *dev, const struct port_dpdk_opts *o, unsigned q)
{
	struct port_dpdk *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->port.ops = &dpdk_ops;
	d->dev = dev;
	dev->ports++;
	d->queue = (uint16_t)q;
	d->arena = o->arena;
	d->mtu = o->mtu;
	d->vlan = o->vlan;
	d->eth_len = o->vlan ? DPDK_ETH : DPDK_ETH - 4;
	d->any_port = o->any_port;
	d->n_addr = o->n_addr;
	memcpy(d->addr, o->addr, sizeof(d->addr));
	ethernet_make(d->eth4, o, dev->mac, 0x0800);
	ethernet_make(d->eth6, o, dev->mac, 0x86dd);
	if (memory_take(d))
		return &d->port;
	dpdk_close(&d->port);
	return NULL;
}

int port_dpdk_open(
	const struct port_dpdk_opts *o, unsigned n, struct port **ports, char *err, size_t err_cap)
{
	struct dpdk_device *dev;
	unsigned open = 0;

	if (o->queues && o->queues != n) {
		snprintf(err, err_cap,
			"dpdk: queues=%u, but there are %u workers, of which each "
			"has one queue",
			o->queues, n);
		return -EINVAL;
	}
	dev = dpdk_device_open(o, n, err, err_cap);
	if (!dev)
		return -ENODEV;
	dev->ports = 1; // ours, until all of them are open
	for (; open < n; open++) {
		ports[open] = queue_open(dev, o, open);
		if (!ports[open])
			break;
	}
	if (open == n) {
		dev->ports--;
		return 0;
	}
	snprintf(err, err_cap, "dpdk: no memory for the mbufs of %s", dev->name);
	while (open--)
		ports[open]->ops->close(ports[open]);
	dpdk_device_close(dev);
	return -ENOMEM;
}

const char *port_dpdk_mode(const struct port *p)
{
	return ((const struct port_dpdk *)p)->dev->mode;
}
