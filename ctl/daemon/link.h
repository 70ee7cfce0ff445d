#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The link to the dataplane: connects and connects again, and keeps what the dataplane holds equal
// to what is desired (control-plane 4.4). Level-triggered: after any trouble it compares and sends
// what differs. Both directions are bounded; nothing blocks.

#include "ctl/core/reconcile.h"
#include "ctl/dp/dp_client.h"

struct event_base;
struct link;

struct link_ops {
	// The dataplane answered HELLO. stats_fd: the callee's, -1: none came.
	void (*up)(void *arg, const struct dp_hello_r *hello, int stats_fd);
	void (*down)(void *arg, const char *why);
	void (*notice)(void *arg, const struct dp_notice *n);
	// An object's state has changed.
	void (*object)(void *arg, const struct dp_object_state *state);
	// All that was wanted has been answered and looked at.
	void (*settled)(void *arg);
	// The dataplane asks a stream's hook; link_admit() answers. NULL: nobody answers.
	void (*admit)(void *arg, const struct dp_admit *q);
};

// epoch: a later owner has a higher one. ops: borrowed for life. NULL when out of memory.
struct link *link_new(struct event_base *base, const char *path, uint64_t epoch,
	const struct link_ops *ops, void *arg);
void link_free(struct link *l);

// What should be there from now on. The set is taken over and emptied. Nothing is sent before the
// first call.
void link_want(struct link *l, struct desired_set *want);

// One object more, or another content of one that is wanted; one less. As link_want() with the
// whole set, for the price of one. After the first link_want().
void link_put(struct link *l, const struct desired *d);
void link_drop(struct link *l, uint32_t kind, uint64_t id);

// Send everything again and let the dataplane sweep whatever is not in it, removal guard or not.
void link_force(struct link *l);

bool link_is_up(const struct link *l);
const struct dp_hello_r *link_hello(const struct link *l); // of the present connection; NULL: away
uint64_t link_changes(const struct link *l);		   // grows with each object that is sent
uint32_t link_held(const struct link *l);		   // objects that the removal guard keeps

// What the dataplane last said of an object. NULL: nothing of this version yet.
const struct dp_object_state *link_object(
	const struct link *l, uint32_t kind, uint64_t id, uint64_t version);

// Has the dataplane taken this version of an object (0: any)? Of policies and secrets it says no
// more than that.
bool link_holds(const struct link *l, uint32_t kind, uint64_t id, uint64_t version);

// Why the dataplane refused an object, one sentence; NULL: it did not.
const char *link_refusal(const struct link *l, uint32_t kind, uint64_t id);

// status: 0 and a page; -ENOTCONN: the dataplane is away or went.
typedef void (*link_page)(
	void *arg, int status, const struct dp_session *s, size_t n, uint64_t next);
void link_sessions(struct link *l, enum dp_dump_what what, const char *stream, uint64_t cursor,
	uint32_t limit, link_page cb, void *arg);

// status: 0, -ENOENT (no such session), -EINVAL (to be banned, and no caller), -ENOSPC (too many
// are banned), -ENOTCONN.
typedef void (*link_done)(void *arg, int status);
void link_kick(struct link *l, uint64_t session, uint32_t ban_s, link_done cb, void *arg);

// Answer a question of the present connection. Lost when there is no room: the dataplane does not
// wait for long.
void link_admit(struct link *l, const struct dp_admit_r *r);

// Forget the callbacks of this argument: its owner goes.
void link_forget(struct link *l, const void *arg);
