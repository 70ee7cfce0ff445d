#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The frame arena: one region of memory, cut into 2 KiB-aligned chunks, with DPDK mbufs pinned onto
// it (decisions A1). A frame is an mbuf; its payload's offset is a field, never a constant.

#include <rte_mbuf.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_FRAME 2048u
#define ARENA_ROOM (ARENA_FRAME - RTE_PKTMBUF_HEADROOM) // bytes a fresh frame takes

static_assert(RTE_PKTMBUF_HEADROOM >= 64, "a subscriber's line fits in front of the payload");

struct arena;

// Start DPDK's EAL as decisions A20 says: hugepages when there are any, --no-huge otherwise; no
// shared configuration, no telemetry, no PCI. The caller's CPU affinity is restored. memory_mb (48
// or more) is what EAL and arenas take together: a quarter and 16 MB are EAL's, for mbufs, rings
// and tables, the rest is frames. Returns 0 or -errno, with one sentence in err. Once per process.
int arena_eal_start(unsigned memory_mb, char *err, size_t err_cap);
bool arena_eal_has_hugepages(void);

// How many frames the memory given to arena_eal_start has room for.
unsigned arena_frames_max(void);

// n_frames frames, and per-thread caches for registered EAL threads. NULL when memory is short.
struct arena *arena_new(const char *name, unsigned n_frames);
void arena_free(struct arena *a);

// The pool frames come from: rte_pktmbuf_alloc(), rte_pktmbuf_free().
struct rte_mempool *arena_pool(struct arena *a);

// mbufs without data room of their own, for followers that attach somebody else's payload. There
// are as many as frames. Take them by arena_clone(), free them by rte_pktmbuf_free().
struct rte_mempool *arena_clone_pool(struct arena *a);

// Nearly all frames are in use. A device that receives into them would soon find none: whoever
// keeps frames should let go of some.
bool arena_low(const struct arena *a);

// A frame with a copy of len bytes (at most ARENA_ROOM), or NULL when the arena is empty.
struct rte_mbuf *arena_copy(struct arena *a, const uint8_t *data, uint16_t len);

// A clone of the frame's payload: shares the bytes, not the reference count, so that two workers
// never write one cache line. The caller keeps the original alive for as long as the clone. NULL
// when there is no clone left.
struct rte_mbuf *arena_clone(struct arena *a, const struct rte_mbuf *frame);
