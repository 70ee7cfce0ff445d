// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/ts.h"
#include "io/arena.h"
#include "path/path.h"

#include <rte_ring_elem.h>

#include <stdalign.h>
#include <sys/mman.h>

// Events beyond an end of every session there is: of commands and conclusions that wait for
// control, which are bounded, and of streams that come and go while it does not look.
#define EVENTS_MORE 16384u

// From here on a region takes huge pages: a packet of one of 100,000 subscribers would miss a dozen
// entries of the TLB, and walks through two levels of tables where the machine is a guest.
#define REGION_HUGE (8u << 20)

struct path_region {
	alignas(64) struct path_region *next;
	size_t size; // with this
};

// Pages are taken when they are first used: what a limit allows costs nothing until it is needed.
void *path_region(struct path_regions *list, size_t n, size_t size)
{
	size_t all = sizeof(struct path_region) + n * size;
	struct path_region *m = mmap(NULL, all, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (m == MAP_FAILED)
		return NULL;
	if (all >= REGION_HUGE)
		madvise(m, all, MADV_HUGEPAGE); // where there are none, small ones do
	m->next = list->first;
	m->size = all;
	list->first = m;
	return m + 1;
}

void path_regions_free(struct path_regions *list)
{
	struct path_region *m;

	while ((m = list->first)) {
		list->first = m->next;
		munmap(m, m->size);
	}
}

struct rte_ring *path_mailbox_new(struct path_regions *list, unsigned size, unsigned count)
{
	ssize_t bytes = rte_ring_get_memsize_elem(size, count);
	struct rte_ring *r = bytes > 0 ? path_region(list, 1, (size_t)bytes) : NULL;

	if (r && rte_ring_init(r, "sluice", count, RING_F_SP_ENQ | RING_F_SC_DEQ))
		return NULL;
	return r;
}

static uint32_t power_of_two(uint32_t n)
{
	return n < 2 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

static uint32_t n_slots(const struct path_opts *o)
{
	// Every worker can hold all subscribers, for callers choose where they land; and pushes.
	uint32_t n = o->max_subscribers + 2 * o->max_streams;

	return n < SESSION_SLOTS_MAX ? n : SESSION_SLOTS_MAX;
}

static void *section(const struct path_opts *o, uint64_t off)
{
	return (uint8_t *)o->stats + off;
}

static void views_init(struct path *p, const struct path_opts *o)
{
	struct dp_stats_stream *streams = section(o, o->stats->off_streams);
	struct dp_stats_stream_tx *tx = section(o, o->stats->off_stream_tx);
	struct dp_stats_hists *hists = section(o, o->stats->off_hists);

	for (uint32_t i = 0; i < o->max_streams; i++) {
		p->views[i].stats = &streams[i];
		p->views[i].tx = &tx[(size_t)p->worker * o->stats->n_streams + i];
		if (o->stats->off_hists)
			p->views[i].hists = &hists[(size_t)p->worker * o->stats->n_streams + i];
	}
}

static bool path_memory(struct path *p, const struct path_opts *o)
{
	uint32_t slots = n_slots(o),
		 chunks = slots / SUBLIST_CHUNK + (2 + SRT_SUITES) * o->max_streams,
		 rcvs = PATH_LINKS * o->max_streams;
	struct path_regions *mem = o->regions;
	struct session *sessions = path_region(mem, slots, sizeof(*sessions));
	struct sublist_chunk *lines = path_region(mem, chunks, sizeof(*lines));
	struct park_entry *parked = path_region(mem, PARK_CAP, sizeof(*parked));

	p->settled = path_region(mem, 1, sizeof(*p->settled));
	p->secure.crypt = srt_crypt_new(SRT_CRYPT_BEST);
	p->secure.all = path_region(mem, slots, sizeof(*p->secure.all));
	p->secure.ctr = path_region(mem, slots, sizeof(*p->secure.ctr));
	p->secure.gcm = path_region(mem, slots, sizeof(*p->secure.gcm));
	p->views = path_region(mem, o->max_streams, sizeof(*p->views));
	p->open = path_region(mem, o->max_streams, sizeof(*p->open));
	p->entries = path_region(mem, (size_t)o->max_streams * HISTORY_CAP, sizeof(*p->entries));
	p->rcvs = path_region(mem, rcvs, sizeof(*p->rcvs));
	p->rcvs_free = path_region(mem, rcvs, sizeof(*p->rcvs_free));
	p->up = path_mailbox_new(mem, sizeof(struct event), power_of_two(slots + EVENTS_MORE));
	if (!call_pool_init(p, mem) || !retire_init(p, mem))
		return false;
	if (!p->secure.crypt || !p->secure.all || !p->secure.ctr || !p->secure.gcm || !sessions ||
		!lines || !parked || !p->settled || !p->views || !p->open || !p->entries ||
		!p->rcvs || !p->rcvs_free || !p->up)
		return false;
	session_table_init(&p->sessions, sessions, slots, p->worker);
	sublist_pool_init(&p->lists, lines, chunks);
	park_init(&p->park, parked, rand_u64(&p->rand));
	settled_init(p->settled, rand_u64(&p->rand));
	p->n_views = o->max_streams;
	p->n_rcvs = rcvs;
	return true;
}

bool path_init(struct path *p, const struct path_opts *o)
{
	struct dp_stats_worker *stats = section(o, o->stats->off_workers);

	p->port = o->port;
	p->arena = o->arena;
	p->worker = o->worker;
	p->n_workers = o->n_workers;
	p->now = ts_now();
	p->stats = &stats[o->worker];
	p->stats->id = o->worker;
	p->stats->core = o->core;
	p->follows = o->follows;
	p->cookie = (struct srt_cookie_key){.now = o->cookie_key, .before = o->cookie_key};
	p->rand = (struct rand){.state = o->seed};
	p->told_unproved.n = p->told_full.n = PATH_TOLD;
	wheel_init(&p->wheel, p->now);
	if (!path_memory(p, o))
		return false;
	views_init(p, o);
	return true;
}
