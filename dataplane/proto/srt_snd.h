#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The sending side of one SRT session: a subscriber of ours (draft-sharabayko-srt-01, 4.8;
// srt-wire 8.4, 9). No window and no buffer: packets live in the stream's history, numbers are the
// stream's plus a delta. At most 192 bytes (decisions A12).

#include "base/ts.h"
#include "proto/srt_hs.h"
#include "proto/srt_pkt.h"
#include "proto/srt_repair.h"
#include "proto/srt_rtt.h"
#include "proto/srt_verdict.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct srt_snd_opts {
	uint32_t peer_id;
	uint32_t isn;	     // sequence number of the first packet it will get
	ts_us t0;	     // when the connection clock read 100 s
	uint32_t latency_us; // the peer's receiver latency, final
	uint32_t peer_flags;
	uint8_t repair_percent; // of the stream's rate; 0: 50 (decisions A15)
};

struct srt_snd {
	// What an ACK reads and writes: one cache line.
	ts_us t0, last_rx, last_tx;
	ts_us stand_at; // when the peer's ACKs stand still for too long; TS_NEVER: not watched
	uint32_t peer_id;
	uint32_t acked;	 // what the peer's last ACK said: next it waits for
	uint32_t ackack; // number to answer
	struct srt_rtt rtt;
	uint8_t peer_flags;
	bool ackack_due, keepalive_due, standing_due, close_due, closed;
	bool asked; // by the peer, for what is sent again now

	struct srt_repair repair;
	uint32_t latency_us;
	uint32_t free_packets; // the peer's buffer, as its last ACK said
};

static_assert(offsetof(struct srt_snd, repair) <= 64, "one cache line");
static_assert(sizeof(struct srt_snd) <= 192, "decisions A12");

enum srt_resend {
	SRT_RESEND_NOW,	     // send again with R set
	SRT_RESEND_REPEATED, // asked again before the last repair can have arrived: suppress
	SRT_RESEND_LATE,     // its play time at the peer has passed: DROPREQ
	SRT_RESEND_BUDGET,   // over the repair budget
};

void srt_snd_init(struct srt_snd *s, ts_us now, const struct srt_snd_opts *o);
int srt_snd_feed(
	struct srt_snd *s, ts_us now, const uint8_t *data, size_t len, struct srt_verdict *out);
// The next packet of our own (ACKACK, keepalive, SHUTDOWN), 0 when there is none. Call until 0.
ssize_t srt_snd_poll(struct srt_snd *s, ts_us now, uint8_t *buf, size_t cap);
// A hole that the peer asked for and the history has: may it be sent? seq is the peer's number,
// stream_play the packet's stream time (its play time here, decisions A5).
enum srt_resend srt_snd_resend(
	struct srt_snd *s, ts_us now, uint32_t seq, ts_us stream_play, uint16_t len);
// A packet that was first sent at first_sent is too fresh for a request to know of it: the request
// and the packet crossed (a hole of the stream's own that has just been filled). Count it as
// repeated.
bool srt_snd_fresh(const struct srt_snd *s, ts_us now, ts_us first_sent);
// libsrt repeats its first loss report only after 300 ms, which is longer than a usual latency:
// when that report or its answer is lost, so is the packet. But its ACKs stand at the packet
// meanwhile. For the first 31 ACKs (others are thinned out, base/thin.h) a number they stand at
// counts as asked for. Call after on_expiry: true, and a loss list to be treated as a report of the
// peer.
bool srt_snd_standing(struct srt_snd *s, uint8_t list[4]);
// The peer reports a hole that it saw when it got what was first sent at first_sent: so long ago a
// round trip is at most.
void srt_snd_bound(struct srt_snd *s, ts_us now, ts_us first_sent);
// Would an ACK that arrives now tell of a packet that was first sent at first_sent? True as well
// while nothing is known of the round trip.
bool srt_snd_told(const struct srt_snd *s, ts_us now, ts_us first_sent);
// Where losses are heavy reports are lost as often, and one hole after the other would take too
// long: may one that was sent behind the number that the ACKs stand at be sent again, unasked?
bool srt_snd_probe(struct srt_snd *s, ts_us now, uint32_t seq, ts_us stream_play, uint16_t len);
// How often the repair that was just granted is to be sent: twice when the one before was lost too,
// for its time runs out, and while a loss would not be reported again soon; out of one budget.
static inline unsigned srt_snd_copies(const struct srt_snd *s)
{
	return s->repair.copies;
}
// Write a DROPREQ for the peer's numbers first..last; returns its length.
size_t srt_snd_dropreq(struct srt_snd *s, ts_us now, uint32_t first, uint32_t last, uint8_t *out);
// Media went to the peer at `at`: told lazily, just before on_expiry, so that a delivery writes
// nothing.
void srt_snd_note_sent(struct srt_snd *s, ts_us at);
// The stream's rate now, bytes/s: sizes the repair budget (decisions A15).
void srt_snd_set_rate(struct srt_snd *s, uint32_t rate);
ts_us srt_snd_expiry(const struct srt_snd *s);
void srt_snd_on_expiry(struct srt_snd *s, ts_us now);
bool srt_snd_dead(const struct srt_snd *s, ts_us now);
void srt_snd_close(struct srt_snd *s);
uint32_t srt_snd_ts(
	const struct srt_snd *s, ts_us now); // the connection clock, for packets of ours

// What marks a retransmission in word 1 for this peer: nothing when it did not announce REXMITFLG,
// for then the bit belongs to the message number.
static inline uint32_t srt_snd_rexmit_bit(const struct srt_snd *s)
{
	return s->peer_flags & SRT_F_REXMITFLG ? SRT_WORD1_R : 0;
}
