// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/resolver.h"

#include "base/ts.h"

#include <event2/event.h>

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define AGAIN_US (60 * TS_S)
#define AGAIN_FAILED_US (5 * TS_S)
#define FORGET_US (180 * TS_S)
#define ANSWERS_MAX 32u // addresses of one name that are looked at

struct name {
	LIST_ENTRY(name) next;
	char *host;
	struct endpoint at;
	bool known;
	char error[160];
	ts_us asked, due; // by the loop; the next look-up
	bool busy;	  // the thread has it
};

// What travels to the thread and back: one name at a time.
struct job {
	char *host;
	struct endpoint answers[ANSWERS_MAX];
	unsigned n;
	int error; // of getaddrinfo
};

struct resolver {
	struct event *tick, *answer;
	void (*changed)(void *arg);
	void *arg;
	LIST_HEAD(, name) names; // the loop's alone
	pthread_t thread;
	bool started;
	int fd; // eventfd: an answer is there
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job job;
	enum { IDLE, ASKED, ANSWERED } state; // of job, under lock
	bool stop;
};

static void look_up(struct job *j)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *list = NULL;

	j->n = 0;
	j->error = getaddrinfo(j->host, NULL, &hints, &list);
	for (struct addrinfo *a = list; a && j->n < ANSWERS_MAX; a = a->ai_next) {
		struct sockaddr_storage sa = {0};

		memcpy(&sa, a->ai_addr, a->ai_addrlen);
		if (!endpoint_from_sockaddr(&sa, &j->answers[j->n]))
			j->n++;
	}
	if (list)
		freeaddrinfo(list);
}

static void *thread_main(void *arg)
{
	struct resolver *r = arg;
	const uint64_t one = 1;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		if (r->state != ASKED) {
			pthread_cond_wait(&r->wake, &r->lock);
			continue;
		}
		pthread_mutex_unlock(&r->lock);
		look_up(&r->job);
		pthread_mutex_lock(&r->lock);
		r->state = ANSWERED;
		if (write(r->fd, &one, sizeof(one)) < 0)
			break; // an eventfd that cannot be written is gone: the daemon ends
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

// Hand the next due name to the thread, if it is free.
static void dispatch(struct resolver *r)
{
	ts_us now = ts_now();
	struct name *n;

	pthread_mutex_lock(&r->lock);
	LIST_FOREACH(n, &r->names, next)
	if (n->due <= now)
		break;
	if (n && r->state == IDLE) {
		r->job.host = n->host;
		n->busy = true;
		r->state = ASKED;
		pthread_cond_signal(&r->wake);
	}
	pthread_mutex_unlock(&r->lock);
}

static bool holds(const struct job *j, const struct endpoint *e)
{
	for (unsigned i = 0; i < j->n; i++)
		if (!memcmp(j->answers[i].ip, e->ip, sizeof(e->ip)))
			return true;
	return false;
}

// Returns whether anything is new.
static bool take(struct name *n, const struct job *j)
{
	char before[sizeof(n->error)];

	n->busy = false;
	memcpy(before, n->error, sizeof(before));
	if (j->n) {
		bool same = n->known && holds(j, &n->at);

		n->at = same ? n->at : j->answers[0];
		n->known = true;
		*n->error = '\0';
		n->due = ts_now() + AGAIN_US;
		return !same;
	}
	snprintf(n->error, sizeof(n->error), "%.100s: %s", n->host,
		j->error ? gai_strerror(j->error) : "no address of a kind we send to");
	n->due = ts_now() + AGAIN_FAILED_US;
	return !n->known && strcmp(before, n->error);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	bool news = false;
	uint64_t count;
	struct name *n;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&r->lock);
	LIST_FOREACH(n, &r->names, next)
	if (n->busy && r->state == ANSWERED)
		news = take(n, &r->job);
	r->state = IDLE;
	pthread_mutex_unlock(&r->lock);
	dispatch(r);
	if (news)
		r->changed(r->arg);
}

static void name_free(struct name *n)
{
	LIST_REMOVE(n, next);
	free(n->host);
	free(n);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	struct name *n = LIST_FIRST(&r->names), *next;

	(void)fd;
	(void)what;
	for (; n; n = next) {
		next = LIST_NEXT(n, next);
		if (!n->busy && ts_now() - n->asked > FORGET_US)
			name_free(n);
	}
	dispatch(r);
}

struct resolver *resolver_new(struct event_base *base, void (*changed)(void *arg), void *arg)
{
	const struct timeval every = {.tv_sec = 1};
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->changed = changed;
	r->arg = arg;
	LIST_INIT(&r->names);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->answer = event_new(base, r->fd, EV_READ | EV_PERSIST, on_answer, r);
	r->tick = event_new(base, -1, EV_PERSIST, on_tick, r);
	r->started = r->fd >= 0 && r->answer && r->tick && !event_add(r->answer, NULL) &&
		     !event_add(r->tick, &every) &&
		     !pthread_create(&r->thread, NULL, thread_main, r);
	if (r->started)
		return r;
	resolver_free(r);
	return NULL;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	if (r->started)
		pthread_join(r->thread, NULL);
	if (r->answer)
		event_free(r->answer);
	if (r->tick)
		event_free(r->tick);
	if (r->fd >= 0)
		close(r->fd);
	while (!LIST_EMPTY(&r->names))
		name_free(LIST_FIRST(&r->names));
	free(r);
}

static struct name *find(struct resolver *r, const char *host)
{
	struct name *n;

	LIST_FOREACH(n, &r->names, next)
	if (!strcmp(n->host, host))
		return n;
	return NULL;
}

static struct name *add(struct resolver *r, const char *host)
{
	struct name *n = calloc(1, sizeof(*n));

	if (!n || !(n->host = strdup(host))) {
		free(n);
		return NULL;
	}
	LIST_INSERT_HEAD(&r->names, n, next);
	return n;
}

int resolver_lookup(void *ctx, const char *host, struct endpoint *out)
{
	struct resolver *r = ctx;
	struct name *n = find(r, host);

	if (!n && !(n = add(r, host)))
		return -EAGAIN;
	n->asked = ts_now();
	dispatch(r);
	if (!n->known)
		return -EAGAIN;
	memcpy(out->ip, n->at.ip, sizeof(out->ip));
	return 0;
}

const char *resolver_error(struct resolver *r, const char *host)
{
	const struct name *n = find(r, host);

	return n && *n->error ? n->error : NULL;
}
