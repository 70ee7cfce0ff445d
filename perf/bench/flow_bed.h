#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A worker's table of N SRT sessions, and a batch of packets for them, to time the stage that finds
// a packet's session.

#include "base/endpoint.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FLOW_BATCH 64u

struct flow_bed;

struct flow_bed *flow_bed_new(unsigned n_sessions);
void flow_bed_free(struct flow_bed *b);

// Where session i calls from, and its socket id.
struct endpoint flow_bed_peer(unsigned i);
uint32_t flow_bed_id(const struct flow_bed *b, unsigned i);

// Packet `at` of the batch comes from session i.
void flow_bed_packet(struct flow_bed *b, unsigned at, unsigned i);
// The stage, with a whole batch; returns how many packets have found their session.
unsigned flow_bed_steer(struct flow_bed *b);

#ifdef __cplusplus
}
#endif
