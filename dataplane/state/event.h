#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What control and workers say to each other. Commands go down one SPSC ring per worker, by
// pointer, and come back by EV_DONE when the worker has carried them out: control frees them then,
// so a done command is also the quiet point for whatever it took away. Events come up by value.

#include "base/endpoint.h"
#include "base/ts.h"
#include "ctl/dp/dp_id.h"
#include "ctl/dp/dp_proto.h"
#include "proto/srt_hs.h"
#include "state/keys.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct stream;

enum cmd_kind {
	CMD_SOCK_ADD,	  // serve a listener's or a source's socket
	CMD_SOCK_DEL,	  // close it, and end the sessions that came in by it
	CMD_STREAM_OPEN,  // to the owner: set up the history
	CMD_STREAM_CLOSE, // to every worker: end the stream's sessions, forget it
	CMD_PLAY,    // admitted: make a subscriber of a parked conclusion (the worker it landed on)
	CMD_PUBLISH, // admitted: make a publisher (the stream's owner)
	CMD_PARK_DONE, // repeats of this parked conclusion belong to the session `key`
	CMD_REJECT,    // refuse a parked conclusion
	CMD_PUSH_ADD,  // to the owner: add a route's line
	CMD_CALL,      // to the owner: call an SRT listener
	CMD_KICK,      // end a session (subscriber, publisher, push)
	CMD_KEYS,      // keys out of a message that the worker could not unwrap
	CMD_QUIT,      // SHUTDOWN to every SRT peer, then leave the loop
};

// A conclusion that waits for admission (decisions A17). Written by its worker before EV_JOIN,
// left alone until control has answered.
struct parked {
	struct srt_hs_req req;
	struct endpoint peer, local;
	uint16_t tag; // listener's
	ts_us arrival;
	int refused;	     // wire value, when the handshake itself cannot be taken
	uint32_t base_ts;    // timestamp of the conclusion: the TSBPD base
	uint32_t generation; // goes into the answer, so that a stale one is recognised
};

struct cmd_sock {
	int fd; // -1 on workers that have no socket of this source, and once the port has it
	uint16_t tag;
	bool source;	       // else an SRT listener
	uint8_t proto;	       // of a source: DP_PROTO_UDP, DP_PROTO_RTP
	struct stream *stream; // of a source
	uint64_t object;       // of a source
	uint32_t reorder_us;
	uint8_t from[16]; // accept only this address; all zero: any
	session_key key;  // out, of a source: its publisher session
};

struct cmd_admit {     // PLAY, PUBLISH, PARK_DONE, REJECT
	uint32_t park; // index on the worker it landed on
	uint32_t park_generation;
	struct stream *stream;
	int code;					  // REJECT: wire value
	uint32_t own_rcv_latency_ms, peer_rcv_latency_ms; // final
	struct parked from;	  // PUBLISH: copy, for the owner may be another worker
	bool link;		  // PUBLISH: one more of the group that publishes already
	session_key replaces;	  // PUBLISH: the session that has to go first (takeover), or 0
	unsigned landed;	  // worker that has it parked: control's own note
	session_key key;	  // out of PLAY and PUBLISH; in of PARK_DONE
	struct key_material keys; // PLAY, PUBLISH
};

struct cmd_push {
	struct stream *stream;
	uint64_t object;
	uint8_t proto, ttl, dscp;
	struct endpoint peer;
	uint32_t ifindex;
	session_key key; // out
};

// An SRT call of ours (srt-wire 5.6).
struct cmd_call {
	struct stream *stream;
	uint64_t object;
	uint8_t mode; // enum dp_mode. PLAY: it plays, we send. PUBLISH: we fetch
	uint8_t ttl, dscp;
	uint16_t tag;		     // of the socket that calls go out by
	struct endpoint peer, local; // local: the address may be unspecified
	uint16_t own_rcv_latency_ms, peer_rcv_latency_ms;
	ts_us patience;
	uint16_t mss;
	struct key_material keys; // key_len 0: clear
	// PLAY: the KEK of the publisher's salt, where the passphrase is the publisher's; key_len
	// 0: it is not.
	struct key_material pass;
	char streamid[DP_STREAMID_MAX + 8];
	session_key key; // out
};

struct cmd {
	enum cmd_kind kind;
	int status;  // by the worker: 0 or -errno (-ENOSPC: no slot, -ESTALE: parked one is gone)
	void *owner; // control's own note
	union {
		struct cmd_sock sock;
		struct stream *stream; // STREAM_OPEN, STREAM_CLOSE
		struct cmd_admit admit;
		struct cmd_push push;
		struct cmd_call call;
		struct {
			session_key key;
			enum dp_close reason;
		} kick;
		struct {
			session_key key;
			int status; // 0 or what kdf_result says
			struct key_material keys;
		} keys;
	};
};

enum event_kind {
	EV_DONE,    // cmd
	EV_JOIN,    // park: a conclusion asks for admission
	EV_UP,	    // a session began
	EV_DOWN,    // a session ended
	EV_STREAM,  // a stream's state changed (from its owner)
	EV_CALL,    // a call of ours has failed
	EV_PUSH,    // the kernel takes nothing for a push, or does again
	EV_KEYS,    // a publisher announces a key under another salt: derive its KEK
	EV_REFUSED, // the worker itself has refused somebody: to be told
};

// One cache line: there is room for one of every subscriber (path/init.c).
struct event {
	enum event_kind kind;
	union {
		uint32_t park; // JOIN
		int code;      // CALL, REFUSED: wire value; CALL: or -errno; PUSH: -errno or 0
	};
	session_key key; // UP, DOWN, CALL, PUSH, KEYS
	union {
		struct stream *stream; // UP, DOWN, STREAM, CALL, PUSH, KEYS
		struct cmd *cmd;       // DONE
	};
	uint64_t object; // UP, DOWN, CALL, PUSH: route or source
	union {
		session_key heir; // DOWN: the group publishes on, and this is its first link now
		// KEYS: the message; of the session `key`, until CMD_KEYS has answered. Where that
		// session has ended meanwhile anything may stand there, but its key is known no
		// more.
		const uint8_t *km;
	};
	struct endpoint peer; // UP, DOWN, CALL, PUSH, KEYS, REFUSED
	uint8_t proto, mode;  // UP, DOWN, CALL, PUSH: enum dp_proto, dp_mode
	union {
		uint8_t reason; // DOWN: enum dp_close
		uint8_t state;	// STREAM: enum dp_stream_state
		uint8_t km_len; // KEYS
	};
	bool link; // UP: one more of a publisher's group
};

static_assert(sizeof(struct event) == 64);
static_assert(SRT_KM_MAX <= UINT8_MAX);
