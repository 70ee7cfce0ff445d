#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// UDP sockets under one epoll: received in bursts (recvmmsg, UDP_GRO), sent in bursts (sendmmsg),
// optionally through a path that loses, repeats, delays and reorders, seeded.

#include "base/endpoint.h"
#include "base/rand.h"
#include "base/ts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	NET_BATCH = 64,
	NET_DATAGRAM = 1500,
	NET_HELD_MAX = 65536, // datagrams under way on the impaired path
};

struct net_sock {
	int fd;
	uint32_t index;
	uint32_t overflow; // SO_RXQ_OVFL: lost by the kernel, in all
};

struct net_opts {
	double loss, reorder, dup; // percent
	uint32_t delay_ms, reorder_ms;
	uint64_t seed;
	uint32_t rcvbuf;
};

struct net_stats {
	uint64_t rx, tx, tx_refused, lost, repeated, held, held_full;
};

typedef void (*net_rx_fn)(
	void *arg, struct net_sock *s, ts_us now, const uint8_t *data, size_t len);

struct held;

struct net {
	struct net_opts opts;
	bool impaired;
	struct rand rand;
	int epoll;
	net_rx_fn on_rx;
	void *arg;
	struct net_sock *socks;
	uint32_t n_socks;
	struct net_stats stats;
	// outgoing burst, all of one socket
	struct net_sock *tx_sock;
	unsigned tx_n;
	struct mmsghdr tx_msgs[NET_BATCH];
	struct iovec tx_iov[NET_BATCH];
	struct sockaddr_storage tx_to[NET_BATCH];
	uint8_t tx_data[NET_BATCH][NET_DATAGRAM];
	// impaired path: a heap by due time
	struct held **held;
	uint32_t n_held;
	uint64_t held_order;
};

// on_rx: called for each datagram with arg. Returns 0 or -errno.
int net_init(struct net *n, const struct net_opts *o, net_rx_fn on_rx, void *arg);
void net_fini(struct net *n);

// Open `count` sockets connected to `to`. Returns 0, or -errno and a sentence.
int net_connect(struct net *n, const struct endpoint *to, uint32_t count, char *err, size_t cap);

struct net_bind {
	struct endpoint at;	// group: joined
	struct endpoint source; // source-specific; all zero: any
	const char *iface;	// to join on; NULL: routing decides
};

// Open `count` sockets bound to b->at and the ports behind it.
int net_bind(struct net *n, const struct net_bind *b, uint32_t count, char *err, size_t cap);

// One socket for sending anywhere (net_send with `to`); 0 leaves ttl and dscp to the kernel.
int net_open(struct net *n, const struct endpoint *to, uint8_t ttl, uint8_t dscp, const char *iface,
	char *err, size_t cap);

// Queue a datagram; to: NULL on connected sockets.
void net_send(struct net *n, ts_us now, struct net_sock *s, const struct endpoint *to,
	const uint8_t *data, size_t len);
void net_flush(struct net *n);

// Wait until `until` at most, then hand over what has come, in bounded bursts.
void net_wait(struct net *n, ts_us now, ts_us until);
// Carry on what the impaired path has held long enough.
void net_release(struct net *n, ts_us now);

uint64_t net_overflow(const struct net *n);
