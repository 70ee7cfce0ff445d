#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The control thread's code without threads and sockets: workers and UDP sockets are played here,
// and time is passed in. Workers do nothing until rig_work(), so that what is in flight can be
// looked at.

#include "control/control_priv.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	RIG_WORKERS = 2,
	RIG_STREAMS = 8,
	RIG_SUBSCRIBERS = 16,
	RIG_SLOTS = 128,
	RIG_PARKS = 256,
	RIG_CMDS = 512,
	RIG_EVENTS = 2048,
	RIG_FDS = 1024,
};

struct rig_session {
	bool used;
	uint32_t generation;
	uint16_t tag;
	struct stream *stream;
	struct dp_session d;
};

struct rig_park {
	struct parked p;
	bool waits;
	int code;	 // 0, or what it was refused with
	session_key key; // 0, or what became of it
};

struct rig_worker {
	unsigned room; // of its command ring
	struct cmd *cmds[RIG_CMDS];
	unsigned n_cmds;
	struct event events[RIG_EVENTS];
	unsigned n_events, n_read;
	struct rig_session sessions[RIG_SLOTS];
	struct rig_park parks[RIG_PARKS];
	unsigned n_parks;
};

struct rig {
	struct control *c;
	ts_us now;
	struct rig_worker workers[RIG_WORKERS];
	int stats_fd;
	struct dp_stats_header *stats;
	// What sockets do.
	int listen_rc, bind_rc; // 0 or -errno
	unsigned n_listens, n_binds;
	struct port_sock_source bound; // the last
	// What workers do.
	int add_status[RIG_WORKERS]; // SOCK_ADD: of the socket
	int play_status, publish_status, push_status;
	unsigned n_commands; // carried out
};

struct rig *rig_new(void);
struct rig *rig_new_served(int listen_fd); // with clients
void rig_free(struct rig *r);		   // all sockets must be closed again, all commands done

// One turn of control; one of all workers; both until nothing happens.
void rig_turn(struct rig *r);
void rig_work(struct rig *r);
void rig_settle(struct rig *r);
void rig_pass(struct rig *r, unsigned ms); // time passes, then as rig_settle()

unsigned rig_open_fds(const struct rig *r);

// Objects, by the daemon's hand. Each returns object_set()'s status. The version is a hash of the
// content.
struct dp_listener rig_listener(uint16_t port);
struct dp_stream rig_stream(const char *name);
struct dp_route rig_route(const char *stream, uint16_t port);
struct dp_source rig_source(const char *stream, uint16_t port);
struct dp_secret rig_secret(const char *text);
struct dp_policy rig_policy(enum dp_policy_type type, const char *name, uint64_t secret);
int rig_set(struct rig *r, uint32_t kind, const char *identity, const void *body);
int rig_del(struct rig *r, uint32_t kind, const char *identity);
struct object *rig_object(struct rig *r, uint32_t kind, const char *identity);

// A caller's conclusion lands on a worker, by the listener of this identity; and what came of it.
unsigned rig_call(struct rig *r, unsigned worker, const char *listener, const char *streamid);
int rig_code(const struct rig *r, unsigned worker, unsigned park);
session_key rig_key(const struct rig *r, unsigned worker, unsigned park);
struct rig_session *rig_session(struct rig *r, session_key key); // NULL: gone

// A session ends by itself; a stream's state changes; both seen by its worker.
void rig_leave(struct rig *r, session_key key, enum dp_close why);
void rig_state(struct rig *r, const char *stream, enum dp_stream_state state);
