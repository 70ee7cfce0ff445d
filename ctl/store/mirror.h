#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A prefix of the store kept in memory: list, watch behind it, and when that revision is gone list
// again and show the difference. The only way in which daemons read the store.

#include "ctl/store/store.h"

struct mirror;

struct mirror_entry {
	const char *key; // terminated
	const char *val; // terminated, so that text can be used as such
	size_t len;	 // of val
	store_rev mod_rev;
};

struct mirror_ops {
	// before NULL: new. after NULL: gone. Entries are borrowed until it returns.
	void (*changed)(
		void *arg, const struct mirror_entry *before, const struct mirror_entry *after);
	// A revision (or the first list, or a new list) has been shown whole. May be NULL.
	void (*caught_up)(void *arg, store_rev rev);
	// The store cannot be read for now; the mirror tries again by itself. May be NULL.
	void (*failed)(void *arg, enum store_rc rc);
};

// Returns NULL when out of memory. The first list comes later, from the loop. ops: borrowed for
// life.
struct mirror *mirror_new(struct store *s, struct event_base *base, const char *prefix,
	const struct mirror_ops *ops, void *arg);
void mirror_free(struct mirror *m); // before its store is closed

bool mirror_ready(const struct mirror *m);    // the first list has come
store_rev mirror_rev(const struct mirror *m); // shown up to here
size_t mirror_count(const struct mirror *m);

// NULL: not there. Valid until the loop runs again.
const struct mirror_entry *mirror_get(const struct mirror *m, const char *key);

// Key order: the first entry whose key is greater than `after` (NULL: the first of all) and begins
// with prefix. NULL: no more. O(log n).
const struct mirror_entry *mirror_next(
	const struct mirror *m, const char *prefix, const char *after);
