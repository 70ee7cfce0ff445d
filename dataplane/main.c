// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// sluice-dp: memory, ports, workers and control, put together.

#include "base/log.h"
#include "base/rundir.h"
#include "control/control.h"
#include "control/dp_socket.h"
#include "control/stats.h"
#include "io/arena.h"
#include "options.h"
#include "ports.h"
#include "version.h"
#include "worker/worker.h"

#include <systemd/sd-daemon.h>

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

LOG_SUBSYSTEM(main)

struct program {
	struct options o;
	struct ports ports;
	struct arena *arena;
	struct dp_stats_header *stats;
	int stats_fd, event_fd, stop_fd;
	struct worker_group *group;
	struct control *control;
	struct dp_socket socket;
	uint64_t random[3]; // instance, cookie key, seed
};

static bool failed(const char *what)
{
	log_error("%s", what);
	return false;
}

// --- what control calls ---------------------------------------------------------------------

static int post(void *ctx, unsigned worker, struct cmd *c)
{
	return worker_post(ctx, worker, c);
}

static unsigned events(void *ctx, unsigned worker, struct event *out, unsigned n)
{
	return worker_events(ctx, worker, out, n);
}

static const struct parked *parked(void *ctx, unsigned worker, uint32_t park)
{
	return worker_parked(ctx, worker, park);
}

static unsigned n_slots(void *ctx, unsigned worker)
{
	return worker_n_slots(ctx, worker);
}

static bool session(void *ctx, unsigned worker, unsigned slot, struct dp_session *out)
{
	return worker_session_read(ctx, worker, slot, out);
}

// --- start ----------------------------------------------------------------------------------

static bool take_random(struct program *p)
{
	return getrandom(p->random, sizeof(p->random), 0) == sizeof(p->random) ||
	       failed("no random numbers from the kernel");
}

static bool open_memory(struct program *p)
{
	char err[256];

	if (arena_eal_start(p->o.memory_mb, err, sizeof(err)))
		return failed(err);
	p->arena = arena_new("frames", arena_frames_max());
	return p->arena || failed("no memory for packets: try a larger --memory");
}

static bool open_ports(struct program *p)
{
	char err[256];

	return !ports_open(&p->ports, &p->o, p->arena, err, sizeof(err)) || failed(err);
}

static bool open_stats(struct program *p)
{
	struct stats_port port = {p->o.port_name, ports_kind(&p->ports), ports_mode(&p->ports)};

	p->stats =
		stats_new(p->o.n_workers, p->o.max_streams, p->random[0], &port, 1, &p->stats_fd);
	return p->stats || failed("no memory for the shared counters");
}

static bool start_workers(struct program *p)
{
	struct worker_group_opts o = {
		.n_workers = p->o.n_workers,
		.cores = p->o.cores,
		.ports = p->ports.all,
		.arena = p->arena,
		.max_streams = p->o.max_streams,
		.max_subscribers = p->o.max_subscribers,
		.idle = p->o.idle,
		.stats = p->stats,
		.event_fd = p->event_fd,
		.cookie_key = p->random[1],
		.seed = p->random[2],
	};
	int rc;

	p->group = worker_group_new(&o);
	if (!p->group)
		return failed("no memory for the workers: try smaller --max-streams or "
			      "--max-subscribers");
	rc = worker_group_start(p->group);
	return !rc || failed(rc == -EINVAL ? "a core of --cores does not exist here"
					   : "a worker thread cannot be started");
}

static bool start_control(struct program *p)
{
	struct control_opts o = {
		.workers = {p->o.n_workers, post, events, parked, n_slots, session, p->group},
		.sockets = {ports_listen, ports_bind, port_sock_close, &p->ports},
		.stats = p->stats,
		.stats_fd = p->stats_fd,
		.event_fd = p->event_fd,
		.max_streams = p->o.max_streams,
		.max_subscribers = p->o.max_subscribers,
		.instance = p->random[0],
		.listen_fd = p->socket.fd,
	};

	p->control = control_new(&o);
	return p->control || failed("no memory for control: try a smaller --max-streams");
}

// First of all: whoever else runs is named before anything is disturbed.
static bool open_socket(struct program *p)
{
	char err[256];

	if (!p->o.socket_given && rundir_make(err, sizeof(err)))
		return failed(err);
	return !dp_socket_open(&p->socket, p->o.socket, err, sizeof(err)) || failed(err);
}

// This thread leaves the workers' cores to them, where there are others (decisions A20).
static void step_aside(const struct program *p)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (unsigned i = 0; i < p->o.n_workers; i++)
		if (p->o.cores[i] >= 0)
			CPU_CLR((unsigned)p->o.cores[i], &set);
	if (CPU_COUNT(&set))
		sched_setaffinity(0, sizeof(set), &set);
}

// Before any thread: all of them inherit the mask, and only control hears of the signals.
static bool catch_signals(struct program *p)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	p->stop_fd = signalfd(-1, &set, SFD_CLOEXEC);
	p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return (p->stop_fd >= 0 && p->event_fd >= 0) || failed("no descriptors left");
}

static bool start(struct program *p)
{
	if (!catch_signals(p) || !take_random(p) || !open_memory(p) || !open_ports(p) ||
		!open_stats(p) || !start_workers(p) || !start_control(p))
		return false;
	step_aside(p);
	log_info("sluice-dp " SLUICE_VERSION ": %u worker%s on port %s (%s), %u MB%s, %s",
		p->o.n_workers, p->o.n_workers > 1 ? "s" : "", p->o.port_name,
		ports_mode(&p->ports), p->o.memory_mb,
		arena_eal_has_hugepages() ? " of hugepages" : "", p->o.socket);
	sd_notify(0, "READY=1");
	return true;
}

// A worker that does not answer is not waited for: the process ends around it.
static int stop(struct program *p)
{
	int rc;

	sd_notify(0, "STOPPING=1");
	rc = control_stop(p->control);
	if (!rc) {
		worker_group_free(p->group);
		control_free(p->control);
	}
	return rc;
}

int main(int argc, char **argv)
{
	static struct program p;
	int rc;

	options_parse(&p.o, argc, argv);
	if (!open_socket(&p))
		return EXIT_FAILURE;
	rc = !start(&p);
	if (!rc) {
		rc = control_run(p.control, p.stop_fd);
		rc |= stop(&p);
	}
	dp_socket_close(&p.socket);
	if (rc)
		_exit(EXIT_FAILURE); // threads may still run
	return EXIT_SUCCESS;
}
