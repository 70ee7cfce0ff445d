// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control.h"

#include "base/log.h"
#include "control/control_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

LOG_SUBSYSTEM(control)

#define CONTROL_SECOND_US TS_S
#define CONTROL_RETRY_US (10 * TS_S) // objects in error, a busy port perhaps
#define CONTROL_QUIT_US (2 * TS_S)   // for workers to say goodbye

struct control *control_new(const struct control_opts *o, char *err, size_t err_cap)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		goto memory;
	c->o = *o;
	c->now = c->started = ts_now();
	c->streams = calloc(o->max_streams, sizeof(*c->streams));
	c->queues = calloc(o->workers.n, sizeof(*c->queues));
	if (!c->streams || !c->queues)
		goto memory;
	if (!o->socket_path)
		return c;
	c->server = server_open(c, o->socket_path, err, err_cap);
	if (c->server)
		return c;
	control_free(c);
	return NULL;
memory:
	snprintf(err, err_cap, "out of memory");
	control_free(c);
	return NULL;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	if (c->server)
		server_close(c->server);
	for (uint32_t i = 0; i < c->objects.n; i++)
		free(c->objects.all[i]);
	free(c->objects.all);
	free(c->queues);
	free(c->streams);
	free(c);
}

// A format is known from a stream's first packet on: what depends on it is looked at again.
static void check_pushes(struct control *c)
{
	for (uint32_t i = 0; i < c->objects.n; i++)
		if (c->objects.all[i]->kind == DP_ROUTE)
			push_check(c, c->objects.all[i]);
}

static void second(struct control *c)
{
	if (c->now < c->second_at)
		return;
	c->second_at = c->now + CONTROL_SECOND_US;
	streams_second(c);
	check_pushes(c);
	if (c->now < c->retry_at)
		return;
	c->retry_at = c->now + CONTROL_RETRY_US;
	c->retry = true;
}

void control_turn(struct control *c, ts_us now)
{
	c->now = now;
	events_turn(c);
	second(c);
	if (c->retry)
		objects_retry(c);
	if (c->server)
		server_turn(c->server);
	post_pending(c);
}

static void drain(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_error("the workers' event descriptor: %s", strerror(errno));
}

static void quit(struct control *c)
{
	struct cmd cmd = {.kind = CMD_QUIT};
	ts_us until = ts_now() + CONTROL_QUIT_US;

	c->quitting = c->o.workers.n;
	for (unsigned w = 0; w < c->o.workers.n; w++)
		post(c, w, &cmd);
	while (c->quitting && ts_now() < until) {
		struct pollfd p = {.fd = c->o.event_fd, .events = POLLIN};

		poll(&p, 1, 10);
		drain(c->o.event_fd);
		events_turn(c);
		post_pending(c);
	}
	if (c->quitting)
		log_warn("%u workers did not stop in time", c->quitting);
}

int control_run(struct control *c, int stop_fd)
{
	struct pollfd p[3] = {
		{.fd = stop_fd, .events = POLLIN},
		{.fd = c->o.event_fd, .events = POLLIN},
		{.fd = c->server ? server_fd(c->server) : -1, .events = POLLIN},
	};

	while (!(p[0].revents & POLLIN)) {
		int n = poll(p, 3, 1000);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents & POLLIN)
			drain(c->o.event_fd);
		control_turn(c, ts_now());
	}
	quit(c);
	return c->quitting ? -ETIMEDOUT : 0;
}
