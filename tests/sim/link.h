#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One direction of a path: loses, delays, reorders, doubles and paces datagrams. All chance comes
// from a seed.

#include "base/rand.h"
#include "base/ts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINK_DATAGRAM = 1500 };

struct link_cfg {
	uint32_t delay_us, jitter_us;		 // jitter is added, uniform, and keeps the order
	uint32_t loss_ppm, reorder_ppm, dup_ppm; // per million
	uint32_t reorder_us;			 // a reordered one comes later by up to this
	uint32_t rate;				 // bytes/s, 0: no limit
	uint32_t queue_us;			 // with a rate: what would wait longer is lost
};

struct link_pkt;
struct link_slot;

struct link {
	struct link_cfg cfg;
	struct rand rand;
	ts_us free_at;	 // when the last datagram has left a paced link
	ts_us newest_at; // arrival of the last one that was not reordered
	uint64_t order;
	struct link_pkt *heap;	 // on their way, by arrival
	struct link_slot *slots; // their bytes
	size_t n, cap;
	uint32_t free_slot;
	uint64_t sent, lost, doubled;
};

void link_init(struct link *l, const struct link_cfg *cfg, uint64_t seed);
void link_fini(struct link *l);
void link_send(struct link *l, ts_us now, const uint8_t *data, size_t len);
// Take what has arrived: its length, 0 when there is nothing yet.
size_t link_recv(struct link *l, ts_us now, uint8_t out[LINK_DATAGRAM]);
ts_us link_expiry(const struct link *l);
