// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "io/arena_eal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define POOL_CACHE 256u
#define REGION_ALIGN ((size_t)2 << 20) // of a hugepage, so that the kernel may use them
#define IOVA(addr) ((rte_iova_t)(uintptr_t)(addr))

#ifdef __SANITIZE_ADDRESS__
#define ARENA_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_MALLOC 1
#endif
#endif

struct arena {
	struct rte_mempool *pool, *clones;
	void *region;
	size_t region_len;
};

#ifdef ARENA_MALLOC
// AddressSanitizer watches malloc's edges, not those of a mapping.
static void *region_map(size_t len)
{
	return aligned_alloc(REGION_ALIGN, len);
}

static void region_unmap(void *region, size_t len)
{
	free(region);
}
#else
static void *map_huge(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
		-1, 0);

	return p == MAP_FAILED ? NULL : p;
}

// Hugepages, else ordinary pages at a hugepage's boundary that the kernel may make huge later.
static void *region_map(size_t len)
{
	void *huge = arena_eal_has_hugepages() ? map_huge(len) : NULL;
	uint8_t *p, *at;

	if (huge)
		return huge;
	p = mmap(NULL, len + REGION_ALIGN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0);
	if (p == MAP_FAILED)
		return NULL;
	at = (uint8_t *)(((uintptr_t)p + REGION_ALIGN - 1) & ~(uintptr_t)(REGION_ALIGN - 1));
	if (at > p)
		munmap(p, (size_t)(at - p));
	if (at + len < p + len + REGION_ALIGN)
		munmap(at + len, (size_t)(p + REGION_ALIGN - at));
	madvise(at, len, MADV_HUGEPAGE);
	return at;
}

static void region_unmap(void *region, size_t len)
{
	munmap(region, len);
}
#endif

static bool pools_make(struct arena *a, const char *name, unsigned n_frames)
{
	struct rte_pktmbuf_extmem mem = {.buf_ptr = a->region,
		.buf_iova = IOVA(a->region),
		.buf_len = a->region_len,
		.elt_size = ARENA_FRAME};
	unsigned cache = n_frames / 4 < POOL_CACHE ? n_frames / 4 : POOL_CACHE;
	char clones[RTE_MEMPOOL_NAMESIZE];

	snprintf(clones, sizeof(clones), "%s.c", name);
	a->pool = rte_pktmbuf_pool_create_extbuf(
		name, n_frames, cache, 0, ARENA_FRAME, SOCKET_ID_ANY, &mem, 1);
	a->clones = rte_pktmbuf_pool_create(clones, n_frames, cache, 0, 0, SOCKET_ID_ANY);
	return a->pool && a->clones;
}

struct arena *arena_new(const char *name, unsigned n_frames)
{
	struct arena *a = calloc(1, sizeof(*a));
	size_t len = (size_t)n_frames * ARENA_FRAME;

	len = (len + REGION_ALIGN - 1) & ~(REGION_ALIGN - 1);
	if (!a || !n_frames || !arena_eal_take(len)) {
		free(a);
		return NULL;
	}
	a->region_len = len;
	a->region = region_map(len);
	if (!a->region || !pools_make(a, name, n_frames)) {
		arena_free(a);
		return NULL;
	}
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	rte_mempool_free(a->clones);
	rte_mempool_free(a->pool);
	if (a->region)
		region_unmap(a->region, a->region_len);
	arena_eal_give(a->region_len);
	free(a);
}

struct rte_mempool *arena_pool(struct arena *a)
{
	return a->pool;
}

struct rte_mempool *arena_clone_pool(struct arena *a)
{
	return a->clones;
}

bool arena_low(const struct arena *a)
{
	unsigned low = a->pool->size / 8 < 2 * POOL_CACHE ? a->pool->size / 8 : 2 * POOL_CACHE;

	return rte_mempool_get_ops(a->pool->ops_index)->get_count(a->pool) < low;
}

struct rte_mbuf *arena_copy(struct arena *a, const uint8_t *data, uint16_t len)
{
	struct rte_mbuf *m = len <= ARENA_ROOM ? rte_pktmbuf_alloc(a->pool) : NULL;

	if (!m)
		return NULL;
	memcpy(rte_pktmbuf_mtod(m, void *), data, len);
	m->data_len = len;
	m->pkt_len = len;
	return m;
}

// The clone stays a direct mbuf whose buffer happens to be the original's: freeing it puts it back
// into its own pool and touches nothing else. What buf_addr says afterwards is of no use to
// anybody, for the next arena_clone() sets it anew.
struct rte_mbuf *arena_clone(struct arena *a, const struct rte_mbuf *frame)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(a->clones);

	if (!m)
		return NULL;
	m->buf_addr = frame->buf_addr;
	m->buf_iova = frame->buf_iova;
	m->buf_len = frame->buf_len;
	m->data_off = frame->data_off;
	m->data_len = frame->data_len;
	m->pkt_len = frame->data_len;
	return m;
}
