// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/dplink_priv.h"

#include "base/log.h"
#include "base/rand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

LOG_SUBSYSTEM(dplink)

static void connect_later(struct dplink *l)
{
	static struct rand jitter;
	unsigned ms = l->backoff_ms;
	struct timeval t;

	if (!jitter.state)
		jitter.state = ts_now();
	ms = ms / 2 + rand_below(&jitter, ms / 2 + 1);
	t = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(l->connect, &t);
	l->backoff_ms = l->backoff_ms * 2 < DPLINK_BACKOFF_MS_MAX ? l->backoff_ms * 2
								  : DPLINK_BACKOFF_MS_MAX;
}

static void request_free(struct dplink *l, struct request *r)
{
	STAILQ_REMOVE(&l->requests, r, request, next);
	if (r->type == REQ_SET || r->type == REQ_DEL)
		l->n_objects--;
	free(r);
}

static void drop_requests(struct dplink *l)
{
	while (!STAILQ_EMPTY(&l->requests)) {
		struct request *r = STAILQ_FIRST(&l->requests);

		if (r->done)
			r->done(r->arg, -ENOTCONN);
		request_free(l, r);
	}
}

// Once per absence and reason.
static void say_away(struct dplink *l, const char *why)
{
	if (!strncmp(l->said, why, sizeof(l->said) - 1))
		return;
	log_warn("the dataplane is away: %s", why);
	snprintf(l->said, sizeof(l->said), "%s", why);
}

void dplink_close(struct dplink *l, const char *why)
{
	bool was_up = l->state >= DPLINK_SYNCING;

	if (l->readable)
		event_free(l->readable);
	if (l->writable)
		event_free(l->writable);
	l->readable = l->writable = NULL;
	dp_client_close(&l->client);
	l->state = DPLINK_AWAY;
	drop_requests(l);
	dump_reset(l);
	sync_reset(l);
	connect_later(l);
	say_away(l, why);
	if (was_up)
		l->ops->down(l->arg, why);
}

bool dplink_sent(struct dplink *l, int64_t seq, enum request_type type, uint32_t kind, uint64_t id,
	dplink_done done, void *arg)
{
	struct request *r;

	if (seq == -EAGAIN) {
		event_add(l->writable, NULL);
		return false;
	}
	r = seq > 0 ? calloc(1, sizeof(*r)) : NULL;
	if (!r) {
		dplink_close(l, seq > 0 ? "out of memory" : strerror((int)-seq));
		return false;
	}
	*r = (struct request){.type = type,
		.seq = (uint32_t)seq,
		.kind = kind,
		.id = id,
		.sent = ts_now(),
		.done = done,
		.arg = arg};
	STAILQ_INSERT_TAIL(&l->requests, r, next);
	if (type == REQ_SET || type == REQ_DEL)
		l->n_objects++;
	return true;
}

static struct request *request_of(struct dplink *l, uint32_t seq)
{
	struct request *r;

	STAILQ_FOREACH(r, &l->requests, next)
	if (r->seq == seq)
		return r;
	return NULL;
}

static void on_hello(struct dplink *l, const struct dp_msg *m)
{
	struct request *r = request_of(l, m->seq);

	if (l->state != DPLINK_HELLO || !r || r->type != REQ_HELLO) {
		if (m->fd >= 0)
			close(m->fd);
		return;
	}
	request_free(l, r);
	l->hello = m->hello;
	l->backoff_ms = DPLINK_BACKOFF_MS_MIN;
	l->said[0] = '\0';
	log_info("dataplane %s, pid %d, %u workers", l->hello.version, l->hello.pid,
		l->hello.n_workers);
	sync_start(l);
	l->ops->up(l->arg, &l->hello, m->fd);
}

static void on_ack(struct dplink *l, const struct dp_msg *m)
{
	struct request *r = request_of(l, m->seq), copy;

	if (!r) {
		dump_failed(l, m->status); // a DUMP is answered so when it is refused
		return;
	}
	copy = *r;
	request_free(l, r);
	if (copy.type == REQ_HELLO)
		dplink_close(l, *m->ack.error ? m->ack.error : strerror(-m->status));
	else if (copy.done)
		copy.done(copy.arg, m->status);
	else
		sync_answered(l, &copy, m->status, &m->ack);
}

static void on_notice(struct dplink *l, const struct dp_notice *n)
{
	if (n->event == DP_EV_OBJECT || n->lost)
		dump_look(l);
	l->ops->notice(l->arg, n);
}

static void take(struct dplink *l, const struct dp_msg *m)
{
	switch (m->type) {
	case DP_HELLO_R:
		on_hello(l, m);
		break;
	case DP_ACK:
		on_ack(l, m);
		break;
	case DP_NOTICE:
		on_notice(l, &m->notice);
		break;
	case DP_DUMP_R:
		dump_answered(l, m);
		break;
	case DP_ADMIT:
		if (l->ops->admit)
			l->ops->admit(l->arg, &m->admit);
		break;
	default:
		break;
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct dplink *l = arg;

	(void)fd;
	(void)what;
	// A bounded turn: others live in this loop too.
	for (int i = 0; i < 256 && l->state != DPLINK_AWAY; i++) {
		struct dump *d = STAILQ_FIRST(&l->dumps);
		struct dp_msg m;
		int rc = dp_client_read(&l->client, d ? d->what.what : DP_DUMP_OBJECTS, &m);

		if (rc == -EAGAIN)
			break;
		if (!rc)
			take(l, &m);
		else if (rc != -EBADMSG)
			dplink_close(l, "it closed the connection");
	}
	if (l->state != DPLINK_AWAY)
		sync_continue(l);
	if (l->state != DPLINK_AWAY)
		dump_send(l);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct dplink *l = arg;

	(void)fd;
	(void)what;
	sync_continue(l);
	if (l->state != DPLINK_AWAY)
		dump_send(l);
}

static void on_connect(evutil_socket_t fd, short what, void *arg)
{
	struct dplink *l = arg;
	char err[256];

	(void)fd;
	(void)what;
	if (dp_client_open(&l->client, l->path, err, sizeof(err))) {
		say_away(l, err);
		connect_later(l);
		return;
	}
	l->state = DPLINK_HELLO;
	l->readable = event_new(l->base, l->client.fd, EV_READ | EV_PERSIST, on_readable, l);
	l->writable = event_new(l->base, l->client.fd, EV_WRITE, on_writable, l);
	if (!l->readable || !l->writable || event_add(l->readable, NULL)) {
		dplink_close(l, "out of memory");
		return;
	}
	dplink_sent(l, dp_client_hello(&l->client, DP_ROLE_OWNER, l->epoch), REQ_HELLO, 0, 0, NULL,
		NULL);
}

// An answer that does not come means a dataplane that hangs: start over.
static bool hangs(const struct dplink *l, ts_us now)
{
	const struct request *r = STAILQ_FIRST(&l->requests);
	const struct dump *d = STAILQ_FIRST(&l->dumps);

	return (r && now - r->sent > DPLINK_ANSWER_US) ||
	       (d && d->sent && now - d->sent_at > DPLINK_ANSWER_US);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct dplink *l = arg;
	ts_us now = ts_now();

	(void)fd;
	(void)what;
	if (l->state != DPLINK_AWAY && hangs(l, now))
		dplink_close(l, "it does not answer");
	if (l->state == DPLINK_AWAY)
		return;
	sync_tick(l, now);
	dump_look(l);
	dump_send(l);
}

struct dplink *dplink_new(struct event_base *base, const char *path, uint64_t epoch,
	const struct dplink_ops *ops, void *arg)
{
	const struct timeval every = {.tv_sec = 1};
	struct dplink *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->base = base;
	l->path = path;
	l->epoch = epoch;
	l->ops = ops;
	l->arg = arg;
	l->client.fd = -1;
	l->backoff_ms = DPLINK_BACKOFF_MS_MIN;
	LIST_INIT(&l->refusals);
	STAILQ_INIT(&l->requests);
	STAILQ_INIT(&l->dumps);
	l->connect = event_new(base, -1, 0, on_connect, l);
	l->tick = event_new(base, -1, EV_PERSIST, on_tick, l);
	if (l->connect && l->tick && !event_add(l->tick, &every)) {
		event_active(l->connect, EV_TIMEOUT, 0);
		return l;
	}
	dplink_free(l);
	return NULL;
}

void dplink_free(struct dplink *l)
{
	if (!l)
		return;
	if (l->readable)
		event_free(l->readable);
	if (l->writable)
		event_free(l->writable);
	dp_client_close(&l->client);
	drop_requests(l);
	dump_reset(l);
	sync_reset(l);
	desired_set_free(&l->want);
	free(l->applied);
	free(l->states.all);
	free(l->coming.all);
	if (l->connect)
		event_free(l->connect);
	if (l->tick)
		event_free(l->tick);
	free(l);
}

void dplink_admit(struct dplink *l, const struct dp_admit_r *r)
{
	int64_t seq = dplink_is_up(l) ? dp_client_admit(&l->client, r) : 0;

	if (seq < 0 && seq != -EAGAIN)
		dplink_close(l, strerror((int)-seq));
}

bool dplink_is_up(const struct dplink *l)
{
	return l->state >= DPLINK_SYNCING;
}

const struct dp_hello_r *dplink_hello(const struct dplink *l)
{
	return dplink_is_up(l) ? &l->hello : NULL;
}

uint64_t dplink_changes(const struct dplink *l)
{
	return l->changes;
}

uint32_t dplink_held(const struct dplink *l)
{
	return l->held;
}

void dplink_kick(struct dplink *l, uint64_t session, uint32_t ban_s, dplink_done cb, void *arg)
{
	int64_t seq;

	if (!dplink_is_up(l)) {
		cb(arg, -ENOTCONN);
		return;
	}
	seq = dp_client_kick(&l->client, session, ban_s);
	if (seq == -EAGAIN)
		cb(arg, -EAGAIN);
	else if (!dplink_sent(l, seq, REQ_KICK, 0, session, cb, arg))
		cb(arg, -ENOTCONN);
}

static void forgotten(void *arg, int status)
{
	(void)arg;
	(void)status;
}

void dplink_forget(struct dplink *l, const void *arg)
{
	struct request *r;
	struct dump *d;

	STAILQ_FOREACH(r, &l->requests, next)
	if (r->done && r->arg == arg)
		r->done = forgotten;
	STAILQ_FOREACH(d, &l->dumps, next)
	if (d->cb && d->arg == arg)
		d->arg = NULL;
}
