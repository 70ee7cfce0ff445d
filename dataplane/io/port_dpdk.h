#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Port `dpdk`: Ethernet devices driven by DPDK, of which this version takes the virtual ones
// (net_null, net_ring, net_memif, net_tap). A copy is a header mbuf, with the subscriber's rendered
// line in it, chained to the shared payload (packet-io 5); where a device takes no chains it is
// copied into one mbuf. What is received comes in frames of the arena.
//
// There is no exception path: a device has one peer, whose MAC address is told or is broadcast, and
// the addresses that `addr=` names are ours.

#include "base/endpoint.h"
#include "io/port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct port_sock_source;

#define PORT_DPDK_ADDRS 8u
#define PORT_DPDK_QUEUES 64u

struct port_dpdk_opts {
	char device[256]; // a vdev and its own arguments: "net_memif0,role=client"
	char name[32];	  // as shown by status
	struct endpoint addr[PORT_DPDK_ADDRS]; // ours; ports are unused
	unsigned n_addr;
	unsigned queues;     // asked for, 0: one per worker
	uint8_t peer[6];     // MAC address of the next hop
	uint16_t mtu;	     // of IP packets, bytes
	uint16_t vlan;	     // 0: untagged
	bool copied;	     // no chains, though the device takes them: to see what they bring
	bool any_port;	     // rx_burst yields all UDP to our addresses, with tag 0, and not only
			     // what add() has named
	struct arena *arena; // that frames are received into
};

// Parse "DEVICE[,k=v].." as it stands behind "dpdk:". Ours are name= queues= addr= (also several
// times) peer= mtu= vlan= layout=copied, everything else is the device's. The arena is left to the
// caller. Returns 0, or -EINVAL and a sentence in err.
int port_dpdk_parse(const char *spec, struct port_dpdk_opts *o, char *err, size_t err_cap);

// Start the device with n queues, each of which becomes one worker's port; after
// arena_eal_start(). Returns 0, or -errno and a sentence in err. The device ends with the last
// port.
int port_dpdk_open(
	const struct port_dpdk_opts *o, unsigned n, struct port **ports, char *err, size_t err_cap);

// "net_null, chained": the driver, and what a copy is made of ("copied": one mbuf).
const char *port_dpdk_mode(const struct port *p);

// Give the device what is queued, without waiting for it. False: it has not taken all of that, and
// more would have to wait.
bool port_dpdk_room(struct port *p);

// Kernel sockets that stand for a port number on our addresses, so that no stranger takes it
// (decisions A18) and add() knows what to serve: they let nothing in. An address need not be one of
// the kernel's. As port_sock_listen() and port_sock_bind(), for a source's group as well; close()
// the fds that no port has taken.
int port_dpdk_listen(
	const struct endpoint *local, unsigned n_workers, int *fds, char *err, size_t err_cap);
int port_dpdk_bind(const struct port_sock_source *s, char *err, size_t err_cap);
