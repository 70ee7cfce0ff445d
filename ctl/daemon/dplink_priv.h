#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the files of the dplink share: dplink.c is the connection, dplink_sync.c what is sent over
// it, dplink_dump.c what is read.

#include "ctl/daemon/dplink.h"

#include "base/ts.h"

#include <event2/event.h>

#include <sys/queue.h>

#define DPLINK_WINDOW 64u	     // object requests without answer
#define DPLINK_ANSWER_US (5 * TS_S)  // an answer that takes longer: the dataplane hangs
#define DPLINK_REFUSED_US (5 * TS_S) // then a refused object is sent again
#define DPLINK_RESYNC_US (30 * TS_S) // not more often because what it holds differs
#define DPLINK_BACKOFF_MS_MIN 10u
#define DPLINK_BACKOFF_MS_MAX 250u

enum dplink_state {
	DPLINK_AWAY,
	DPLINK_HELLO,	// connected, HELLO sent
	DPLINK_SYNCING, // sending everything
	DPLINK_UP,	// sending differences
};

enum request_type { REQ_HELLO, REQ_BEGIN, REQ_SET, REQ_DEL, REQ_COMMIT, REQ_KICK };

// A request that waits for its ACK, in the order sent.
struct request {
	STAILQ_ENTRY(request) next;
	enum request_type type;
	uint32_t seq, kind;
	uint64_t id;
	ts_us sent;
	dplink_done done;
	void *arg;
};

// A page to be read. One at a time is under way: the head.
struct dump {
	STAILQ_ENTRY(dump) next;
	struct dp_dump what;
	dplink_page cb; // NULL: our own look at the objects
	void *arg;
	bool sent;
	uint32_t seq;
	ts_us sent_at;
};

struct refusal {
	LIST_ENTRY(refusal) next;
	uint32_t kind;
	uint64_t id;
	char error[DP_ERROR_MAX];
};

// What the dataplane says of its objects, sorted by (kind, id).
struct states {
	struct dp_object_state *all;
	size_t n, cap;
};

struct dplink {
	struct event_base *base;
	const char *path;
	uint64_t epoch;
	const struct dplink_ops *ops;
	void *arg;
	enum dplink_state state;
	struct dp_client client;
	struct event *readable, *writable, *connect, *tick;
	unsigned backoff_ms;
	struct dp_hello_r hello;
	char said[256]; // why it is away, as last logged; empty: it is not

	bool wanted; // dplink_want() was called
	bool dirty;  // `want` and `applied` may differ by more than what was sent
	struct desired_set want, sending;
	size_t sent; // of `sending`
	bool begun, committed, force;
	struct applied *applied;
	size_t n_applied, cap_applied;
	LIST_HEAD(, refusal) refusals;
	uint32_t held;
	uint64_t changes; // grows with each object request sent
	ts_us synced, refused_at;

	STAILQ_HEAD(, request) requests;
	unsigned n_objects; // object requests among them

	STAILQ_HEAD(, dump) dumps;
	struct states states, coming;
	bool looking, look_again; // at the objects
	bool look_due;		  // an answer came that may have changed states
	uint64_t looked_changes;  // `changes` when the look began; UINT64_MAX: it proves nothing
};

// dplink.c
void dplink_close(struct dplink *l, const char *why);
// Note a request that was sent as seq; a negative seq is its failure: -EAGAIN waits for room,
// others close. Returns whether it was sent.
bool dplink_sent(struct dplink *l, int64_t seq, enum request_type type, uint32_t kind, uint64_t id,
	dplink_done done, void *arg);

// dplink_sync.c
void sync_start(struct dplink *l);    // HELLO was answered
void sync_continue(struct dplink *l); // send what there is room for
void sync_reset(struct dplink *l);    // the connection is gone
void sync_answered(struct dplink *l, const struct request *r, int status, const struct dp_ack *ack);
void sync_tick(struct dplink *l, ts_us now);
const struct applied *sync_applied(const struct dplink *l, uint32_t kind, uint64_t id);
const struct refusal *sync_refusal(const struct dplink *l, uint32_t kind, uint64_t id);

// dplink_dump.c
void dump_look(struct dplink *l); // at all objects, soon
void dump_send(struct dplink *l);
void dump_answered(struct dplink *l, const struct dp_msg *m);
void dump_failed(struct dplink *l, int status); // the one under way
void dump_reset(struct dplink *l);		// the connection is gone: call back all
