#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// UDP sockets, of the kernel or on a port of the dataplane: received and sent in bursts, optionally
// through a path that loses, repeats, delays and reorders, seeded.

#include "base/endpoint.h"
#include "base/rand.h"
#include "base/ts.h"
#include "io/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NET_DATAGRAM = 1500,
	NET_HELD_MAX = 65536, // datagrams under way on the impaired path
};

struct net_sock {
	uint32_t index;
	uint32_t overflow; // SO_RXQ_OVFL: lost by the kernel, in all
	int fd;		   // of the kernel's
	struct line to;	   // on a port: where it is connected to
	struct endpoint local;
};

struct net_opts {
	const char *port;	   // KIND[:DEVICE][,k=v]..; NULL: kernel sockets
	double loss, reorder, dup; // percent
	uint32_t delay_ms, reorder_ms;
	uint64_t seed;
	uint32_t rcvbuf;
};

struct net_stats {
	uint64_t rx, rx_messages; // on kernel sockets one message may hold a bundle
	uint64_t tx, tx_refused, lost, repeated, held, held_full, stray;
};

typedef void (*net_rx_fn)(
	void *arg, struct net_sock *s, ts_us now, const uint8_t *data, size_t len);

// What a whole burst will touch, before any of it is handed over: stage 0 for all of them, then
// stage 1. To be prefetched.
typedef void (*net_peek_fn)(void *arg, const uint8_t *data, size_t len, unsigned stage);

struct held;
struct net_back;

struct net {
	struct net_opts opts;
	const struct net_back *back;
	void *state; // the backend's
	net_rx_fn on_rx;
	net_peek_fn peek; // NULL: nothing
	void *arg;
	struct net_sock *socks;
	uint32_t n_socks;
	struct net_stats stats;
	// impaired path: a heap by due time
	bool impaired;
	struct rand rand;
	struct held **held;
	uint32_t n_held;
	uint64_t held_order;
};

// on_rx: called for each datagram with arg. Returns 0, or -errno and a sentence.
int net_init(
	struct net *n, const struct net_opts *o, net_rx_fn on_rx, void *arg, char *err, size_t cap);
void net_fini(struct net *n);

// Each run opens sockets once, by one of these three. They return 0, or -errno and a sentence.

// `count` sockets connected to `to`.
int net_connect(struct net *n, const struct endpoint *to, uint32_t count, char *err, size_t cap);

struct net_bind {
	struct endpoint at;	// group: joined
	struct endpoint source; // source-specific; all zero: any
	const char *iface;	// to join on; NULL: routing decides
};

// `count` sockets bound to b->at and the ports behind it.
int net_bind(struct net *n, const struct net_bind *b, uint32_t count, char *err, size_t cap);

struct net_via {
	uint8_t ttl, dscp; // 0: as the kernel likes
	const char *iface; // NULL: routing decides
};

// One socket for sending anywhere (net_send with `to`), of the family of `to`.
int net_open(
	struct net *n, const struct endpoint *to, const struct net_via *via, char *err, size_t cap);

// Queue a datagram; to: NULL on connected sockets.
void net_send(struct net *n, ts_us now, struct net_sock *s, const struct endpoint *to,
	const uint8_t *data, size_t len);
void net_flush(struct net *n);
// False: what is sent now waits for the other end, which may be waiting for us to read. A bad path
// has room for all.
bool net_room(struct net *n);

// Wait until `until` at most, then hand over what has come, in bounded bursts.
void net_wait(struct net *n, ts_us now, ts_us until);
// Carry on what the impaired path has held long enough.
void net_release(struct net *n, ts_us now);

uint64_t net_overflow(const struct net *n);
