// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "path/path.h"

#include <rte_common.h>
#include <rte_mbuf.h>

#include <assert.h>

// Frames that nothing refers to any more, but that the port may still read for copies it has queued
// (port.h: posted, done). They wait in the order in which they came, and so in that of `posted`.

// Each is a frame or a clone of the arena, and none is here twice: so places for all of both are
// enough, however long the port takes.
bool retire_init(struct path *p, struct path_regions *mem)
{
	uint32_t most = arena_pool(p->arena)->size + arena_clone_pool(p->arena)->size;
	uint32_t n = rte_align32pow2(most);

	p->retired = (struct path_retired){
		.all = path_region(mem, n, sizeof(*p->retired.all)), .mask = n - 1};
	return p->retired.all;
}

static void put(struct path_retired *r, struct rte_mbuf *frame, uint64_t posted)
{
	assert(r->head - r->tail <= r->mask);
	r->all[r->head++ & r->mask] = (struct path_retiree){.frame = frame, .posted = posted};
}

void retire_frame(struct path *p, struct rte_mbuf *frame)
{
	uint64_t posted = p->port->ops->tx_posted(p->port);

	if (p->port->ops->tx_done(p->port) >= posted)
		rte_pktmbuf_free(frame);
	else
		put(&p->retired, frame, posted);
}

void retire_frames(struct path *p, struct rte_mbuf **frames, unsigned n)
{
	uint64_t posted = p->port->ops->tx_posted(p->port);

	if (p->port->ops->tx_done(p->port) >= posted) {
		rte_mempool_put_bulk(arena_pool(p->arena), (void **)frames, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		put(&p->retired, frames[i], posted);
}

void retire_done(struct path *p)
{
	struct path_retired *r = &p->retired;
	uint64_t done;

	if (r->tail == r->head)
		return;
	done = p->port->ops->tx_done(p->port);
	while (r->tail != r->head && r->all[r->tail & r->mask].posted <= done)
		rte_pktmbuf_free(r->all[r->tail++ & r->mask].frame);
}
