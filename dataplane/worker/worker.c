// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "worker/worker.h"

#include "worker/worker_priv.h"

#include <rte_ring_elem.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

static bool worker_init(struct worker *w, struct worker_group *g, unsigned id)
{
	struct path_opts o = {
		.port = g->o.ports[id],
		.arena = g->o.arena,
		.regions = &g->regions,
		.worker = id,
		.n_workers = g->o.n_workers,
		.max_streams = g->o.max_streams,
		.max_subscribers = g->o.max_subscribers,
		.core = g->o.cores[id],
		.stats = g->o.stats,
		.follows = g->follows,
		.cookie_key = g->o.cookie_key,
		.seed = g->o.seed + id,
	};

	w->group = g;
	w->id = id;
	w->core = g->o.cores[id];
	w->down = path_mailbox_new(&g->regions, sizeof(void *), WORKER_CMD_RING);
	w->closing = path_region(&g->regions, g->o.max_streams, sizeof(*w->closing));
	return path_init(&w->path, &o) && w->down && w->closing;
}

static bool rings_between(struct worker_group *g)
{
	for (unsigned a = 0; a < g->o.n_workers; a++)
		for (unsigned b = 0; b < g->o.n_workers; b++) {
			if (a == b)
				continue;
			g->workers[a].path.to[b] = g->workers[b].from[a] =
				path_mailbox_new(&g->regions, sizeof(struct note), 2 * NOTE_RING);
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
	g->follows = path_region(&g->regions, o->max_streams, sizeof(*g->follows));
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
		srt_crypt_free(w->path.secure.crypt);
	}
	path_regions_free(&g->regions);
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
