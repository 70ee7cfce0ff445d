// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/store/store_impl.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct store_engine *const engines[] = {&store_sqlite};

const char *store_rc_str(enum store_rc rc)
{
	switch (rc) {
	case STORE_OK:
		return "ok";
	case STORE_CAS:
		return "changed meanwhile";
	case STORE_COMPACTED:
		return "that revision is gone";
	case STORE_UNAVAILABLE:
		return "the store is not available";
	case STORE_UNKNOWN:
		return "the outcome is not known";
	case STORE_TOO_BIG:
		return "too big for the store";
	case STORE_INVALID:
		break;
	}
	return "not a valid transaction";
}

struct store *store_open(const char *url, struct event_base *base, char *err, size_t cap)
{
	size_t len = strcspn(url, ":");

	for (size_t i = 0; i < sizeof(engines) / sizeof(*engines); i++)
		if (strlen(engines[i]->scheme) == len && !strncmp(url, engines[i]->scheme, len) &&
			!strncmp(url + len, "://", 3))
			return engines[i]->open(url + len + 3, base, err, cap);
	snprintf(err, cap, "the store %s is not sqlite:///PATH", url);
	return NULL;
}

void store_close(struct store *s)
{
	if (s)
		s->engine->close(s);
}

void store_list(struct store *s, struct store_blob prefix, store_rows cb, void *arg)
{
	assert(prefix.len <= STORE_KEY_MAX);
	s->engine->list(s, prefix, cb, arg);
}

static bool blob_eq(struct store_blob a, struct store_blob b)
{
	return a.len == b.len && !memcmp(a.data, b.data, a.len);
}

static bool is_compared(struct store_blob key, const struct store_cmp *cmp, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (blob_eq(key, cmp[i].key))
			return true;
	return false;
}

static bool is_repeated(const struct store_op *ops, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (blob_eq(ops[k].key, ops[i].key))
			return true;
	return false;
}

static bool key_ok(struct store_blob key)
{
	return key.len > 0 && key.len <= STORE_KEY_MAX;
}

static enum store_rc check(
	const struct store_cmp *cmp, size_t n_cmp, const struct store_op *ops, size_t n_ops)
{
	size_t bytes = 0;

	if (n_ops > STORE_OPS_MAX || n_cmp > STORE_OPS_MAX)
		return STORE_TOO_BIG;
	for (size_t i = 0; i < n_cmp; i++)
		if (!key_ok(cmp[i].key))
			return STORE_INVALID;
	for (size_t i = 0; i < n_ops; i++) {
		if (!key_ok(ops[i].key) || is_repeated(ops, i) ||
			!is_compared(ops[i].key, cmp, n_cmp))
			return STORE_INVALID;
		bytes += ops[i].key.len + ops[i].val.len;
	}
	return bytes > STORE_TXN_MAX ? STORE_TOO_BIG : STORE_OK;
}

void store_txn(struct store *s, const struct store_cmp *cmp, size_t n_cmp,
	const struct store_op *ops, size_t n_ops, store_done done, void *arg)
{
	s->engine->txn(s, cmp, n_cmp, ops, n_ops, check(cmp, n_cmp, ops, n_ops), done, arg);
}

struct store_watch *store_watch(
	struct store *s, struct store_blob prefix, store_rev from, store_events cb, void *arg)
{
	assert(prefix.len <= STORE_KEY_MAX);
	return s->engine->watch(s, prefix, from, cb, arg);
}

void store_unwatch(struct store_watch *w)
{
	if (w)
		w->engine->unwatch(w);
}
