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

struct arena;

// Start DPDK's EAL as decisions A20 says: hugepages when there are any, --no-huge otherwise; no
// shared configuration, no telemetry, no PCI. The caller's CPU affinity is restored. memory_mb is
// the EAL's whole memory. Returns 0 or -errno, with one sentence in err.
int arena_eal_start(unsigned memory_mb, char *err, size_t err_cap);
bool arena_eal_has_hugepages(void);

// n_frames frames, and per-thread caches for registered EAL threads. NULL when memory is short.
struct arena *arena_new(const char *name, unsigned n_frames);
void arena_free(struct arena *a);

// The pool frames come from: rte_pktmbuf_alloc(), rte_pktmbuf_free().
struct rte_mempool *arena_pool(struct arena *a);

// mbufs without data room of their own, for followers that attach somebody else's payload.
struct rte_mempool *arena_clone_pool(struct arena *a);

// A frame with a copy of len bytes (at most ARENA_FRAME), or NULL when the arena is empty.
struct rte_mbuf *arena_copy(struct arena *a, const uint8_t *data, uint16_t len);

// A clone of the frame's payload: shares the bytes, not the reference count, so that two workers
// never write one cache line. The caller keeps the original alive for as long as the clone.
struct rte_mbuf *arena_clone(struct arena *a, const struct rte_mbuf *frame);
