// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/load.h"

#include "load/impair.h"
#include "load/report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { LINGER_MAX = 10 * TS_S }; // a peer that does not end in time is left

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static void on_rx(void *arg, struct net_sock *s, ts_us now, const uint8_t *data, size_t len)
{
	struct load *l = arg;

	l->role->rx(l, s, now, data, len);
}

static const struct role *role_of(enum load_role r)
{
	static const struct role *const roles[] = {
		&role_play, &role_publish, &role_recv, &role_send};

	return roles[r];
}

static void run_timers(struct load *l, ts_us now)
{
	struct wheel_entry *e;

	while ((e = wheel_pop(&l->wheel, now)))
		l->role->timer(l, now, e);
}

// When the wheel fires next: it does so at whole ticks, and waiting for less would be spinning.
static ts_us next_tick(struct load *l, ts_us now)
{
	ts_us due = wheel_next(&l->wheel, now);

	return due == TS_NEVER ? due : (due + WHEEL_TICK - 1) / WHEEL_TICK * WHEEL_TICK;
}

static ts_us wake_at(struct load *l, ts_us now)
{
	ts_us until;

	if (l->opts.spin || l->unsettled)
		return now;
	until = ts_min(ts_min(next_tick(l, now), impair_next(&l->net)), l->progress_at);
	return l->stopping ? until : ts_min(until, l->stop_at);
}

static void progress(struct load *l, ts_us now)
{
	if (now < l->progress_at)
		return;
	report_progress(l, now);
	l->progress_at += l->opts.interval;
}

static void loop(struct load *l)
{
	ts_us now = l->started;

	while (l->n_active && now < l->stop_at + LINGER_MAX) {
		net_wait(&l->net, now, wake_at(l, now));
		now = ts_now();
		net_release(&l->net, now);
		if (!l->stopping && (now >= l->stop_at || interrupted)) {
			l->stopping = true;
			l->stop_at = ts_min(l->stop_at, now);
			l->role->stop(l, now);
		}
		run_timers(l, now);
		if (l->opts.spin && l->role->pace)
			l->role->pace(l, now);
		l->role->settle(l, now);
		progress(l, now);
	}
	net_flush(&l->net);
}

// One socket per peer needs more descriptors than a shell gives.
static void raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static void clock_start(struct load *l)
{
	const struct opts *o = &l->opts;

	l->started = ts_now();
	l->stop_at = l->started + o->duration;
	l->progress_at = o->interval ? l->started + o->interval : TS_NEVER;
	l->meter.reader.layout = o->layout;
	l->meter.from = o->warm_up ? l->started + o->warm_up : 0;
	wheel_init(&l->wheel, l->started);
}

int load_run(const struct opts *o)
{
	static struct load l; // the wheel and the bursts are large
	struct net_opts net = {.port = o->port,
		.loss = o->loss,
		.reorder = o->reorder,
		.dup = o->dup,
		.delay_ms = o->delay_ms,
		.reorder_ms = o->reorder_ms,
		.seed = o->seed,
		.rcvbuf = o->rcvbuf};
	char err[256] = "out of memory";
	int exit_code, rc;

	l = (struct load){.opts = *o, .role = role_of(o->role), .rand = {o->seed}};
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	raise_files();
	rc = net_init(&l.net, &net, on_rx, &l, err, sizeof(err));
	clock_start(&l); // not before: a device may wait seconds for its other end
	if (!rc)
		rc = l.role->start(&l, err, sizeof(err));
	if (rc) {
		fprintf(stderr, "sluice-load: %s\n", err);
		exit_code = rc == -EINVAL ? LOAD_EXIT_USAGE : LOAD_EXIT_FAILURE;
	} else {
		loop(&l);
		exit_code = report_print(&l) ? LOAD_EXIT_OK : LOAD_EXIT_DEGRADED;
	}
	l.role->fini(&l);
	net_fini(&l.net);
	return exit_code;
}
