#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The connection to the dataplane: connects and connects again, and keeps what the dataplane holds
// equal to what is desired (control-plane 4.4). Level-triggered: after any trouble it compares and
// sends what differs. Both directions are bounded; nothing blocks.

#include "ctl/core/reconcile.h"
#include "ctl/dp/dp_client.h"

struct event_base;
struct dplink;

struct dplink_ops {
	// The dataplane answered HELLO. stats_fd: the callee's, -1: none came.
	void (*up)(void *arg, const struct dp_hello_r *hello, int stats_fd);
	void (*down)(void *arg, const char *why);
	void (*notice)(void *arg, const struct dp_notice *n);
	// An object's state has changed.
	void (*object)(void *arg, const struct dp_object_state *state);
	// All that was wanted has been answered and looked at.
	void (*settled)(void *arg);
	// The dataplane asks a stream's hook; dplink_admit() answers. NULL: nobody answers.
	void (*admit)(void *arg, const struct dp_admit *q);
};

// epoch: a later owner has a higher one. ops: borrowed for life. NULL when out of memory.
struct dplink *dplink_new(struct event_base *base, const char *path, uint64_t epoch,
	const struct dplink_ops *ops, void *arg);
void dplink_free(struct dplink *l);

// What should be there from now on. The set is taken over and emptied. Nothing is sent before the
// first call.
void dplink_want(struct dplink *l, struct desired_set *want);

// One object more, or another content of one that is wanted; one less. As dplink_want() with the
// whole set, for the price of one. After the first dplink_want().
void dplink_put(struct dplink *l, const struct desired *d);
void dplink_drop(struct dplink *l, uint32_t kind, uint64_t id);

// Send everything again and let the dataplane sweep whatever is not in it, removal guard or not.
void dplink_force(struct dplink *l);

bool dplink_is_up(const struct dplink *l);
const struct dp_hello_r *dplink_hello(
	const struct dplink *l);		 // of the present connection; NULL: away
uint64_t dplink_changes(const struct dplink *l); // grows with each object that is sent
uint32_t dplink_held(const struct dplink *l);	 // objects that the removal guard keeps

// What the dataplane last said of an object. NULL: nothing of this version yet.
const struct dp_object_state *dplink_object(
	const struct dplink *l, uint32_t kind, uint64_t id, uint64_t version);

// Has the dataplane taken this version of an object (0: any)? Of policies and secrets it says no
// more than that.
bool dplink_holds(const struct dplink *l, uint32_t kind, uint64_t id, uint64_t version);

// Why the dataplane refused an object, one sentence; NULL: it did not.
const char *dplink_refusal(const struct dplink *l, uint32_t kind, uint64_t id);

// status: 0 and a page; -ENOTCONN: the dataplane is away or went.
typedef void (*dplink_page)(
	void *arg, int status, const struct dp_session *s, size_t n, uint64_t next);
void dplink_sessions(struct dplink *l, enum dp_dump_what what, const char *stream, uint64_t cursor,
	uint32_t limit, dplink_page cb, void *arg);

// status: 0, -ENOENT (no such session), -EINVAL (to be banned, and no caller), -ENOSPC (too many
// are banned), -ENOTCONN.
typedef void (*dplink_done)(void *arg, int status);
void dplink_kick(struct dplink *l, uint64_t session, uint32_t ban_s, dplink_done cb, void *arg);

// Answer a question of the present connection. Lost when there is no room: the dataplane does not
// wait for long.
void dplink_admit(struct dplink *l, const struct dp_admit_r *r);

// Forget the callbacks of this argument: its owner goes.
void dplink_forget(struct dplink *l, const void *arg);
