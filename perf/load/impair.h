#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The impaired path, at both edges of this program: each datagram may be lost, come twice, or be
// held back, as the seed says.

#include "load/net.h"

void impair_out(struct net *n, ts_us now, struct net_sock *s, const struct endpoint *to,
	const uint8_t *data, size_t len);
void impair_in(struct net *n, ts_us now, struct net_sock *s, const uint8_t *data, size_t len);
void impair_release(struct net *n, ts_us now);
ts_us impair_next(const struct net *n); // when the next one is due; TS_NEVER: none
void impair_fini(struct net *n);

// The clean path, which is where the impaired one ends (net.c).
void net_out(struct net *n, struct net_sock *s, const struct endpoint *to, const uint8_t *data,
	size_t len);
void net_in(struct net *n, struct net_sock *s, ts_us now, const uint8_t *data, size_t len);
