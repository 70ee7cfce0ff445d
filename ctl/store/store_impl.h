#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What an engine implements. store.c has checked the arguments; the engine copies them.

#include "ctl/store/store.h"

struct store_engine {
	const char *scheme; // "sqlite"
	struct store *(*open)(const char *rest, struct event_base *base, char *err, size_t cap);
	void (*close)(struct store *s);
	void (*list)(struct store *s, struct store_blob prefix, store_rows cb, void *arg);
	// invalid: not STORE_OK: only call back with this, in turn.
	void (*txn)(struct store *s, const struct store_cmp *cmp, size_t n_cmp,
		const struct store_op *ops, size_t n_ops, enum store_rc invalid, store_done done,
		void *arg);
	struct store_watch *(*watch)(struct store *s, struct store_blob prefix, store_rev from,
		store_events cb, void *arg);
	void (*unwatch)(struct store_watch *w);
};

// First member of every engine's store and watch.
struct store {
	const struct store_engine *engine;
};

struct store_watch {
	const struct store_engine *engine;
};

extern const struct store_engine store_sqlite;

static inline bool store_has_prefix(struct store_blob key, struct store_blob prefix)
{
	return key.len >= prefix.len && !__builtin_memcmp(key.data, prefix.data, prefix.len);
}
