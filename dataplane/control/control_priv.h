#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the files of this folder share.

#include "base/rand.h"
#include "control/access.h"
#include "control/admit.h"
#include "control/bans.h"
#include "control/control.h"
#include "control/notice.h"
#include "control/refusals.h"
#include "control/server.h"
#include "state/stream.h"

struct ctl_stream;

#define OBJECTS_MAX 1000000u
#define OBJECT_ID_MAX ((1ull << 40) - 1) // B12

// An object that the daemon has sent.
struct object {
	uint32_t kind; // enum dp_kind
	uint64_t id, version;
	bool marked;   // mentioned by the sync that is under way
	bool gone;     // to be freed when nothing is in flight
	uint8_t state; // enum dp_obj_state
	char error[DP_ERROR_MAX];
	ts_us retry_at;		 // not before; 0: as soon as something has changed
	unsigned tries;		 // of its socket
	int refusal;		 // ROUTE: errno of the kernel that takes nothing for it
	unsigned in_flight;	 // commands that name it
	struct ctl_stream *used; // ROUTE, SOURCE: held while it is active
	session_key session;	 // ROUTE, SOURCE
	uint16_t tag;		 // LISTENER, SOURCE: of its socket, 0: none
	bool closing;		 // LISTENER, SOURCE: its socket is being closed
	unsigned adding;	 // LISTENER: workers that have still to serve it
	bool refused;		 // LISTENER: by one of them
	uint64_t deriving;	 // ROUTE, SOURCE that calls: its key is being made; 0: not
	struct object *next;	 // POLICY: in its bucket
	union {			 // last: an object takes what its kind needs
		struct dp_listener listener;
		struct dp_stream stream;
		struct dp_route route;
		struct dp_source source;
		struct dp_secret secret;
		struct dp_policy policy;
	};
};

struct objects {
	struct object **all; // sorted by (kind, id)
	uint32_t n, cap;
	bool syncing;
	uint32_t held; // by the removal guard, at the last commit
};

// Whose links may join.
struct publisher_group {
	uint32_t id;
	uint8_t type;
	char user[DP_USER_MAX];
	char streamid[SRT_SID_MAX + 1];
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
	bool has_push_salt;    // of the key that all SRT targets share
	uint8_t push_salt[SRT_KM_SALT];
	uint64_t publisher_secret;			    // object of its passphrase; 0: clear
	uint8_t publisher_km[SRT_KM_MAX], publisher_km_len; // its last message under a new salt
	uint64_t source; // object of a publisher that is a source; 0: it called us
	unsigned publish_in_flight;
	struct publisher_group group; // that the publisher is, or the one that begins; id 0: none
	struct ctl_stream *next;      // in its bucket, or of the free ones
	uint8_t state;		      // enum dp_stream_state
	uint32_t n_users;	      // routes and sources
	uint32_t n_subscribers;
	ts_us lonely_since;
};

#define TAGS_MAX 4096u

struct cmd_queue {
	struct cmd_node *head, **tail;
};

// What a worker's calls go out by (decisions A19).
struct call_socket {
	uint16_t tag; // 0: not open
	struct endpoint local;
};

struct control {
	struct control_opts o;
	ts_us now;
	struct objects objects;
	struct ctl_stream *streams; // o.max_streams of them; free when control is NULL
	struct ctl_stream *free_streams, **buckets;
	uint32_t n_buckets; // power of two
	uint32_t n_streams, n_subscribers;
	struct admits admits;
	struct refusals refusals;
	struct policies policies;
	struct badges badges;
	struct bans bans;
	struct hook_cache hook_cache;
	struct kdf *kdf;
	struct cmd_queue *queues;      // per worker: what did not fit its ring
	struct object *tags[TAGS_MAX]; // who holds a socket tag
	struct object calling;	       // holds those of call sockets
	struct call_socket call_sockets[DP_WORKERS_MAX];
	uint64_t n_calls;
	struct rand rand;
	uint64_t generation, owner_epoch;
	ts_us started, second_at, retry_at;
	struct server *server;
	struct notices notices;
	bool retry; // something has changed that a waiting object may want
	bool draining;
	unsigned quitting;
};

// post.c: commands. The owner is what done_*() of its kind gets back.
void post(struct control *c, unsigned worker, const struct cmd *cmd);
void post_pending(struct control *c);
void post_drop_pending(struct control *c); // at the end

// keys.c
void keys_wanted(struct control *c, const struct event *e); // of a publisher
// The publisher's message, which tells whose passphrase is the same; NULL: it is clear.
void keys_note(struct ctl_stream *s, const uint8_t *km, uint16_t len);
// Have it tried for a route that calls.
void keys_try(const struct ctl_stream *s, struct kdf_job *j, uint8_t key_len);
void keys_turn(struct control *c); // what helpers have derived

// events.c
void events_turn(struct control *c);

// objects.c
struct object *object_find(struct control *c, uint32_t kind, uint64_t id);
uint32_t objects_from(const struct objects *t, uint32_t kind, uint64_t id); // position
size_t object_body_size(uint32_t kind); // of its struct; 0: not served
const char *object_kind_name(uint32_t kind);
int object_set(struct control *c, const struct dp_obj *o, const void *body, char *err, size_t cap);
int object_del(struct control *c, uint32_t kind, uint64_t id);
void objects_begin(struct control *c);
// Sweep what the sync did not mention, if what it did adds up to this digest. Returns 0, -EILSEQ
// (nothing was swept), or how many objects the removal guard holds.
int objects_commit(struct control *c, const struct dp_sync_commit *commit);
void objects_digest(const struct control *c, uint64_t digest[8], uint32_t count[8]);
void object_apply(struct control *c, struct object *o);	  // make it so, as far as can be now
void object_remove(struct control *c, struct object *o);  // undo that
void object_release(struct control *c, struct object *o); // a command of it is done
void object_free_all(struct control *c);

// object_state.c
void object_state(struct control *c, struct object *o, enum dp_obj_state s, const char *error);
void object_no_socket(struct control *c, struct object *o, int rc, const char *error);
void object_kicked(struct control *c, const struct event *e); // its session was ended
void objects_retry(struct control *c);

// object_check.c: what is wrong with a content, or NULL.
const char *object_check(const struct object *o);
// May an object of this content have this id? And do its strings end?
bool object_is_whole(uint32_t kind, uint64_t id, const void *body);

// listeners.c, pushes.c, sources.c, streams.c: one kind each.
void listener_apply(struct control *c, struct object *o);
void listener_remove(struct control *c, struct object *o);
void listener_done(struct control *c, struct object *o, const struct cmd *cmd);
void push_apply(struct control *c, struct object *o);
void push_remove(struct control *c, struct object *o);
void push_ended(struct control *c, const struct event *e, const char *why);
void push_check(
	struct control *c, struct object *o); // can it carry what the stream is, and goes it out?
void push_refused(struct control *c, const struct event *e);
void push_done(struct control *c, struct object *o, const struct cmd *cmd);
void source_apply(struct control *c, struct object *o);
void source_remove(struct control *c, struct object *o);
void source_done(struct control *c, struct object *o, const struct cmd *cmd);
void stream_apply(struct control *c, struct object *o);
void stream_remove(struct control *c, struct object *o);

// calls.c: sources and routes that call an SRT listener.
bool object_calls(const struct object *o);
void call_apply(struct control *c, struct object *o);
void call_remove(struct control *c, struct object *o);
void call_done(struct control *c, struct object *o, const struct cmd *cmd);
void call_up(struct control *c, const struct event *e);
void call_ended(struct control *c, const struct event *e, const char *why);
void call_failed(struct control *c, const struct event *e);
void call_key_made(struct control *c, const struct kdf_result *r);
void call_socket_done(struct control *c, const struct cmd *cmd);

// stream_table.c: slots by name.
bool stream_table_init(struct control *c);
struct ctl_stream *stream_find(struct control *c, const char *name);
struct ctl_stream *stream_take(struct control *c, const char *name); // NULL: full
void stream_give(struct control *c, struct ctl_stream *s);

// streams.c
// Find or open a stream for an object. NULL, and the object says why: no slot, or still closing.
struct ctl_stream *stream_use(struct control *c, const char *name, struct object *user);
struct ctl_stream *stream_make(struct control *c, const char *name); // undeclared; NULL: no slot
struct dp_stats_stream *stream_stats(struct control *c, const struct ctl_stream *s);
void stream_opened(struct control *c, struct ctl_stream *s);
void stream_closed(struct control *c, struct ctl_stream *s); // by one worker
// Hold the past that repairs within this latency ask for, twice over (decisions A8), unless the
// stream's history was set.
void stream_deepen(struct ctl_stream *s, uint32_t latency_ms);
void streams_second(struct control *c);
static inline struct ctl_stream *ctl_stream_of(struct stream *s)
{
	return (struct ctl_stream *)s;
}

// tags.c: sockets have small numbers. 0: none left.
uint16_t tag_take(struct control *c, struct object *o);
void tag_give(struct control *c, uint16_t tag);

// ops.c
void ops_message(struct control *c, struct client *from, const uint8_t *msg, size_t len);
