#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// SRT peers: each calls a listener, plays or publishes, hangs up, maybe calls again. Several share
// a socket; the socket id in each datagram says whose it is. One run may have both: then the
// players call when every publisher has been answered.

#include "load/check.h"
#include "load/load.h"
#include "proto/srt_caller.h"
#include "proto/srt_conn.h"
#include "proto/srt_crypt.h"
#include "proto/srt_hs.h"

#include <stdalign.h>

enum call_state {
	CALL_WAITING, // until start_at
	CALL_CALLING,
	CALL_UP,
	CALL_LINGER, // a publisher that has sent all: answers NAKs until all is acknowledged
	CALL_DONE,
};

struct call_keys {
	struct srt_ctr_key key[2]; // even, odd
	uint8_t has;		   // enum srt_km_slot
};

// What every packet touches comes first: a hundred thousand of these do not fit into any cache.
struct call {
	struct wheel_entry timer; // first: a popped entry is its call
	enum call_state state;
	uint32_t id;
	struct net_sock *sock;
	struct call *next_dirty;
	struct srt_rcv *rcv;		// play: lent to conn
	alignas(64) struct check check; // play
	ts_us hang_up_at;
	uint64_t retransmitted;
	bool dirty, was_up;
	bool publish, heard; // heard: its first call has an answer
	alignas(64) struct srt_conn conn;
	uint32_t index, isn; // index: among players, or among publishers
	char *streamid;
	int error;	// of the last call that failed
	ts_us start_at; // WAITING
	ts_us up_at, linger_until;
	ts_us t0; // our clock's 100 s
	struct srt_caller caller;
	struct call_keys *keys; // encrypted, else NULL
	// publish: the packets of this session are a function of number and time
	uint32_t tag;
	ts_us due, repeat_at;
	uint64_t n_sent;
	ts_us *sent_at; // ring of history_mask + 1
	// over all sessions
	uint32_t n_up, n_failed, n_closed;
	uint64_t sent, resent, naks, nak_late, nak_refused, unacked;
	uint64_t received, unique, missing, duplicates, late, recovered;
	uint64_t rtt_us;
	uint64_t n_keys, undecryptable; // encrypted play: new keys taken
};

struct calls {
	struct call *all;
	struct srt_rcv *rcvs;	// play: one each
	struct call_keys *keys; // encrypted: one each
	uint32_t n, n_play;	// players stand first
	uint32_t n_unheard; // publishers whose first call has no answer yet: players wait for them
	struct call *dirty, **dirty_tail;
	uint32_t latency_ms, publish_latency_ms;
	struct secret *secret; // NULL: clear. Of the players, where there are any
	ts_us period;	       // publish: between packets, 1/1000 us
	uint32_t history_mask; // publish: packets remembered, less 1
};

// Shared by the roles.
void calls_rx(struct load *l, struct net_sock *s, ts_us now, const uint8_t *data, size_t len);
void calls_timer(struct load *l, ts_us now, struct wheel_entry *e);
void calls_settle(struct load *l, ts_us now);
void calls_pace(struct load *l, ts_us now);
void calls_stop(struct load *l, ts_us now);
bool calls_report(struct load *l, json_t *out);

// calls_peek.c
void calls_peek(void *arg, const uint8_t *data, size_t len, unsigned stage);

// What the run's own figures are about: publishers only where nobody plays.
static inline bool call_is_main(const struct calls *cs, const struct call *c)
{
	return c->publish == !cs->n_play;
}

// Whose a datagram is: where its call lies, or NULL; and whether that call still has this id.
struct call *call_place(const struct calls *cs, const uint8_t *data, size_t len);
struct call *call_of(const struct calls *cs, const uint8_t *data, size_t len);

// Of one call.
void call_dirty(struct calls *cs, struct call *c);
void call_send(struct load *l, ts_us now, struct call *c, const uint8_t *data, size_t len);
void call_hang_up(struct load *l, ts_us now, struct call *c); // SHUTDOWN, then what comes next

// publish.c
ts_us publish_behind(const struct load *l, ts_us now, const struct call *c); // its rate, 0: not
void publish_begin(struct load *l, ts_us now, struct call *c);
void publish_due(struct load *l, ts_us now, struct call *c); // send what is due
void publish_resend(struct load *l, ts_us now, struct call *c, const uint8_t *cif, size_t len);
// Its ACKs may stand still at its start: after its timer has run.
void publish_standing(struct load *l, ts_us now, struct call *c);
ts_us publish_expiry(const struct load *l, const struct call *c);
