#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What carries datagrams below struct net: kernel sockets (net_sock, net_burst) or a port of the
// dataplane (net_port). Meanings as of the functions of the same names in net.h.

#include "load/net.h"

struct net_back {
	int (*connect)(struct net *n, const struct endpoint *to, uint32_t count);
	int (*bind)(struct net *n, const struct net_bind *b, const struct endpoint *at);
	int (*open)(struct net *n, const struct endpoint *to, const struct net_via *via);
	void (*out)(struct net *n, struct net_sock *s, const struct endpoint *to,
		const uint8_t *data, size_t len);
	void (*flush)(struct net *n);
	bool (*room)(struct net *n);			  // NULL: always
	void (*wait)(struct net *n, uint32_t timeout_us); // and take what has come
	void (*fini)(struct net *n);
};

// Give n its backend. 0, or -errno and a sentence.
int net_sock_init(struct net *n, char *err, size_t cap);
int net_port_init(struct net *n, char *err, size_t cap);

// A datagram came in, by the impaired path if there is one.
void net_arrived(struct net *n, struct net_sock *s, ts_us now, const uint8_t *data, size_t len);
// A further socket: the place for it.
struct net_sock *net_add(struct net *n);
