#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Port `mem`: a descriptor ring in memory, as a NIC with zero-copy transmit would have, for tests
// and benches. A copy is a rendered 64-byte header slot and a reference to the shared payload;
// completions are FIFO and can be held back to prove that payloads are not reused too early.

#include "io/port.h"

struct port_mem_desc {
	const uint8_t *header; // 64 bytes, a line rendered for this copy
	const uint8_t *payload;
	uint16_t payload_len;
	enum line_kind kind;
};

// A ring of n_desc (power of two) transmit descriptors and header slots.
struct port *port_mem_open(unsigned n_desc);

// Completions: off = finish as soon as posted (default); on = only by port_mem_complete().
void port_mem_defer(struct port *p, bool on);
void port_mem_complete(struct port *p, uint64_t n);

// What was sent, oldest first; returns how many it copied out, and forgets them.
unsigned port_mem_take(struct port *p, struct port_mem_desc *out, unsigned n);

// Feed a datagram to the next rx_burst (bytes are copied). Returns 0 or -ENOBUFS.
int port_mem_inject(struct port *p, const struct endpoint *peer, const struct endpoint *local,
	uint16_t tag, const uint8_t *data, uint16_t len);

// Time stamped on received packets; the caller's virtual clock.
void port_mem_set_time(struct port *p, ts_us now);

// A narrow path: IP packets of more than mtu bytes to this peer are refused with EMSGSIZE, and told
// by tx_errors. One peer at a time; mtu 0 takes it back.
void port_mem_narrow(struct port *p, const struct endpoint *peer, uint16_t mtu);

// An interface that is down: what leaves by it is refused with this error, and told likewise. Error
// 0 takes it back.
void port_mem_down(struct port *p, uint32_t ifindex, int error);
