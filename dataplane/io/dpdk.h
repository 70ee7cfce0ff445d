#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The inside of port `dpdk`, shared by its files:
//
//   dpdk_opts     the text behind "dpdk:"
//   dpdk_device   create, configure and end a device (control thread)
//   dpdk_bind     kernel sockets that hold our port numbers
//   dpdk_parse    Ethernet, IP and UDP of what came in
//   dpdk_rx       received packets, and waiting for them
//   dpdk_slots    mbufs of payloads
//   dpdk_tx       fan-out and own datagrams
//   port_dpdk     puts them together

#include "io/port.h"
#include "io/port_dpdk.h"

#include <rte_mbuf.h>

#include <stdatomic.h>

#define DPDK_BURST 32u
#define DPDK_DESCS 1024u // of a queue
#define DPDK_ETH 18u	 // Ethernet header with VLAN tag
#define DPDK_NO_BIND (-1)
#define DPDK_BY_PORT 65536u

// The line of a copy stands this far into a header mbuf: an IPv6 line needs room for Ethernet in
// front of it.
#define DPDK_LINE 64u
#define DPDK_HEADER_ROOM (DPDK_LINE + WIRE_LINE)
#define DPDK_FLAT_ROOM 2048u

struct dpdk_device {
	uint16_t id;
	bool chains;	// takes chained mbufs
	bool ours;	// created by us, so that we end it
	unsigned ports; // still open
	uint8_t mac[6];
	char name[64], mode[64];
	struct rte_mempool *pools[3 * PORT_DPDK_QUEUES]; // of its ports, to be freed with it
	unsigned n_pools;
};

// Payload mbufs, in the order in which they were handed out. Each is attached to the bytes of one
// payload and referenced by its copies and by us: when ours is the last one, the device has done
// with it. So no count of copies is kept, and a payload mbuf never goes back to its pool.
struct dpdk_slots {
	struct rte_mbuf **m;
	unsigned mask;
	uint64_t posted, done;
};

// A UDP port that is served.
struct dpdk_bind {
	int fd; // negative: free slot
	uint16_t tag;
	int16_t next; // slot on the same port
	struct endpoint local;
	bool any;
};

struct port_dpdk {
	struct port port;
	struct dpdk_device *dev;
	struct arena *arena;
	uint16_t queue, mtu, vlan;
	uint8_t eth_len;			// 14, or 18 with a VLAN tag
	uint8_t eth4[DPDK_ETH], eth6[DPDK_ETH]; // right aligned: what stands in front of IP
	bool any_port;
	unsigned n_addr;
	struct endpoint addr[PORT_DPDK_ADDRS];

	struct rte_mempool *headers, *flat;
	struct dpdk_slots slots;
	struct rte_mbuf *stash[DPDK_BURST]; // headers to be used next
	unsigned n_stash;
	struct rte_mbuf *queued[DPDK_BURST]; // copies to be sent next
	unsigned n_queued;
	bool stalled; // the device takes nothing: do not wait for it

	struct dpdk_bind *binds;
	unsigned n_binds;
	int16_t *by_port;
	ts_us rx_at; // when something last came in
	int wake_fd;
	_Atomic bool asleep;
	struct port_stats st;
};

static inline struct port_dpdk *dpdk_self(struct port *p)
{
	return (struct port_dpdk *)p;
}

// --- dpdk_device ----------------------------------------------------------------------------

// n queues, with what is received in frames of the arena. NULL and a sentence.
struct dpdk_device *dpdk_device_open(
	const struct port_dpdk_opts *o, unsigned n, char *err, size_t err_cap);
void dpdk_device_close(struct dpdk_device *dev);

// --- dpdk_parse -----------------------------------------------------------------------------

enum dpdk_parsed { DPDK_UDP, DPDK_BAD_HEADER, DPDK_BAD_CSUM, DPDK_NOT_OURS };

// A frame of len bytes. DPDK_UDP: data, len, peer and local of rx are filled in; nobody has looked
// yet whose they are. `good`: the device has verified the checksums.
enum dpdk_parsed dpdk_parse(
	const uint8_t *frame, unsigned len, uint16_t vlan, bool good, struct port_rx *rx);

// --- dpdk_rx --------------------------------------------------------------------------------

unsigned dpdk_rx_burst(struct port *p, struct port_rx *rx, unsigned n);
void dpdk_rx_wait(struct port *p, uint32_t timeout_us);
void dpdk_rx_wake(struct port *p);
int dpdk_rx_add(struct port *p, int fd, uint16_t tag);
void dpdk_rx_del(struct port *p, uint16_t tag);

// --- dpdk_slots -----------------------------------------------------------------------------

// n (power of two) payload mbufs out of the pool.
bool dpdk_slots_init(struct dpdk_slots *s, struct rte_mempool *pool, unsigned n);
void dpdk_slots_fini(struct dpdk_slots *s);
// Forget those that the device has done with, oldest first; returns s->done.
uint64_t dpdk_slots_reclaim(struct dpdk_slots *s);

// An mbuf over len bytes, with `refs` references for its copies. NULL: all are in use.
static inline struct rte_mbuf *dpdk_slots_take(
	struct dpdk_slots *s, const uint8_t *data, uint16_t len, uint16_t refs)
{
	struct rte_mbuf *m;

	if (__builtin_expect(s->posted - s->done > s->mask, 0) &&
		s->posted - dpdk_slots_reclaim(s) > s->mask)
		return NULL;
	m = s->m[s->posted++ & s->mask];
	m->buf_addr = (void *)(uintptr_t)data;
	m->buf_iova = (rte_iova_t)(uintptr_t)data;
	m->data_len = len;
	m->pkt_len = len;
	rte_mbuf_refcnt_set(m, (uint16_t)(refs + 1));
	return m;
}

// --- dpdk_tx --------------------------------------------------------------------------------

unsigned dpdk_tx_fanout(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines);
unsigned dpdk_tx_private(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines);
int dpdk_tx_send(struct port *p, const struct line *to, const uint8_t *data, uint16_t len);
void dpdk_tx_flush(struct port *p);
uint64_t dpdk_tx_posted(const struct port *p);
uint64_t dpdk_tx_done(struct port *p);
