#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One end of an SRT session in the simulation: the protocol objects, and around them what a program
// would do: a listener's side of the handshake, a stream's history, a player. It also watches the
// peer: an ACK or NAK ahead of what was sent is the end of the run.

#include "proto/srt_caller.h"
#include "proto/srt_conn.h"
#include "sim/link.h"

#include <stdbool.h>
#include <stdint.h>

// A stream: numbers from 0, payload and all else a function of the number.
enum media_state { MEDIA_UNKNOWN, MEDIA_HERE, MEDIA_GONE };

struct media {
	uint32_t n;	// numbers below exist
	uint32_t total; // size of the arrays
	uint8_t *state;
	bool *again;	// it filled a hole
	ts_us *play;	// stream time (decisions A5)
	ts_us *arrival; // first sent here
};

struct party_stats {
	uint32_t sent, resent, repeated, late, over_budget, pending, dropreqs;
	uint32_t delivered, gave_up, hurried; // hurried: arrived after its own play time
	uint32_t naks, acks;		      // that came in
};

struct party {
	const char *name;
	bool caller, sending;
	struct link *out;
	// Handshake
	struct srt_caller call;
	uint32_t own_id, isn;
	uint32_t latency_ms;
	uint32_t clock_shift; // added to what our clock shows: a peer that has been up for long
	bool up, closed;
	ts_us t0;
	struct srt_conn conn;
	struct srt_rcv rcv;
	// Media. A sender reads it, a receiver writes it. `first`: the number that travels as ISN.
	struct media *media;
	uint32_t first, msgno0;
	uint32_t rate;	      // bytes/s, for the repair budget
	struct party *onward; // receiver in a relay: the sender that forwards
	struct party_stats stats;
	char fault[160]; // what went wrong first; empty: nothing
};

enum { PARTY_PAYLOAD = 24 };

void party_caller(struct party *p, const char *name, struct link *out, ts_us now, bool sending,
	uint32_t own_id, uint32_t isn, uint32_t latency_ms);
void party_listener(struct party *p, const char *name, struct link *out, bool sending,
	uint32_t own_id, uint32_t latency_ms);
void party_feed(struct party *p, ts_us now, const uint8_t *data, size_t len);
// Timers and own packets. Call after feeds and at the expiry.
void party_run(struct party *p, ts_us now);
ts_us party_expiry(const struct party *p);
// Send number n of the media for the first time.
void party_send(struct party *p, ts_us now, uint32_t n);
void party_close(struct party *p, ts_us now);
