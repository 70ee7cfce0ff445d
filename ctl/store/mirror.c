// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/store/mirror.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000

// The key stands behind the value in the entry's block.
struct entry {
	struct mirror_entry e;
	char bytes[];
};

struct mirror {
	struct store *store;
	struct store_watch *watch;
	struct event *retry;
	unsigned retry_ms;
	const struct mirror_ops *ops;
	void *arg;
	char *prefix;
	struct entry **entries; // by key
	size_t n, cap;
	store_rev rev;
	bool ready;
	bool listing; // a list is under way
	bool freed;   // while it was: the answer frees us
};

static void list(struct mirror *m);

static struct entry *entry_new(const struct store_kv *kv)
{
	struct entry *e = malloc(sizeof(*e) + kv->key.len + kv->val.len + 2);
	char *key;

	if (!e)
		abort(); // a mirror with a hole would delete objects
	key = e->bytes + kv->val.len + 1;
	if (kv->val.len)
		memcpy(e->bytes, kv->val.data, kv->val.len);
	e->bytes[kv->val.len] = '\0';
	memcpy(key, kv->key.data, kv->key.len);
	key[kv->key.len] = '\0';
	e->e = (struct mirror_entry){key, e->bytes, kv->val.len, kv->mod_rev};
	return e;
}

// Where the key is, or would be.
static size_t position(const struct mirror *m, const char *key)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (strcmp(m->entries[mid]->e.key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_at(const struct mirror *m, size_t i, const char *key)
{
	return i < m->n && !strcmp(m->entries[i]->e.key, key);
}

static void insert(struct mirror *m, size_t i, struct entry *e)
{
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		m->entries = realloc(m->entries, m->cap * sizeof(struct entry *));
		if (!m->entries)
			abort();
	}
	memmove(m->entries + i + 1, m->entries + i, (m->n - i) * sizeof(struct entry *));
	m->entries[i] = e;
	m->n++;
}

static void put(struct mirror *m, const struct store_kv *kv)
{
	struct entry *e = entry_new(kv), *old = NULL;
	size_t i = position(m, e->e.key);

	if (is_at(m, i, e->e.key)) {
		old = m->entries[i];
		m->entries[i] = e;
	} else {
		insert(m, i, e);
	}
	m->ops->changed(m->arg, old ? &old->e : NULL, &e->e);
	free(old);
}

static void drop(struct mirror *m, size_t i)
{
	struct entry *old = m->entries[i];

	memmove(m->entries + i, m->entries + i + 1, (m->n - i - 1) * sizeof(struct entry *));
	m->n--;
	m->ops->changed(m->arg, &old->e, NULL);
	free(old);
}

static void caught_up(struct mirror *m, store_rev rev)
{
	m->rev = rev;
	if (m->ops->caught_up)
		m->ops->caught_up(m->arg, rev);
}

static void on_events(
	void *arg, enum store_rc rc, store_rev upto, const struct store_event *ev, size_t n)
{
	struct mirror *m = arg;

	if (rc == STORE_COMPACTED) {
		store_unwatch(m->watch);
		m->watch = NULL;
		list(m);
		return;
	}
	for (size_t k = 0; k < n; k++) {
		char key[STORE_KEY_MAX + 1] = "";
		size_t i;

		memcpy(key, ev[k].kv.key.data, ev[k].kv.key.len);
		i = position(m, key);
		if (!ev[k].del)
			put(m, &ev[k].kv);
		else if (is_at(m, i, key))
			drop(m, i);
	}
	caught_up(m, upto);
}

static bool is_listed(const struct store_kv *kv, size_t n, const char *key)
{
	size_t lo = 0, hi = n, len = strlen(key);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2, common = kv[mid].key.len < len ? kv[mid].key.len : len;
		int d = memcmp(kv[mid].key.data, key, common);

		if (!d && kv[mid].key.len == len)
			return true;
		if (d < 0 || (!d && kv[mid].key.len < len))
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

// The difference between what we hold and a new list.
static void take_list(struct mirror *m, const struct store_kv *kv, size_t n)
{
	for (size_t i = m->n; i > 0; i--)
		if (!is_listed(kv, n, m->entries[i - 1]->e.key))
			drop(m, i - 1);
	for (size_t k = 0; k < n; k++) {
		char key[STORE_KEY_MAX + 1] = "";
		size_t i;

		memcpy(key, kv[k].key.data, kv[k].key.len);
		i = position(m, key);
		if (!is_at(m, i, key) || m->entries[i]->e.mod_rev != kv[k].mod_rev)
			put(m, &kv[k]);
	}
}

static void try_later(struct mirror *m, enum store_rc rc)
{
	struct timeval tv = {m->retry_ms / 1000, m->retry_ms % 1000 * 1000};

	m->retry_ms = m->retry_ms * 2 < RETRY_MAX_MS ? m->retry_ms * 2 : RETRY_MAX_MS;
	event_add(m->retry, &tv);
	if (m->ops->failed)
		m->ops->failed(m->arg, rc);
}

static void release(struct mirror *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->entries[i]);
	free(m->entries);
	free(m->prefix);
	free(m);
}

static void on_rows(
	void *arg, enum store_rc rc, store_rev snapshot, const struct store_kv *kv, size_t n)
{
	struct mirror *m = arg;

	m->listing = false;
	if (m->freed) {
		release(m);
		return;
	}
	if (rc) {
		try_later(m, rc);
		return;
	}
	m->retry_ms = RETRY_MIN_MS;
	m->watch = store_watch(m->store, store_str(m->prefix), snapshot + 1, on_events, m);
	take_list(m, kv, n);
	m->ready = true;
	caught_up(m, snapshot);
}

static void list(struct mirror *m)
{
	m->listing = true;
	store_list(m->store, store_str(m->prefix), on_rows, m);
}

static void on_retry(evutil_socket_t, short, void *arg)
{
	list(arg);
}

struct mirror *mirror_new(struct store *s, struct event_base *base, const char *prefix,
	const struct mirror_ops *ops, void *arg)
{
	struct mirror *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct mirror){.store = s, .ops = ops, .arg = arg, .retry_ms = RETRY_MIN_MS};
	m->prefix = strdup(prefix);
	m->retry = event_new(base, -1, 0, on_retry, m);
	if (!m->prefix || !m->retry) {
		mirror_free(m);
		return NULL;
	}
	list(m);
	return m;
}

void mirror_free(struct mirror *m)
{
	if (!m)
		return;
	store_unwatch(m->watch);
	if (m->retry)
		event_free(m->retry);
	m->freed = true;
	if (!m->listing)
		release(m);
}

bool mirror_ready(const struct mirror *m)
{
	return m->ready;
}

store_rev mirror_rev(const struct mirror *m)
{
	return m->rev;
}

size_t mirror_count(const struct mirror *m)
{
	return m->n;
}

const struct mirror_entry *mirror_get(const struct mirror *m, const char *key)
{
	size_t i = position(m, key);

	return is_at(m, i, key) ? &m->entries[i]->e : NULL;
}

const struct mirror_entry *mirror_next(
	const struct mirror *m, const char *prefix, const char *after)
{
	const char *from = after && strcmp(after, prefix) > 0 ? after : prefix;
	size_t i = position(m, from);

	if (after && is_at(m, i, after))
		i++;
	if (i >= m->n || strncmp(m->entries[i]->e.key, prefix, strlen(prefix)))
		return NULL;
	return &m->entries[i]->e;
}
