// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/ts.h"
#include "worker/worker_priv.h"

#include <rte_lcore.h>

#include <unistd.h>

#define LOOP_HOUSE_US (100 * TS_MS)
#define LOOP_SLEEP_MAX_US TS_S // the heartbeat moves at least once a second (decisions B18)

static unsigned timers(struct worker *w)
{
	struct wheel_entry *e;
	unsigned n = 0;

	// The entry is the session's first member.
	for (; (e = wheel_pop(&w->path.wheel, w->path.now)); n++)
		session_on_timer(&w->path, (struct session *)e);
	return n;
}

static void port_counters(struct path *p)
{
	struct port_stats s;

	p->port->ops->stats(p->port, &s);
	p->stats->drops[DP_DROP_SOCKET_OVERFLOW] = s.rx_overflow;
	p->stats->drops[DP_DROP_TRUNCATED] = s.rx_truncated;
	p->stats->drops[DP_DROP_BAD_HEADER] = s.rx_bad_header;
	p->stats->drops[DP_DROP_BAD_CSUM] = s.rx_bad_csum;
	p->stats->drops[DP_DROP_NOT_OURS] = s.rx_not_ours;
	p->stats->drops[DP_DROP_TX_FULL] = s.tx_full;
	p->stats->drops[DP_DROP_TX_ERROR] = s.tx_error;
}

// A stream that opens does not wait for the rest of an idle second.
static ts_us house_due(const struct worker *w)
{
	return w->housed + (w->path.n_open ? LOOP_HOUSE_US : LOOP_SLEEP_MAX_US);
}

static void house(struct worker *w)
{
	struct path *p = &w->path;

	if (p->now < house_due(w))
		return;
	house_keep(p);
	port_counters(p);
	p->stats->wall_ns = (p->now - w->began) * 1000;
	p->stats->busy_ns = (p->now - w->began - w->slept) * 1000;
	w->housed = p->now;
}

static void tell_control(struct worker *w)
{
	uint64_t one = 1;

	if (!w->path.up_dirty)
		return;
	w->path.up_dirty = false;
	if (write(w->group->o.event_fd, &one, sizeof(one)) < 0)
		w->path.up_dirty = true; // the counter is full: control has been told often enough
}

static unsigned through(struct path *p, struct batch *b)
{
	unsigned n = b->n;

	path_steer(p, b);
	path_session(p, b);
	path_ring(p, b);
	return n;
}

unsigned worker_turn(struct worker *w, ts_us now)
{
	struct path *p = &w->path;
	struct batch *b = &w->batch;
	unsigned n;

	p->now = now;
	path_rx(p, b);
	n = through(p, b);
	n += worker_notes(w, b);
	through(p, b);
	n += timers(w);
	n += worker_commands(w);
	path_fanout(p);
	house(w);
	path_tx(p);
	worker_wake_others(w);
	tell_control(w);
	p->stats->heartbeat++;
	return n;
}

static void rest(struct worker *w)
{
	struct path *p = &w->path;
	ts_us now = ts_now(), due = ts_min(house_due(w), start_next(p));

	due = ts_min(due, wheel_next(&p->wheel, now));
	due = ts_min(due, now + LOOP_SLEEP_MAX_US);
	if (due <= now)
		return;
	p->port->ops->wait(p->port, (uint32_t)(due - now));
	w->slept += ts_now() - now;
}

void *worker_main(void *worker)
{
	struct worker *w = worker;
	bool adaptive = w->group->o.idle == WORKER_ADAPTIVE;

	if (rte_thread_register())
		return NULL;
	w->began = w->path.now = ts_now();
	while (!w->quit)
		if (!worker_turn(w, ts_now()) && adaptive)
			rest(w);
	path_tx(&w->path);
	tell_control(w);
	rte_thread_unregister();
	return NULL;
}
