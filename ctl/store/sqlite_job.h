#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One request to the thread of store_sqlite, with copies of its arguments, and queues of them. Out
// of memory ends the process: a request that got lost would never be answered.

#include "ctl/store/sqlite_db.h"

struct watch; // of store_sqlite.c

enum job_kind { JOB_LIST, JOB_TXN, JOB_WATCH };

struct job {
	struct job *next;
	enum job_kind kind;
	struct sqlite_result result;
	union {
		store_rows rows;
		store_done done;
		struct watch *watch;
	};
	void *arg;
	struct store_blob prefix;
	store_rev from;
	struct store_cmp *cmp;
	struct store_op *ops;
	size_t n_cmp, n_ops;
	enum store_rc invalid; // answer with this, do nothing
	uint8_t *bytes;	       // what the blobs above point to
};

struct job_queue {
	struct job *first, **last;
	size_t n;
};

struct job *job_new(enum job_kind kind, void *arg);
void job_free(struct job *j);

// Copy the arguments.
void job_take_prefix(struct job *j, struct store_blob prefix);
void job_take_txn(struct job *j, const struct store_cmp *cmp, size_t n_cmp,
	const struct store_op *ops, size_t n_ops);

void job_queue_init(struct job_queue *q);
void job_queue_put(struct job_queue *q, struct job *j);
struct job *job_queue_take(struct job_queue *q); // the oldest; NULL: empty
