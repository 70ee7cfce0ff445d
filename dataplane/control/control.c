// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/control.h"

#include "base/log.h"
#include "control/control_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

LOG_SUBSYSTEM(control)

#define CONTROL_SECOND_US TS_S
#define CONTROL_QUIT_US (2 * TS_S) // for workers to say goodbye

// Callers must not be able to tell what it is. Without random numbers it is merely hard.
static uint64_t random_key(void)
{
	uint64_t key = ts_now();

	if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key))
		log_warn("no random numbers: %s", strerror(errno));
	return key;
}

struct control *control_new(const struct control_opts *o)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->o = *o;
	c->now = c->started = ts_now();
	admits_init(&c->admits, random_key());
	share_init(&c->refusals.by, random_key());
	c->rand = (struct rand){.state = c->o.instance};
	c->kdf = kdf_new(o->event_fd);
	c->queues = calloc(o->workers.n, sizeof(*c->queues));
	if (o->listen_fd >= 0)
		c->server = server_new(c, o->listen_fd);
	if (c->kdf && c->queues && stream_table_init(c) && (c->server || o->listen_fd < 0))
		return c;
	control_free(c);
	return NULL;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	server_free(c->server);
	object_free_all(c);
	badge_free_all(c);
	post_drop_pending(c);
	kdf_free(c->kdf);
	free(c->queues);
	free(c->buckets);
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
	refusals_second(c);
	check_pushes(c);
}

void control_turn(struct control *c, ts_us now)
{
	c->now = now;
	events_turn(c);
	keys_turn(c);
	admit_hook_turn(c);
	second(c);
	if (c->retry || c->now >= c->retry_at)
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

// The next thing that is due without anybody's saying so.
static int due_ms(const struct control *c)
{
	ts_us now = ts_now(), due = ts_min(ts_min(c->second_at, c->retry_at), c->admits.due);

	return due <= now ? 0 : (int)((due - now + TS_MS - 1) / TS_MS);
}

int control_run(struct control *c, int stop_fd)
{
	struct pollfd p[3] = {
		{.fd = stop_fd, .events = POLLIN},
		{.fd = c->o.event_fd, .events = POLLIN},
		{.fd = c->server ? server_fd(c->server) : -1, .events = POLLIN},
	};

	while (!(p[0].revents & POLLIN)) {
		int n = poll(p, 3, due_ms(c));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents & POLLIN)
			drain(c->o.event_fd);
		control_turn(c, ts_now());
	}
	return 0;
}

int control_stop(struct control *c)
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
	if (!c->quitting)
		return 0;
	log_error("%u workers did not stop in time", c->quitting);
	return -ETIMEDOUT;
}
