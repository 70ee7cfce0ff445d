#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A session: somebody who sends us a stream or gets one from us. Sessions live in slots of their
// worker; control reads them in place (session_read), everything else is the worker's alone.

#include "base/endpoint.h"
#include "base/ts.h"
#include "base/wheel.h"
#include "ctl/dp/dp_stats.h"
#include "io/line.h"
#include "proto/rtp_rx.h"
#include "proto/srt_conn.h"
#include "proto/srt_crypt.h"
#include "proto/srt_hs.h"
#include "proto/srt_slow.h"
#include "state/event.h"
#include "state/sublist.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum session_kind {
	SESSION_FREE,
	SESSION_SUB,	// SRT subscriber that called us, or that we have called
	SESSION_PUB,	// SRT publisher likewise
	SESSION_CALL,	// an SRT call of ours that has not been answered
	SESSION_SOURCE, // udp:// or rtp:// that we bind
	SESSION_PUSH,	// udp:// or rtp:// that we send to
};

#define SESSION_SLOTS_MAX (1u << 17) // decisions A13
#define SESSION_START_UNSET UINT64_MAX

struct view;
struct call;

// What the counters of a subscriber stood at when it began (decisions A3): its own are differences.
struct session_base {
	uint64_t packets, bytes;
};

// What the answer to an SRT conclusion says and stands nowhere else: it is written anew for each
// repeat (decisions A12).
struct session_hs {
	uint32_t caller_id, cookie, flags;
	uint16_t mss, own_rcv_latency_ms, peer_rcv_latency_ms;
	struct srt_hs_group group; // ours
};

struct session {
	// What finding the session of a packet reads, and its timer.
	struct wheel_entry timer;
	// Odd while in use; goes up by one at each change of identity. Read by control.
	_Atomic uint32_t generation;
	uint8_t kind; // enum session_kind
	uint8_t proto;
	bool closing;
	uint8_t shared; // SUB that we have called: 1 + index of the key it shares; 0: none
	uint32_t id;	// SRT socket id, 0 for others
	uint32_t slot;
	uint16_t tag;  // of the socket it came in on
	uint8_t suite; // enum srt_suite; what goes with it is in the secure pool
	bool pinned;   // SUB that we have called: begins at `start`
	struct endpoint peer;
	uint16_t payload_max; // SUB: bytes that it can take in one packet

	struct line line; // its packets' header; own packets take the addresses from it
	union {
		struct srt_conn conn; // SUB, PUB
		struct {	      // SOURCE
			struct rtp_rx rtp;
			uint8_t carries; // DP_PROTO_RTP or DP_PROTO_UDP, as its packets show; 0:
					 // none yet
			ts_us heard;	 // its last media packet
			uint64_t n_bare; // packets of bare TS
			uint32_t reorder_us;
			uint8_t from[16]; // accept only this address; all zero: any
		};
	};

	struct view *view; // borrowed: sessions end before their view does
	union {
		struct session *next_link;     // PUB: of the same group
		struct session *next_starting; // SUB
		struct session *next_free;
	};
	struct session *next_of_view, **prev_of_view;
	uint64_t object; // route or source
	ts_us since, t0; // t0: when the connection clock read 100 s
	struct sublist_place place;
	struct sublist *list; // that it stands in
	uint64_t cursor;      // SUB that is starting: next packet, or SESSION_START_UNSET
	struct call *call;    // CALL
	uint64_t start;	      // SUB that we have called, `pinned`: the packet that bears its ISN
	union {
		uint64_t seen_next; // SUB that is starting: the history's end at its last turn
		ts_us caught_up;    // SUB: when it entered the list
	};
	uint32_t dseq, dts; // its packets' numbers and time stamps minus the stream's (line_srt)
	uint32_t isn;	    // SRT: first number
	uint32_t latency_ms;
	struct session_base base;
	uint64_t more_packets, more_bytes; // sent apart from the fan-out: start bursts, repairs
	uint64_t retransmitted, dropped, naks, acks;
	struct srt_rcv *rcv;	       // PUB, borrowed from the pool
	uint64_t rx_packets, rx_bytes; // PUB, SOURCE
	uint64_t undecryptable;	       // PUB: came under no key of ours, or clear where it may not
	uint32_t ifindex;
	uint8_t ttl, dscp;
	struct endpoint local;
	union {
		struct {		      // SRT
			struct srt_slow slow; // SUB
			struct session_hs hs;
		};
		struct {		  // PUSH
			uint32_t ssrc;	  // over RTP
			int refusal;	  // errno: the kernel takes nothing for it; 0: it does
			ts_us refused_at; // the last time,
			uint64_t tried;	  // and the list's count of packets then
		};
	};
};

// What a delivery and its ACK read of a subscriber is 256 bytes: its line in the fan-out list, and
// here three cache lines up to the end of what srt_snd has for ACKs. With its places in that list
// and in the ring of events it takes less than a KiB in all.
static_assert(offsetof(struct session, line) == 64 && offsetof(struct session, conn) == 128);
static_assert(sizeof(struct session) <= 640);

struct session_table {
	struct session *slots; // n of them, borrowed
	uint32_t n, used, n_fresh;
	struct session *free_head, **free_tail; // oldest first: an id rests before it is used again
	unsigned worker;
};

void session_table_init(
	struct session_table *t, struct session *slots, uint32_t n, unsigned worker);

// A zeroed session with generation and slot set, not yet visible to control; NULL when full.
struct session *session_take(struct session_table *t);
void session_show(struct session *s); // its identity is complete: control may read it
void session_give(struct session_table *t, struct session *s);

// By slot number; NULL when not in use.
struct session *session_at(const struct session_table *t, uint32_t slot);
struct session *session_of_key(const struct session_table *t, session_key key);
session_key session_key_get(const struct session_table *t, const struct session *s);

// Once it has begun: whether it gets the stream or brings it.
static inline enum dp_mode session_mode(const struct session *s)
{
	return s->kind == SESSION_SUB || s->kind == SESSION_PUSH ? DP_MODE_PLAY : DP_MODE_PUBLISH;
}

// SRT socket ids: 6 bits worker, 17 slot, 7 random (decisions A13).
uint32_t session_id_make(unsigned worker, uint32_t slot, uint32_t random);
static inline unsigned session_id_worker(uint32_t id)
{
	return id >> DP_SESSION_WORKER_SHIFT & DP_SESSION_WORKER_MASK;
}
static inline uint32_t session_id_slot(uint32_t id)
{
	return id >> 7 & (SESSION_SLOTS_MAX - 1);
}

// Any thread: a copy of what a dump shows. False when the slot is free or changed meanwhile.
bool session_read(const struct session_table *t, uint32_t slot, struct dp_session *out);
