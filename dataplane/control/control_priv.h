#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the files of this folder share.

#include "control/control.h"
#include "control/notice.h"
#include "control/server.h"
#include "state/stream.h"

struct ctl_stream;

// An object that the daemon has sent.
struct object {
	uint32_t kind; // enum dp_kind
	uint64_t id, version;
	bool marked;   // mentioned by the sync that is under way
	bool gone;     // to be freed when nothing is in flight
	bool ended;    // by an operator
	uint8_t state; // enum dp_obj_state
	char error[DP_ERROR_MAX];
	union {
		struct dp_listener listener;
		struct dp_stream stream;
		struct dp_route route;
		struct dp_source source;
	};
	unsigned in_flight;	 // commands that name it
	struct ctl_stream *used; // ROUTE, SOURCE: held while it is active
	session_key session;	 // ROUTE, SOURCE
	uint16_t tag;		 // LISTENER, SOURCE: of its socket, 0: none
};

struct objects {
	struct object **all; // sorted by (kind, id)
	uint32_t n, cap;
	bool syncing;
	uint32_t held; // by the removal guard, at the last commit
};

// A stream in use: declared by an object, made by a publisher, or named by a route or source.
struct ctl_stream {
	struct stream s;
	struct control *control;
	struct object *declared; // NULL: not
	uint64_t id;
	uint32_t latency_ms, max_subscribers;
	uint8_t takeover;
	bool open;	       // the owner has it
	unsigned closing;      // workers that have still to forget it
	session_key publisher; // or source
	bool publisher_is_source, publish_in_flight;
	uint8_t state;	  // enum dp_stream_state
	uint32_t n_users; // routes and sources
	uint32_t n_subscribers;
	ts_us lonely_since;
};

// A conclusion that waits until its stream is open.
struct join {
	struct ctl_stream *stream;
	unsigned worker;
	uint32_t park, generation;
};

#define JOINS_MAX 1024u
#define TAGS_MAX 4096u

struct cmd_queue {
	struct cmd_node *head, **tail;
};

struct control {
	struct control_opts o;
	ts_us now;
	struct objects objects;
	struct ctl_stream *streams; // o.max_streams of them; free when s.control is NULL
	uint32_t n_streams, n_subscribers;
	struct join joins[JOINS_MAX];
	uint32_t n_joins;
	struct cmd_queue *queues;      // per worker: what did not fit its ring
	struct object *tags[TAGS_MAX]; // who holds a socket tag
	uint64_t generation, owner_epoch;
	ts_us started, second_at, retry_at;
	struct server *server;
	struct notices notices;
	bool retry; // something has changed that a waiting object may want
	unsigned quitting;
};

// post.c: commands. The owner is what done_*() of its kind gets back.
void post(struct control *c, unsigned worker, const struct cmd *cmd);
void post_pending(struct control *c);

// events.c
void events_turn(struct control *c);

// objects.c
struct object *object_find(struct control *c, uint32_t kind, uint64_t id);
size_t object_body_size(uint32_t kind); // of its struct; 0: not served
int object_set(struct control *c, const struct dp_obj *o, const void *body, char *err, size_t cap);
int object_del(struct control *c, uint32_t kind, uint64_t id);
void objects_begin(struct control *c);
uint32_t objects_commit(struct control *c, bool force); // returns how many are held
void objects_digest(const struct control *c, uint64_t digest[8], uint32_t count[8]);
void objects_retry(struct control *c);
void object_state(struct control *c, struct object *o, enum dp_obj_state s, const char *error);
void object_ended(struct control *c, uint64_t id, session_key session); // its session was ended
void object_release(struct control *c, struct object *o);		// a command of it is done

// listeners.c, pushes.c, sources.c, streams.c: one kind each.
void listener_apply(struct control *c, struct object *o);
void listener_remove(struct control *c, struct object *o);
void push_apply(struct control *c, struct object *o);
void push_remove(struct control *c, struct object *o);
void push_check(struct control *c, struct object *o); // can it carry what the stream is?
void push_done(struct control *c, struct object *o, const struct cmd *cmd);
void source_apply(struct control *c, struct object *o);
void source_remove(struct control *c, struct object *o);
void source_done(struct control *c, struct object *o, const struct cmd *cmd);
void stream_apply(struct control *c, struct object *o);
void stream_remove(struct control *c, struct object *o);

struct ctl_stream *stream_find(struct control *c, const char *name);
// Find or open a stream. NULL: no slot, or it is still closing.
struct ctl_stream *stream_use(struct control *c, const char *name);
struct dp_stats_stream *stream_stats(struct control *c, const struct ctl_stream *s);
void stream_opened(struct control *c, struct ctl_stream *s);
void stream_closed(struct control *c, struct ctl_stream *s); // by one worker
void stream_settle(struct control *c, struct ctl_stream *s); // close it when nobody needs it
void streams_second(struct control *c);
static inline struct ctl_stream *ctl_stream_of(struct stream *s)
{
	return (struct ctl_stream *)s;
}

// tags.c: sockets have small numbers. 0: none left.
uint16_t tag_take(struct control *c, struct object *o);
void tag_give(struct control *c, uint16_t tag);

// admit.c
void admit_join(struct control *c, unsigned worker, uint32_t park);
void admit_waiting(struct control *c, struct ctl_stream *s); // it is open now
void admit_done(struct control *c, struct cmd *cmd);

// ops.c
void ops_message(struct control *c, struct client *from, const uint8_t *msg, size_t len);
