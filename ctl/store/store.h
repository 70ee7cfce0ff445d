#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The store interface (control-plane 2.1): keys and values, transactions that compare revisions,
// watches from a revision. Asynchronous on an event loop: every callback comes from the loop, never
// from inside the call that asked for it, in the order of the calls. What a callback is given is
// borrowed until it returns.
//
// Each transaction has one revision; revisions grow. A watch never splits a revision and shows each
// one once, in order. A transaction's events have been shown to the watches of this process when
// its `done` is called.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct store;
struct store_watch;

typedef int64_t store_rev;

#define STORE_KEY_MAX 256u	 // bytes
#define STORE_OPS_MAX 100u	 // of a transaction, each key once
#define STORE_TXN_MAX (1u << 20) // bytes of keys and values of a transaction
#define STORE_QUEUE_MAX 10000u	 // requests that wait; more are STORE_UNAVAILABLE

enum store_rc {
	STORE_OK,
	STORE_CAS,		// a comparison failed: nothing was written
	STORE_COMPACTED,	// that revision is gone: list again, watch from its snapshot + 1
	STORE_UNAVAILABLE = -1, // certainly not applied, may be tried again
	STORE_UNKNOWN = -2,	// may have been applied: read before doing anything
	STORE_TOO_BIG = -3,	// over one of the limits above
	STORE_INVALID = -4,	// empty key, a key twice, a write without comparison
};

// "no space left" is STORE_UNAVAILABLE; this names the code for logs.
const char *store_rc_str(enum store_rc rc);

struct store_blob {
	const void *data;
	size_t len;
};

struct store_kv {
	struct store_blob key, val;
	store_rev mod_rev; // of the last transaction that wrote it
};

// The key's revision must be this; 0: it must not exist.
struct store_cmp {
	struct store_blob key;
	store_rev mod_rev;
};

struct store_op {
	bool del;
	struct store_blob key, val;
};

struct store_event {
	bool del;
	struct store_kv kv; // of a deletion: key and revision
};

// url: "sqlite:///var/lib/sluice/sluice.db". Makes the file (mode 0600) when there is none; the
// folder must exist. Returns NULL and one sentence in err: bad URL, no such folder, a file that is
// no store or a newer version's, a store that another process has open.
struct store *store_open(const char *url, struct event_base *base, char *err, size_t cap);

// Finishes what was asked for, calls back, ends the watches (without a callback) and closes. What
// is asked in one of those callbacks is STORE_UNAVAILABLE.
void store_close(struct store *s);

typedef void (*store_done)(void *arg, enum store_rc rc, store_rev rev);
typedef void (*store_rows)(
	void *arg, enum store_rc rc, store_rev snapshot, const struct store_kv *kv, size_t n);
typedef void (*store_events)(
	void *arg, enum store_rc rc, store_rev upto, const struct store_event *ev, size_t n);

// All keys with the prefix, in key order, of one snapshot.
void store_list(struct store *s, struct store_blob prefix, store_rows cb, void *arg);

// If every comparison holds, do all operations, at once and durably. Each key that is written must
// be compared (that makes a repetition harmless). Arguments are copied. Deleting what is not there
// is fine. done gets the revision (of CAS: the store's).
void store_txn(struct store *s, const struct store_cmp *cmp, size_t n_cmp,
	const struct store_op *ops, size_t n_ops, store_done done, void *arg);

// Events of keys with the prefix, from the revision `from` on. With STORE_COMPACTED the watch has
// ended (unwatch it still).
struct store_watch *store_watch(
	struct store *s, struct store_blob prefix, store_rev from, store_events cb, void *arg);

// No callback afterwards; fine inside the watch's own callback.
void store_unwatch(struct store_watch *w);

static inline struct store_blob store_str(const char *s)
{
	return (struct store_blob){s, __builtin_strlen(s)};
}
