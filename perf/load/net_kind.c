// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Which kinds of ports there are, beside the kernel's sockets.

#include "io/arena.h"
#include "io/port_dpdk.h"
#include "io/port_mem.h"
#include "load/net_back.h"
#include "load/net_port.h"

#include <rte_ethdev.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	MEM_RING = 4096,
	MEMORY_MB = 128, // DPDK's, and frames: a device's rings hold a few thousand
	LINK_WITHIN = 10 * TS_S,
	LINK_LOOK = 1000, // microseconds
};

static int take_mem(struct net *n)
{
	struct endpoint local = endpoint_of_v4(0x7f000001, 0);
	struct port *port = port_mem_open(MEM_RING);

	return port ? net_port_take(n, port, NULL, &local) : -ENOMEM;
}

static bool is_linked(const char *device)
{
	struct rte_eth_link link = {0};
	char name[RTE_ETH_NAME_MAX_LEN];
	uint16_t id;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	return !rte_eth_dev_get_port_by_name(name, &id) && !rte_eth_link_get_nowait(id, &link) &&
	       link.link_status;
}

// What is sent before the other end is there is lost. (Of a memif's two ends the client hands out
// the buffers, at its first look for packets: the loop looks before it sends.)
static int wait_link(struct port *port, const char *device, char *err, size_t cap)
{
	ts_us end = ts_now() + LINK_WITHIN;

	while (!is_linked(device)) {
		if (ts_now() > end) {
			snprintf(err, cap, "nobody is at the other end of %s", device);
			return -ENOLINK;
		}
		port->ops->wait(port, LINK_LOOK);
	}
	return 0;
}

static int open_dpdk(struct net *n, struct port_dpdk_opts *o, char *err, size_t cap)
{
	struct port *port;
	int rc;

	o->any_port = true;
	o->arena = arena_new("load", arena_frames_max());
	if (!o->arena)
		return -ENOMEM;
	rc = port_dpdk_open(o, 1, &port, err, cap);
	if (rc) {
		arena_free(o->arena);
		return rc;
	}
	rc = net_port_take(n, port, o->arena, &o->addr[0]);
	return rc ? rc : wait_link(port, o->device, err, cap);
}

static int take_dpdk(struct net *n, const char *spec, char *err, size_t cap)
{
	struct port_dpdk_opts o = {0};
	int rc = port_dpdk_parse(spec, &o, err, cap);

	if (!rc)
		rc = arena_eal_start(MEMORY_MB, err, cap);
	return rc ? rc : open_dpdk(n, &o, err, cap);
}

int net_port_init(struct net *n, char *err, size_t cap)
{
	const char *port = n->opts.port;

	if (!strcmp(port, "mem"))
		return take_mem(n);
	if (!strncmp(port, "dpdk:", 5))
		return take_dpdk(n, port + 5, err, cap);
	snprintf(err, cap, "--port '%s': there are sock, mem and dpdk:DEVICE", port);
	return -EINVAL;
}
