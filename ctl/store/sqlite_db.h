#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The SQL below store_sqlite: blocking, used by one thread at a time.

#include "ctl/store/store.h"

#define SQLITE_DB_KEPT 10000 // revisions that a watch can start from

struct sqlite_db;

// Returns NULL and one sentence in err.
struct sqlite_db *sqlite_db_open(const char *path, char *err, size_t cap);
void sqlite_db_close(struct sqlite_db *db);

// Why the last call failed.
const char *sqlite_db_error(const struct sqlite_db *db);

// What a call found. Events and what they point to belong to the result.
struct sqlite_result {
	enum store_rc rc;
	store_rev rev; // of the store after the call
	struct store_event *ev;
	size_t n, cap;
};

void sqlite_result_fini(struct sqlite_result *r);

// Rows as events that are no deletions, in key order.
void sqlite_db_list(struct sqlite_db *db, struct store_blob prefix, struct sqlite_result *out);

// Events from a revision on, in order; STORE_COMPACTED when some of them are gone.
void sqlite_db_replay(
	struct sqlite_db *db, struct store_blob prefix, store_rev from, struct sqlite_result *out);

// The events are what the transaction changed.
void sqlite_db_txn(struct sqlite_db *db, const struct store_cmp *cmp, size_t n_cmp,
	const struct store_op *ops, size_t n_ops, struct sqlite_result *out);
