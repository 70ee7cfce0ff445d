#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The ceiling of port dpdk: packets of one mbuf each, allocated and given to net_null, with nothing
// written into them, as DPDK's testpmd does in its mode txonly.

#ifdef __cplusplus
extern "C" {
#endif

#define TXONLY_BURST 32u

struct txonly_bed;

// After EAL's start. NULL: no device.
struct txonly_bed *txonly_bed_new(void);
void txonly_bed_free(struct txonly_bed *b);
unsigned txonly_bed_burst(struct txonly_bed *b); // packets sent

#ifdef __cplusplus
}
#endif
