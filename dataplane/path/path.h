#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The path of a packet: six stages, in this order, called by worker/loop.c. The first four work on
// the batch and leave in it what goes on; the last two on what that has made due.
//
// The batch owns its packets. A stage that takes a packet out is its new owner: it hands it on or
// calls path_drop() or path_absorb(), which release the frame. Everything here belongs to one
// worker; nothing locks, allocates, logs or calls the kernel but the port.

#include "base/log.h"
#include "base/rand.h"
#include "base/wheel.h"
#include "io/port.h"
#include "proto/srt_cookie.h"
#include "proto/srt_verdict.h"
#include "state/note.h"
#include "state/park.h"
#include "state/secure.h"
#include "state/session.h"
#include "state/settled.h"
#include "state/view.h"

#include <stdbool.h>
#include <stdint.h>

#define PATH_TAGS 4096u	     // sockets: listeners and sources
#define PATH_TOLD 4u	     // refusals of one kind a second that control is told of
#define PATH_LINKS 8u	     // most of one bonded publisher
#define PATH_START_BURST 16u // packets per millisecond to one late joiner

struct arena;
struct rte_ring;

enum pkt_kind { PKT_HANDSHAKE, PKT_SRT, PKT_SOURCE, PKT_MEDIA };

// What the session stage found in a packet that goes on.
struct pkt_media {
	struct view *view;
	uint64_t seq; // the stream's
	ts_us play;
	uint16_t at, len;	 // what the history keeps, within the datagram
	uint16_t off, media_len; // the media payload within that
	bool recovered;
};

struct pkt {
	struct port_rx rx;
	struct session *session; // NULL: a handshake
	enum pkt_kind kind;
	// The media as it came, for targets that go under the publisher's key; NULL: not kept. Good
	// until the round's fan-out is done.
	const uint8_t *sealed;
	struct pkt_media media; // of PKT_MEDIA
};

struct batch {
	unsigned n;
	struct pkt pkts[PORT_BURST];
};

// A frame that goes back to the arena when the port has sent what it had queued by then.
struct path_retiree {
	struct rte_mbuf *frame;
	uint64_t posted;
};

struct path_retired {
	struct path_retiree *all; // FIFO of mask + 1 places
	uint64_t head, tail, mask;
};

// Calls of ours that are under way.
struct call_pool {
	struct call *all, *free;
	uint32_t n, n_fresh;
};

struct path {
	struct port *port;
	struct arena *arena;
	unsigned worker, n_workers;
	ts_us now; // of this round

	struct session_table sessions;
	struct srt_rcv *rcvs; // pool of publishers' receivers
	uint32_t n_rcvs, n_rcvs_fresh, n_rcvs_free;
	struct srt_rcv **rcvs_free;
	struct sublist_pool lists;
	struct secure_pool secure;
	struct park park;
	struct settled *settled;
	struct call_pool calls;
	struct view *views; // by stream index
	uint32_t n_views;
	struct view **open; // the views in use
	uint32_t n_open;
	struct history_entry *entries; // n_views x HISTORY_CAP
	struct stream_follow *follows; // by stream index, shared by all workers

	struct session *tags[PATH_TAGS]; // source behind a socket; NULL: an SRT listener
	struct view *dirty;
	uint32_t n_starting;
	bool start_due; // somebody catches up ...
	ts_us start_at; // ... and may go on at this time
	struct wheel wheel;
	struct rand rand;
	struct srt_cookie_key cookie;

	struct rte_ring *to[DP_WORKERS_MAX]; // notes to other workers
	uint64_t wake;			     // workers that got one this round
	struct rte_ring *up;		     // events to control
	bool up_dirty;
	struct log_limit told_unproved, told_full; // EV_REFUSED: see handshake.c

	struct rte_mbuf *sealed[2 * PORT_BURST]; // frames of this round's `sealed` media
	unsigned n_sealed;

	struct path_retired retired;

	struct dp_stats_worker *stats;
};

// The memory of a group's workers, from start to end.
struct path_regions {
	struct path_region *first;
};

struct path_opts {
	struct path_regions *regions;
	struct port *port; // borrowed, as all pointers here
	struct arena *arena;
	unsigned worker, n_workers;
	unsigned max_streams, max_subscribers;
	int core;
	struct dp_stats_header *stats; // sections are found by its offsets
	struct stream_follow *follows; // max_streams of them, shared by all workers
	uint64_t cookie_key, seed;
};

// A zeroed path, with all the memory it will ever use. False when that is short.
bool path_init(struct path *p, const struct path_opts *o);

void path_rx(struct path *p, struct batch *b);	    // from the port; arrival time stamped
void path_steer(struct path *p, struct batch *b);   // destination id, or socket -> session
void path_session(struct path *p, struct batch *b); // protocol verdict: deliver, absorb, drop
void path_ring(struct path *p, struct batch *b);    // into the stream's history
void path_fanout(struct path *p);		    // one line per subscriber, in-order pushes
void path_tx(struct path *p);			    // queued -> port; frames done -> arena

// --- what the stages and the worker's commands share ----------------------------------------

// drop.c: the only place that gives up a packet, by a named counter.
void path_drop(struct path *p, struct pkt *k, enum dp_drop why);
void path_count(struct path *p, enum dp_drop why, uint64_t n);
void path_absorb(struct path *p, struct pkt *k); // it has served its purpose

// handshake.c
void handshake_feed(struct path *p, struct pkt *k);
void handshake_refuse(struct path *p, struct park_entry *e, int code);
void handshake_answer(struct path *p, struct session *s);

// session.c: send what the protocol object has to say, and arm its timer.
void session_poll(struct path *p, struct session *s);
void session_on_timer(struct path *p, struct session *s);
// A media packet of k->session, the seq'th that it has brought. True when it goes on to the ring.
bool session_deliver(struct path *p, struct pkt *k, uint64_t seq, ts_us play);

// repair.c: a subscriber lacks what the loss list says.
void repair_feed(struct path *p, struct session *s, const uint8_t *list, size_t len);
// A subscriber's ACKs may stand still at its start: after its timer has run.
void repair_standing(struct path *p, struct session *s);

// ring.c
void ring_insert(struct path *p, struct view *v, const struct history_entry *e, uint64_t seq,
	const uint8_t *sealed);
void ring_give_up(struct path *p, struct view *v, uint64_t first, uint64_t last);
bool ring_squeeze(struct path *p); // a shorter past for more frames; false: there is none
void ring_trim(struct path *p, struct view *v); // what is older than the history's depth
bool ring_pop(struct path *p, struct view *v);

// retire.c: frames that the port may still send from.
bool retire_init(struct path *p, struct path_regions *mem);		  // false: memory is short
void retire_frame(struct path *p, struct rte_mbuf *frame);		  // a clone, too
void retire_frames(struct path *p, struct rte_mbuf **frames, unsigned n); // no clones
void retire_done(struct path *p); // those whose copies have gone, to the arena

// fanout.c: to all subscribers of a view.
void fanout_mark(struct path *p, struct view *v); // look at it in this round
// To every SRT subscriber. sealed: see struct pkt.
void fanout_fresh(struct path *p, struct view *v, uint64_t seq, const uint8_t *sealed);
void fanout_flush(struct path *p, struct view *v); // what is fresh goes out now
void fanout_missing(struct path *p, struct view *v, uint64_t first, uint64_t last); // DROPREQ
// A session's media, apart from the fan-out: clear, or under its key. The copies sent.
unsigned fanout_one(struct path *p, struct session *s, const struct line *l,
	const struct port_payload *pl, unsigned n);
void fanout_list(struct path *p, struct view *v, enum line_kind kind, const struct port_payload *pl,
	unsigned n, const struct sublist *l);
struct port_payload fanout_payload(
	const struct path *p, const struct history_entry *e, uint64_t seq);
void fanout_count(struct path *p, struct view *v, const struct port_payload *pl, unsigned n,
	unsigned subscribers, unsigned copies);

// inorder.c: pushes over RTP and UDP, in the order of the numbers.
void inorder_advance(struct path *p, struct view *v);
void inorder_reformat(struct path *p, struct view *v);

// start.c: late joiners, and what is sent to one session apart from the fan-out.
void start_turn(struct path *p);	// late joiners go on
ts_us start_next(const struct path *p); // when they want their next turn; TS_NEVER
void session_note_more(struct session *s, const struct port_payload *pl); // sent apart

// seal.c: copies under keys of their own. n payloads to each of n_lines sessions of one suite, or
// to all of a view's; return the copies sent.
unsigned seal_send(struct path *p, enum srt_suite suite, const struct port_payload *pl, unsigned n,
	const struct line *lines, struct session *const *who, unsigned n_lines);
void seal_list(struct path *p, struct view *v, enum srt_suite suite, const struct port_payload *pl,
	unsigned n);
// sealed: the payloads as their publisher encrypted them; used where all of them are there.
void seal_shared(struct path *p, struct view *v, unsigned key, const struct port_payload *pl,
	const uint8_t *const *sealed, unsigned n);

// secure.c: encrypted sessions.
void secure_begin(struct path *p, struct session *s, const struct key_material *keys);
void secure_end(struct path *p, struct session *s);
uint32_t secure_kk(const struct path *p, const struct session *s); // of its line, 0: clear
bool secure_open(struct path *p, struct pkt *k);		   // false: dropped
bool secure_control(
	struct path *p, struct pkt *k); // true: it was about keys, and is done, or dropped
// Control has derived a KEK. 0, or -ENOENT: the session has gone.
int secure_derived(struct path *p, session_key key, int status, const struct key_material *k);

// rekey.c: new keys for subscribers.
void rekey_plan(struct path *p, struct session *s);
void rekey_answered(struct path *p, struct session *s, const uint8_t *msg, size_t len);
ts_us rekey_expiry(const struct path *p, const struct session *s);
bool rekey_on_timer(struct path *p, struct session *s); // false: it has been closed
void rekey_view(struct path *p, struct view *v);
// Install the one key that `next` has into its slot, and tell the peer by this message; NULL: one
// of that key. It waits for the answer ...
void rekey_announce(struct path *p, struct session *s, const struct srt_km_keys *next,
	const uint8_t *msg, uint16_t len);
bool rekey_pending(const struct path *p, const struct session *s);
// ... before packets go under it: those from this number of the stream's on.
void rekey_switch(struct path *p, struct session *s, uint64_t from);
struct line rekey_line(const struct path *p, const struct session *s, uint64_t seq);

// pushkey.c: keys that SRT targets of a stream share. Put ours into the keys of a call that begins.
// Returns what the session is to join by: 1 + its index, or 0.
uint8_t pushkey_bring(struct view *v, struct key_material *k);
// Let the session be one of them, now that the peer has taken it. False: they have gone on to
// another key.
bool pushkey_join(struct path *p, struct session *s, const struct key_material *k, uint8_t shared);
void pushkey_answered(struct path *p, struct session *s); // it has taken the key announced last
void pushkey_view(struct path *p, struct view *v);	  // every 100 ms: new keys
// Of the view's key `i`:
bool pushkey_has_members(const struct view *v, unsigned i);
bool pushkey_waits(const struct path *p, const struct view *v, unsigned i); // for an answer
void pushkey_plan(struct view *v, unsigned i);
void pushkey_tell(struct path *p, struct view *v, unsigned i, const uint8_t *msg, uint16_t len);
void pushkey_slot(const struct secure_pushkey *h, unsigned slot, struct srt_km_keys *out);

// pass.c: targets that have the publisher's passphrase go under its key and its numbers. Put them
// into a call that begins; as pushkey_bring().
uint8_t pass_bring(struct path *p, struct session *s, struct key_material *k);
void pass_look(struct path *p, struct view *v); // the publisher's keys may have changed
bool pass_may_switch(const struct path *p, const struct view *v, unsigned i);
void pass_end(struct path *p, struct view *v); // its numbers are at an end: its key is, too
// Between a publisher's last packet and the answer to our own key it gets nothing.
bool pass_holds(const struct path *p, const struct session *s);
void pass_go_on(struct path *p, struct session *s);
bool pass_wants(const struct session *publisher, unsigned odd); // packets under this slot

// follow.c: the histories of other workers.
void follow_begin(struct path *p, struct view *v);
void follow_end(struct path *p, struct view *v);
void follow_publish(struct path *p, struct view *v, uint64_t seq, const struct history_entry *e);
void follow_gave_up(struct path *p, struct view *v, uint64_t first, uint64_t last);
void follow_feed(struct path *p, unsigned from, const struct note *n);
void follow_want(const struct view *v, uint64_t first); // entries before it should go
bool follow_allows_pop(const struct path *p, const struct view *v);
void follow_report(struct path *p, struct view *v);

// forward.c: notes to other workers, and packets that landed on the wrong one.
int path_note(struct path *p, unsigned worker, const struct note *n); // 0 or -ENOBUFS
void forward_pkt(struct path *p, struct pkt *k, unsigned worker, uint32_t slot);
void forward_open(struct path *p, const struct note *n, struct batch *b);

// join.c: SRT sessions begin ... 0, and their *key, or -ENOSPC: there is no slot, or no receiver
// for a publisher; join_publish also -EBUSY: another publishes.
int join_play(struct path *p, struct park_entry *e, const struct cmd_admit *c, session_key *key);
int join_publish(struct path *p, const struct cmd_admit *c, session_key *key);
// A session is a subscriber now: it is kept to o, and to packets that such an MSS takes.
void join_subscriber(struct path *p, struct session *s, const struct srt_snd_opts *o, uint32_t mss);
void join_begun(struct path *p, struct session *s);
void join_wait(struct path *p, struct session *s); // its packets begin when the stream has one
struct srt_rcv *join_rcv(struct path *p);	   // for a publisher; NULL: none left
void join_rcv_give(struct path *p, struct srt_rcv *rcv);
void join_publishing(struct path *p, struct view *v, struct session *s);
struct view *join_view(struct path *p, struct stream *s); // opened when it was not

// leave.c: ... and end.
void leave_session(struct path *p, struct session *s, enum dp_close why);
void leave_view(struct path *p, struct view *v); // all its sessions; then ask:
bool leave_view_done(struct path *p, struct view *v);

// plain.c: sources and pushes, over RTP and UDP. They begin as those of join.c: -ENOSPC;
// plain_source also -EBUSY.
int plain_source(struct path *p, const struct cmd_sock *c, session_key *key);
int plain_push(struct path *p, const struct cmd_push *c, session_key *key);
void plain_push_line(struct view *v, struct session *s);
bool plain_feed(struct path *p, struct pkt *k);	    // true: it goes on to the ring
void plain_gaps(struct path *p, struct session *s); // give up holes that are due

// call.c: SRT calls of ours, until they are answered. call_begin: 0 and *key, or -ENOSPC.
bool call_pool_init(struct path *p, struct path_regions *mem);
int call_begin(struct path *p, const struct cmd_call *c, session_key *key);
void call_feed(struct path *p, struct pkt *k);
void call_on_timer(struct path *p, struct session *s);
void call_drop(struct path *p, struct session *s, int code); // give it up, and say so

// narrow.c: end the sessions that the port could send nothing of this size to.
// A subscriber joins that announced this MSS.
void narrow_join(struct session *s, uint32_t mss, bool gcm);
// Close whom the stream's packets have outgrown.
void narrow_view(struct path *p, struct view *v);

// refused.c: whom the kernel takes no copy for. Close those whose path is too narrow, tell of
// pushes that nothing goes out for ...
void refused_turn(struct path *p);
// ... and that it does again.
void refused_view(struct path *p, struct view *v);

// slow.c: end a subscriber that cannot take its stream. True: it has been ended.
bool slow_close(struct path *p, struct session *s);

// event.c: tell control. There is room for all that can happen (EVENTS_MORE).
void path_event(struct path *p, const struct event *e);

// house.c: every 100 ms.
void house_keep(struct path *p);
void house_stream_state(struct path *p, struct view *v, enum dp_stream_state state);

// init.c: n objects, zeroed; pages are taken when first used. NULL when memory is short.
void *path_region(struct path_regions *list, size_t n, size_t size);
void path_regions_free(struct path_regions *list);
struct rte_ring *path_mailbox_new(struct path_regions *list, unsigned element,
	unsigned count); // single producer and consumer
