// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The SQLite engine: requests go to a thread of their own in one queue, results come back to the
// loop in the same order. Hence a watch that starts is whole: what its first look found, then every
// transaction whose result comes after.

#include "base/log.h"
#include "ctl/store/sqlite_job.h"
#include "ctl/store/store_impl.h"

#include <event2/event.h>

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

LOG_SUBSYSTEM(store)

struct watch {
	struct store_watch base;
	struct watch *next;
	struct engine *engine;
	store_events cb;
	void *arg;
	bool live; // its first look has come
	bool dead; // unwatched; freed when nobody looks at it
	size_t prefix_len;
	uint8_t prefix[STORE_KEY_MAX];
};

struct engine {
	struct store base;
	struct sqlite_db *db;
	struct event *wake;
	int fd; // eventfd: results wait
	pthread_t thread;
	pthread_mutex_t lock; // queues and stop
	pthread_cond_t asked;
	struct job_queue todo, done;
	bool stop;
	struct watch *watches; // the loop's
	unsigned delivering;   // callbacks run: dead watches stay linked
};

static struct engine *engine_of(struct store *s)
{
	return (struct engine *)s;
}

static void work(struct engine *e, struct job *j)
{
	if (j->invalid) {
		j->result.rc = j->invalid;
		return;
	}
	switch (j->kind) {
	case JOB_LIST:
		sqlite_db_list(e->db, j->prefix, &j->result);
		break;
	case JOB_WATCH:
		sqlite_db_replay(e->db, j->prefix, j->from, &j->result);
		break;
	case JOB_TXN:
		sqlite_db_txn(e->db, j->cmp, j->n_cmp, j->ops, j->n_ops, &j->result);
	}
	if (j->result.rc < 0)
		log_warn("%s: %s", store_rc_str(j->result.rc), sqlite_db_error(e->db));
}

static void *thread_main(void *arg)
{
	struct engine *e = arg;
	struct job *j;

	pthread_mutex_lock(&e->lock);
	for (;;) {
		while (!(j = job_queue_take(&e->todo)) && !e->stop)
			pthread_cond_wait(&e->asked, &e->lock);
		if (!j)
			break;
		pthread_mutex_unlock(&e->lock);
		work(e, j);
		pthread_mutex_lock(&e->lock);
		job_queue_put(&e->done, j);
		eventfd_write(e->fd, 1);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

static void watch_reap(struct engine *e)
{
	struct watch **at = &e->watches;

	while (*at) {
		struct watch *w = *at;

		// One whose first look has not come yet is still named by a job.
		if (!w->dead || !w->live || e->delivering) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

static void deliver_events(struct watch *w, const struct sqlite_result *r)
{
	struct store_blob prefix = {w->prefix, w->prefix_len};
	struct store_event mine[STORE_OPS_MAX];
	size_t n = 0;

	assert(r->n <= STORE_OPS_MAX);
	for (size_t i = 0; i < r->n; i++)
		if (store_has_prefix(r->ev[i].kv.key, prefix))
			mine[n++] = r->ev[i];
	if (n)
		w->cb(w->arg, STORE_OK, r->rev, mine, n);
}

static void deliver_txn(struct engine *e, const struct job *j)
{
	// New watches are put in front, and are not live yet.
	for (struct watch *w = e->watches; w && j->result.n; w = w->next)
		if (w->live && !w->dead)
			deliver_events(w, &j->result);
	j->done(j->arg, j->result.rc, j->result.rev);
}

static void deliver_list(const struct job *j)
{
	struct store_kv *kv = calloc(j->result.n + 1, sizeof(*kv));
	enum store_rc rc = kv ? j->result.rc : STORE_UNAVAILABLE;

	for (size_t i = 0; !rc && i < j->result.n; i++)
		kv[i] = j->result.ev[i].kv;
	j->rows(j->arg, rc, j->result.rev, kv, rc ? 0 : j->result.n);
	free(kv);
}

// A watch that cannot start is told so by the code that says "list again".
static void deliver_first_look(struct watch *w, const struct sqlite_result *r)
{
	w->live = true;
	if (w->dead)
		return;
	if (r->rc)
		w->cb(w->arg, STORE_COMPACTED, r->rev, NULL, 0);
	else if (r->n)
		w->cb(w->arg, STORE_OK, r->rev, r->ev, r->n);
}

static void deliver(struct engine *e, struct job *j)
{
	e->delivering++;
	switch (j->kind) {
	case JOB_LIST:
		deliver_list(j);
		break;
	case JOB_TXN:
		deliver_txn(e, j);
		break;
	case JOB_WATCH:
		deliver_first_look(j->watch, &j->result);
	}
	e->delivering--;
	watch_reap(e);
	job_free(j);
}

static struct job *next_result(struct engine *e)
{
	struct job *j;

	pthread_mutex_lock(&e->lock);
	j = job_queue_take(&e->done);
	pthread_mutex_unlock(&e->lock);
	return j;
}

static void on_wake(evutil_socket_t fd, short, void *arg)
{
	struct engine *e = arg;
	struct job *j;
	eventfd_t n;

	eventfd_read(fd, &n);
	while ((j = next_result(e)))
		deliver(e, j);
}

static void ask(struct engine *e, struct job *j)
{
	pthread_mutex_lock(&e->lock);
	if (e->stop || e->todo.n >= STORE_QUEUE_MAX)
		j->invalid = j->result.rc = STORE_UNAVAILABLE;
	job_queue_put(e->stop ? &e->done : &e->todo, j);
	pthread_cond_signal(&e->asked);
	pthread_mutex_unlock(&e->lock);
}

static void sqlite_list(struct store *s, struct store_blob prefix, store_rows cb, void *arg)
{
	struct job *j = job_new(JOB_LIST, arg);

	job_take_prefix(j, prefix);
	j->rows = cb;
	ask(engine_of(s), j);
}

static void sqlite_txn(struct store *s, const struct store_cmp *cmp, size_t n_cmp,
	const struct store_op *ops, size_t n_ops, enum store_rc invalid, store_done done, void *arg)
{
	struct job *j = job_new(JOB_TXN, arg);

	j->done = done;
	j->invalid = invalid;
	if (!invalid)
		job_take_txn(j, cmp, n_cmp, ops, n_ops);
	ask(engine_of(s), j);
}

static struct store_watch *sqlite_watch(
	struct store *s, struct store_blob prefix, store_rev from, store_events cb, void *arg)
{
	struct engine *e = engine_of(s);
	struct job *j = job_new(JOB_WATCH, NULL);
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	*w = (struct watch){.base = {&store_sqlite},
		.next = e->watches,
		.engine = e,
		.cb = cb,
		.arg = arg,
		.prefix_len = prefix.len};
	memcpy(w->prefix, prefix.data, prefix.len);
	e->watches = w;
	job_take_prefix(j, prefix);
	j->from = from;
	j->watch = w;
	ask(e, j);
	return &w->base;
}

static void sqlite_unwatch(struct store_watch *base)
{
	struct watch *w = (struct watch *)base;

	w->dead = true;
	watch_reap(w->engine);
}

static bool start(struct engine *e, struct event_base *base)
{
	job_queue_init(&e->todo);
	job_queue_init(&e->done);
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->asked, NULL);
	e->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e->wake = e->fd < 0 ? NULL : event_new(base, e->fd, EV_READ | EV_PERSIST, on_wake, e);
	return e->wake && !event_add(e->wake, NULL) &&
	       !pthread_create(&e->thread, NULL, thread_main, e);
}

static void end(struct engine *e)
{
	if (e->wake)
		event_free(e->wake);
	if (e->fd >= 0)
		close(e->fd);
	pthread_cond_destroy(&e->asked);
	pthread_mutex_destroy(&e->lock);
	sqlite_db_close(e->db);
	free(e);
}

// rest: "/absolute/path".
static struct store *sqlite_open(const char *rest, struct event_base *base, char *err, size_t cap)
{
	struct engine *e;
	struct sqlite_db *db;

	if (*rest != '/') {
		snprintf(err, cap, "the store sqlite://%s is not sqlite:///PATH", rest);
		return NULL;
	}
	db = sqlite_db_open(rest, err, cap);
	e = db ? calloc(1, sizeof(*e)) : NULL;
	if (!e) {
		sqlite_db_close(db);
		return NULL;
	}
	e->base.engine = &store_sqlite;
	e->db = db;
	if (start(e, base))
		return &e->base;
	snprintf(err, cap, "cannot start the thread of the store");
	end(e);
	return NULL;
}

static void end_watches(struct engine *e)
{
	for (struct watch *w = e->watches; w; w = w->next)
		w->dead = true;
}

static void sqlite_close(struct store *s)
{
	struct engine *e = engine_of(s);
	struct job *j;

	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_signal(&e->asked);
	pthread_mutex_unlock(&e->lock);
	pthread_join(e->thread, NULL);
	while (end_watches(e), (j = next_result(e)))
		deliver(e, j);
	watch_reap(e);
	end(e);
}

const struct store_engine store_sqlite = {
	.scheme = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.list = sqlite_list,
	.txn = sqlite_txn,
	.watch = sqlite_watch,
	.unwatch = sqlite_unwatch,
};
