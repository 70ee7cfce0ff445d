// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// sluiced: settings, the lock on its state, the loop, signals.

#include "base/log.h"
#include "base/rundir.h"
#include "ctl/daemon/config.h"
#include "ctl/daemon/daemon.h"
#include "ctl/daemon/options.h"
#include "ctl/daemon/state_lock.h"
#include "version.h"

#include <event2/event.h>
#include <systemd/sd-daemon.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

LOG_SUBSYSTEM(main)

#define EXIT_USAGE 2

struct program {
	struct options options;
	struct config config;
	struct event_base *base;
	struct event *stop[2];
	struct daemon *daemon;
	int lock;
	uint64_t epoch;
};

static int failed(const char *sentence)
{
	log_error("%s", sentence);
	return EXIT_FAILURE;
}

// SIGTERM while the daemon is still starting counts too: daemon_new() looks at the loop's mark.
static void on_stop(evutil_socket_t signal, short what, void *arg)
{
	struct program *p = arg;

	(void)what;
	log_info("%s: stopping", strsignal(signal));
	event_base_loopexit(p->base, NULL);
}

static int start_loop(struct program *p)
{
	static const int signals[] = {SIGTERM, SIGINT};

	p->base = event_base_new();
	if (!p->base)
		return failed("no event loop: out of memory or descriptors");
	for (unsigned i = 0; i < 2; i++) {
		p->stop[i] = evsignal_new(p->base, signals[i], on_stop, p);
		if (!p->stop[i] || event_add(p->stop[i], NULL))
			return failed("no event loop: out of memory");
	}
	return 0;
}

// A socket elsewhere is somebody's choice, and so is its folder.
static bool is_in_run_directory(const char *path)
{
	char dir[PATH_MAX];
	size_t n;

	if (rundir_path(NULL, dir, sizeof(dir)))
		return false;
	n = strlen(dir);
	return !strncmp(path, dir, n) && path[n] == '/' && !strchr(path + n + 1, '/');
}

// The state directory is ours alone; the run directory is shared with sluice-dp.
static int take_directories(struct program *p)
{
	char dir[PATH_MAX], err[PATH_MAX + 128];

	if (statedir_path(NULL, dir, sizeof(dir)))
		return failed("the path of the state directory is too long");
	p->lock = state_lock(dir, err, sizeof(err));
	if (p->lock < 0 || state_epoch_raise(dir, &p->epoch, err, sizeof(err)))
		return failed(err);
	if (is_in_run_directory(p->config.api_socket) && rundir_make(err, sizeof(err)))
		return failed(err);
	return 0;
}

static int serve(struct program *p)
{
	char err[1024];

	p->daemon = daemon_new(p->base, &p->config, p->epoch, err, sizeof(err));
	if (!p->daemon)
		return event_base_got_exit(p->base) ? 0 : failed(err);
	log_info("sluiced " SLUICE_VERSION ": node %s, region %s, store %s, API on %s, epoch "
		 "%" PRIu64,
		p->config.node, p->config.region, p->config.store, p->config.api_socket, p->epoch);
	sd_notify(0, "READY=1");
	event_base_dispatch(p->base);
	sd_notify(0, "STOPPING=1");
	daemon_free(p->daemon);
	return 0;
}

static void stop_loop(struct program *p)
{
	for (unsigned i = 0; i < 2; i++)
		if (p->stop[i])
			event_free(p->stop[i]);
	if (p->base)
		event_base_free(p->base);
}

int main(int argc, char **argv)
{
	static struct program p;
	char err[PATH_MAX + 512];
	int rc;

	options_parse(&p.options, argc, argv);
	rc = config_load(&p.config, &p.options, err, sizeof(err));
	if (rc) {
		fprintf(stderr, "sluiced: %s\n", err);
		return rc == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	}
	if (p.options.check_config) {
		printf("the settings are good: node %s, region %s, store %s, %zu objects of "
		       "intent\n",
			p.config.node, p.config.region, p.config.store,
			json_array_size(p.config.intent));
		config_free(&p.config);
		return EXIT_SUCCESS;
	}
	rc = start_loop(&p);
	rc = rc ? rc : take_directories(&p);
	rc = rc ? rc : serve(&p);
	stop_loop(&p);
	config_free(&p.config);
	return rc;
}
