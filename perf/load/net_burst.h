#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Kernel sockets under one epoll, in bursts: recvmmsg of UDP_GRO bundles, sendmmsg.

#include "load/net.h"

struct burst;

struct burst *burst_new(void); // NULL: no memory, or no epoll
void burst_free(struct burst *b);
int burst_watch(struct burst *b, const struct net_sock *s); // 0 or -errno

void burst_out(struct net *n, struct net_sock *s, const struct endpoint *to, const uint8_t *data,
	size_t len);
void burst_flush(struct net *n);
void burst_wait(struct net *n, uint32_t timeout_us);
