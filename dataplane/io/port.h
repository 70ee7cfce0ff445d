#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The seam between the packet path and the outside. A struct port is one worker's share of one
// port: its own sockets, queues and rings; no other thread calls it, except port_wake().
//
// It is descriptor-oriented: a fan-out is a list of payloads times a list of subscriber lines, and
// how a copy comes to be (iovecs and UDP_SEGMENT, header slots and descriptors, mbuf chains) is the
// port's business. Payload bytes stay untouched until port_tx_done() has passed the value that
// port_tx_posted() had after the fan-out; ports that copy at once return equal counters. Those that
// lend no frames are such: what they lend may be sent on in the same round.

#include "base/endpoint.h"
#include "base/ts.h"
#include "io/line.h"

#include <stdbool.h>
#include <stdint.h>

struct port;
struct rte_mbuf;

#define PORT_BURST 64u	// most packets of one rx_burst
#define PORT_BUNDLE 16u // most payloads of one tx_fanout or tx_private
#define PORT_ROOM 96u	// Ethernet with a VLAN tag, and a line

// A received datagram. frame != NULL: an arena frame that the receiver now owns, data points into
// it. Otherwise data is borrowed until the next rx_burst on this port.
struct port_rx {
	const uint8_t *data; // UDP payload
	struct rte_mbuf *frame;
	uint16_t len;
	uint16_t tag; // of the socket it came in on (port_add)
	struct endpoint peer, local;
	ts_us arrival;
};

// One packet of a stream, to be sent to many. The stream's own numbers: a line adds its deltas.
struct port_payload {
	const uint8_t *data;
	uint16_t len;
	uint32_t sum;	// line_sum(data, len) where the port asked for it (want_sum), else 0
	uint32_t seq;	// stream sequence number, low 32 bits of the extended one
	uint32_t word1; // SRT word 1 without KK: PB, R, message number
	uint32_t ts;	// stream time: microseconds for SRT, 90 kHz for RTP
};

struct port_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t rx_overflow;  // dropped by the kernel before we read them (SO_RXQ_OVFL)
	uint64_t rx_truncated; // larger than a staging buffer or a frame
	uint64_t rx_bad_header, rx_bad_csum, rx_not_ours; // ports without a kernel below them
	uint64_t tx_full;  // socket buffer or ring full: copy not sent
	uint64_t tx_error; // refused by the kernel: unreachable, message too long, ...
	uint64_t bundles;  // UDP_SEGMENT messages, for the mean bundle size
};

// A destination the kernel would not take copies for, so that its session can be closed with a
// reason, EMSGSIZE says that the path to it is too narrow (decisions A23), or its operator be told.
struct port_tx_error {
	struct endpoint local, peer; // as on the line ...
	uint32_t ifindex;	     // ... with these three it is one destination
	int error;		     // errno
	uint32_t packets;	     // refused since it was told the last time
	uint64_t bytes;		     // of their payloads
};

struct port_ops {
	const char *kind; // "sock", "mem", "dpdk"
	bool want_sum;
	bool lends_frames; // rx_burst yields frames of the arena: leave it some
	bool all_acks;	   // nothing has thinned the ACKs that come in (decisions A14)

	// Up to PORT_BURST packets into rx; returns how many. Releases what the last call lent.
	unsigned (*rx_burst)(struct port *p, struct port_rx *rx, unsigned n);

	// Send each of n_pl payloads (at most PORT_BUNDLE, in order) to each of n_lines lines,
	// subscriber by subscriber. Returns the copies sent or queued; the rest are counted as
	// tx_full or tx_error.
	unsigned (*tx_fanout)(struct port *p, enum line_kind kind, const struct port_payload *pl,
		unsigned n_pl, const struct line *lines, unsigned n_lines);

	// The same with payloads of its own for each line, for copies under a key of their own:
	// line i gets pl[i * n_pl .. i * n_pl + n_pl), n_pl being at most PORT_BUNDLE. Payload k is
	// as long for every line. The PORT_ROOM bytes in front of each are the port's, for headers.
	unsigned (*tx_private)(struct port *p, enum line_kind kind, const struct port_payload *pl,
		unsigned n_pl, const struct line *lines, unsigned n_lines);

	// Send one datagram of our own (handshake, ACK, NAK): data is the whole UDP payload,
	// of which the line gives only the addresses. Bytes are copied. Returns 0 or -errno.
	int (*send)(struct port *p, const struct line *to, const uint8_t *data, uint16_t len);

	// Fill in the address, or the port, that packets to peer leave from where local has none.
	// NULL: the kernel chooses.
	void (*source)(const struct port *p, const struct endpoint *peer, struct endpoint *local);

	// Push out what send and tx_fanout have queued.
	void (*flush)(struct port *p);

	// Wait until something can be read, port_wake() was called, or timeout_us have passed.
	void (*wait)(struct port *p, uint32_t timeout_us);

	// Wake a waiting worker. The one call that other threads may make.
	void (*wake)(struct port *p);

	uint64_t (*tx_posted)(const struct port *p);
	uint64_t (*tx_done)(struct port *p);

	// Start, or stop, serving a socket opened by the control thread (port_sock_listen, ...).
	// The port owns the fd from add on. tag comes back in port_rx. Returns 0 or -errno.
	int (*add)(struct port *p, int fd, uint16_t tag);
	void (*del)(struct port *p, uint16_t tag);

	void (*stats)(const struct port *p, struct port_stats *out);

	// Up to n of the latest refused destinations, oldest first, each told once; returns how
	// many.
	unsigned (*tx_errors)(struct port *p, struct port_tx_error *out, unsigned n);

	void (*close)(struct port *p);
};

struct port {
	const struct port_ops *ops;
};

// Is it the one that a line with these addresses goes to? One group behind two interfaces, or from
// two sources, is two.
static inline bool port_tx_error_is(const struct port_tx_error *e, const struct line_udp *u)
{
	return e->ifindex == u->ifindex && endpoint_eq(&e->peer, &u->peer) &&
	       endpoint_eq(&e->local, &u->local);
}

static inline unsigned port_rx_burst(struct port *p, struct port_rx *rx, unsigned n)
{
	return p->ops->rx_burst(p, rx, n);
}

static inline unsigned port_tx_fanout(struct port *p, enum line_kind kind,
	const struct port_payload *pl, unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	return p->ops->tx_fanout(p, kind, pl, n_pl, lines, n_lines);
}

static inline unsigned port_tx_private(struct port *p, enum line_kind kind,
	const struct port_payload *pl, unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	return p->ops->tx_private(p, kind, pl, n_pl, lines, n_lines);
}

static inline int port_send(
	struct port *p, const struct line *to, const uint8_t *data, uint16_t len)
{
	return p->ops->send(p, to, data, len);
}

static inline void port_source(
	const struct port *p, const struct endpoint *peer, struct endpoint *local)
{
	if (p->ops->source)
		p->ops->source(p, peer, local);
}
