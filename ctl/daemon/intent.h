#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The intent in the store, as documents: what operators want. Kept in memory, written through
// transactions that name the revision they change (decisions B6).

#include "ctl/store/store.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct intent;

// kind: as in desired.h. name: of streams and users the name, of keys and tokens their id, else the
// id as text ("l0a1b2c3d4e").
struct intent_item {
	uint32_t kind;
	const char *name;
	const json_t *doc;
	store_rev rev;
};

struct intent_ops {
	// before NULL: new; after NULL: gone. Borrowed until it returns.
	void (*changed)(
		void *arg, const struct intent_item *before, const struct intent_item *after);
	void (*caught_up)(void *arg);		     // a transaction, or the first list, was shown
	void (*failed)(void *arg, enum store_rc rc); // the store cannot be read for now
};

// NULL when out of memory. ops: borrowed for life.
struct intent *intent_new(
	struct store *s, struct event_base *base, const struct intent_ops *ops, void *arg);
void intent_free(struct intent *in);
bool intent_ready(const struct intent *in);

// False when there is none. Valid until the loop runs again.
bool intent_get(struct intent *in, uint32_t kind, const char *name, struct intent_item *out);
// In name order: the first of the kind behind `after` (NULL: the first of all).
bool intent_next(struct intent *in, uint32_t kind, const char *after, struct intent_item *out);

size_t intent_count(const struct intent *in, uint32_t kind);

typedef void (*intent_done)(void *arg, enum store_rc rc, store_rev rev);

#define INTENT_OPS_MAX 8u // of a transaction

// Write (doc) or remove (NULL) an item that still has the revision (0: is not there).
struct intent_op {
	uint32_t kind;
	const char *name;
	store_rev rev;
	const json_t *doc;
};

// All of them or, when one has another revision, none: STORE_CAS. Everything is copied.
void intent_write(
	struct intent *in, const struct intent_op *ops, size_t n, intent_done done, void *arg);
