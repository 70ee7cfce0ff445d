// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "store_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_deadline(evutil_socket_t, short, void *)
{
	fail_msg("no answer within ten seconds");
}

void rig_wait(struct rig *r, const bool *flag)
{
	struct event *deadline = evtimer_new(r->base, on_deadline, NULL);

	evtimer_add(deadline, &(struct timeval){.tv_sec = 10});
	while (!*flag)
		assert_true(event_base_loop(r->base, EVLOOP_ONCE) >= 0);
	event_free(deadline);
}

void rig_reopen(struct rig *r)
{
	char err[256];

	store_close(r->store);
	r->store = store_open(r->url, r->base, err, sizeof(err));
	if (!r->store)
		fail_msg("%s", err);
}

void rig_open(struct rig *r)
{
	*r = (struct rig){.base = event_base_new()};
	// A commit waits for the disk, which others may keep busy: memory will do.
	snprintf(r->dir, sizeof(r->dir), "%s/store_test_XXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->url, sizeof(r->url), "sqlite://%s/s.db", r->dir);
	rig_reopen(r);
}

void rig_close(struct rig *r)
{
	static const char *const files[] = {"s.db", "s.db-wal", "s.db-shm"};
	char path[128];

	store_close(r->store);
	event_base_free(r->base);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", r->dir, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(r->dir), 0);
}

void rig_on_done(void *arg, enum store_rc rc, store_rev rev)
{
	struct rig *r = arg;

	r->rc = rc;
	r->rev = rev;
	r->answered = true;
}

enum store_rc rig_write(struct rig *r, const char *key, store_rev rev, const char *val)
{
	struct store_cmp cmp = {store_str(key), rev};
	struct store_op op = {.del = !val, .key = store_str(key)};

	if (val)
		op.val = store_str(val);
	r->answered = false;
	store_txn(r->store, &cmp, rev >= 0, &op, 1, rig_on_done, r);
	assert_false(r->answered);
	rig_wait(r, &r->answered);
	return r->rc;
}

static void note(struct rig *r, const struct store_kv *kv, bool del)
{
	size_t at = strlen(r->log);

	snprintf(r->log + at, sizeof(r->log) - at, "%c%.*s%s%.*s@%d ", del ? '-' : '+',
		(int)kv->key.len, (const char *)kv->key.data, del ? "" : "=", (int)kv->val.len,
		(const char *)kv->val.data, (int)kv->mod_rev);
}

static void on_rows(
	void *arg, enum store_rc rc, store_rev snapshot, const struct store_kv *kv, size_t n)
{
	struct rig *r = arg;

	for (size_t i = 0; i < n; i++)
		note(r, &kv[i], false);
	rig_on_done(r, rc, snapshot);
}

const char *rig_list(struct rig *r, const char *prefix)
{
	r->log[0] = '\0';
	r->answered = false;
	store_list(r->store, store_str(prefix), on_rows, r);
	rig_wait(r, &r->answered);
	assert_int_equal(r->rc, STORE_OK);
	return r->log;
}

void rig_on_events(
	void *arg, enum store_rc rc, store_rev upto, const struct store_event *ev, size_t n)
{
	struct rig *r = arg;
	size_t at = strlen(r->log);

	for (size_t i = 0; i < n; i++)
		note(r, &ev[i].kv, ev[i].del);
	at = strlen(r->log);
	if (rc)
		snprintf(r->log + at, sizeof(r->log) - at, "compacted ");
	else
		snprintf(r->log + at, sizeof(r->log) - at, "|%d ", (int)upto);
}
