// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "worker/worker.h"

#include "base/ts.h"
#include "io/arena.h"
#include "worker/worker_priv.h"

#include <rte_ring_elem.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Pages are taken when they are first used: what a limit allows costs nothing until it is needed.
static void *region(size_t n, size_t size)
{
	void *m = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return m == MAP_FAILED ? NULL : m;
}

static struct rte_ring *ring_new(unsigned size, unsigned count)
{
	ssize_t bytes = rte_ring_get_memsize_elem(size, count);
	struct rte_ring *r = bytes > 0 ? region(1, (size_t)bytes) : NULL;

	if (r && rte_ring_init(r, "sluice", count, RING_F_SP_ENQ | RING_F_SC_DEQ))
		return NULL;
	return r;
}

static uint32_t power_of_two(uint32_t n)
{
	return n < 2 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

static uint32_t n_slots(const struct worker_group_opts *o)
{
	// Every worker can hold all subscribers, for callers choose where they land; and pushes.
	uint32_t n = o->max_subscribers + 2 * o->max_streams;

	return n < SESSION_SLOTS_MAX ? n : SESSION_SLOTS_MAX;
}

static void *section(const struct worker_group_opts *o, uint64_t off)
{
	return (uint8_t *)o->stats + off;
}

static void views_init(struct path *p, const struct worker_group_opts *o)
{
	struct dp_stats_stream *streams = section(o, o->stats->off_streams);
	struct dp_stats_stream_tx *tx = section(o, o->stats->off_stream_tx);

	for (uint32_t i = 0; i < o->max_streams; i++) {
		p->views[i].stats = &streams[i];
		p->views[i].tx = &tx[(size_t)p->worker * o->stats->n_streams + i];
	}
}

static bool path_memory(struct path *p, const struct worker_group_opts *o)
{
	uint32_t slots = n_slots(o), chunks = slots / SUBLIST_CHUNK + 3 * o->max_streams;
	struct session *sessions = region(slots, sizeof(*sessions));
	struct sublist_chunk *lines = region(chunks, sizeof(*lines));
	struct park_entry *parked = region(PARK_CAP, sizeof(*parked));

	p->views = region(o->max_streams, sizeof(*p->views));
	p->open = region(o->max_streams, sizeof(*p->open));
	p->entries = region((size_t)o->max_streams * HISTORY_CAP, sizeof(*p->entries));
	p->rcvs = region(o->max_streams, sizeof(*p->rcvs));
	p->rcvs_free = region(o->max_streams, sizeof(*p->rcvs_free));
	p->n_retired = arena_pool(o->arena)->size;
	p->retired = region(p->n_retired, sizeof(*p->retired));
	p->up = ring_new(sizeof(struct event), power_of_two(4 * slots));
	if (!sessions || !lines || !parked || !p->views || !p->open || !p->entries || !p->rcvs ||
		!p->rcvs_free || !p->retired || !p->up)
		return false;
	session_table_init(&p->sessions, sessions, slots, p->worker);
	sublist_pool_init(&p->lists, lines, chunks);
	park_init(&p->park, parked);
	p->n_views = p->n_rcvs = o->max_streams;
	return true;
}

static bool path_init(struct path *p, struct worker_group *g, unsigned worker)
{
	const struct worker_group_opts *o = &g->o;
	struct dp_stats_worker *stats = section(o, o->stats->off_workers);

	p->port = o->ports[worker];
	p->arena = o->arena;
	p->worker = worker;
	p->n_workers = o->n_workers;
	p->now = ts_now();
	p->stats = &stats[worker];
	p->stats->id = worker;
	p->stats->core = o->cores[worker];
	p->follows = g->follows;
	p->cookie = (struct srt_cookie_key){.now = o->cookie_key, .before = o->cookie_key};
	p->rand = (struct rand){.state = o->seed + worker};
	wheel_init(&p->wheel, p->now);
	if (!path_memory(p, o))
		return false;
	views_init(p, o);
	return true;
}

static bool worker_init(struct worker *w, struct worker_group *g, unsigned id)
{
	w->group = g;
	w->id = id;
	w->core = g->o.cores[id];
	w->down = ring_new(sizeof(void *), WORKER_CMD_RING);
	w->closing = region(g->o.max_streams, sizeof(*w->closing));
	return path_init(&w->path, g, id) && w->down && w->closing;
}

static bool rings_between(struct worker_group *g)
{
	for (unsigned a = 0; a < g->o.n_workers; a++)
		for (unsigned b = 0; b < g->o.n_workers; b++) {
			if (a == b)
				continue;
			g->workers[a].path.to[b] = g->workers[b].from[a] =
				ring_new(sizeof(struct note), 2 * NOTE_RING);
			if (!g->workers[b].from[a])
				return false;
		}
	return true;
}

struct worker_group *worker_group_new(const struct worker_group_opts *o)
{
	struct worker_group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->o = *o;
	g->workers = calloc(o->n_workers, sizeof(*g->workers));
	g->follows = region(o->max_streams, sizeof(*g->follows));
	if (!g->workers || !g->follows)
		return NULL;
	for (unsigned i = 0; i < o->n_workers; i++)
		if (!worker_init(&g->workers[i], g, i))
			return NULL;
	return rings_between(g) ? g : NULL;
}

static int start(struct worker *w)
{
	cpu_set_t set;
	int rc = pthread_create(&w->thread, NULL, worker_main, w);

	if (rc)
		return -rc;
	w->started = true;
	if (w->core < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET((unsigned)w->core, &set);
	return -pthread_setaffinity_np(w->thread, sizeof(set), &set);
}

int worker_group_start(struct worker_group *g)
{
	for (unsigned i = 0; i < g->o.n_workers; i++) {
		int rc = start(&g->workers[i]);

		if (rc)
			return rc;
	}
	return 0;
}

void worker_group_free(struct worker_group *g)
{
	for (unsigned i = 0; i < g->o.n_workers; i++) {
		struct worker *w = &g->workers[i];

		if (w->started)
			pthread_join(w->thread, NULL);
		w->path.port->ops->close(w->path.port);
	}
	// The regions go with the process: a group lives as long as it.
	free(g->workers);
	free(g);
}

int worker_post(struct worker_group *g, unsigned worker, struct cmd *c)
{
	struct worker *w = &g->workers[worker];

	if (rte_ring_sp_enqueue(w->down, c))
		return -EAGAIN;
	w->path.port->ops->wake(w->path.port);
	return 0;
}

unsigned worker_events(struct worker_group *g, unsigned worker, struct event *out, unsigned n)
{
	return rte_ring_sc_dequeue_burst_elem(
		g->workers[worker].path.up, out, sizeof(*out), n, NULL);
}

const struct parked *worker_parked(struct worker_group *g, unsigned worker, uint32_t park)
{
	return &g->workers[worker].path.park.e[park].p;
}

unsigned worker_n_slots(const struct worker_group *g, unsigned worker)
{
	return g->workers[worker].path.sessions.n;
}

bool worker_session_read(
	const struct worker_group *g, unsigned worker, unsigned slot, struct dp_session *out)
{
	return session_read(&g->workers[worker].path.sessions, slot, out);
}
