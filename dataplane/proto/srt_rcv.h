#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The receiving side of one SRT session: a publisher of ours (draft-sharabayko-srt-01, 4.4 to 4.8;
// srt-wire 7, 8, 10, 12). Keeps which packets are here, never the packets.

#include "base/ts.h"
#include "proto/srt_intake.h"
#include "proto/srt_link.h"
#include "proto/srt_verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SRT_RCV_WINDOW SRT_WINDOW // packets: what we announce, and the size of the bitmap

struct srt_rcv_opts {
	uint32_t own_id, peer_id;
	uint32_t isn;	     // of the peer
	ts_us t0;	     // when our connection clock read 100 s
	ts_us base_arrival;  // arrival of the conclusion (or of its answer) ...
	uint32_t base_ts;    // ... and the timestamp in it
	uint32_t latency_us; // final receiver latency
	bool peer_rexmitflg; // bit 26 of word 1 is R
	bool grouped;	     // a link of a socket group
};

// About 6 kB, from a pool of the caller's.
struct srt_rcv {
	struct srt_intake *in; // its own, or that of another of its group
	struct srt_intake intake;
	struct srt_link link;
};

void srt_rcv_init(struct srt_rcv *r, ts_us now, const struct srt_rcv_opts *o);
// As a further link of a group: its packets go where those of `with` go, whose memory has to stay
// until the last of the group has left. Numbers and clock are those of the first.
void srt_rcv_join(
	struct srt_rcv *r, ts_us now, const struct srt_rcv_opts *o, const struct srt_rcv *with);
// It is no link of its group any more.
void srt_rcv_leave(struct srt_rcv *r);
// One datagram whose destination id and address are this session's. Always fills out; returns 0, or
// -EBADMSG when malformed (then out is a DROP).
int srt_rcv_feed(
	struct srt_rcv *r, ts_us now, const uint8_t *data, size_t len, struct srt_verdict *out);
// The next packet of our own (ACK, NAK, keepalive, SHUTDOWN), 0 when there is none. buf has at
// least SRT_POLL_MAX bytes. Call until 0, after a feed or a batch of them and after on_expiry.
ssize_t srt_rcv_poll(struct srt_rcv *r, ts_us now, uint8_t *buf, size_t cap);
// Holes given up as too late, or that the sender dropped: extended packet numbers, inclusive, each
// listed once. Call until false after feed and on_expiry.
bool srt_rcv_gave_up(struct srt_rcv *r, uint64_t *first, uint64_t *last);
ts_us srt_rcv_expiry(const struct srt_rcv *r);
void srt_rcv_on_expiry(struct srt_rcv *r, ts_us now);
bool srt_rcv_dead(const struct srt_rcv *r, ts_us now); // said SHUTDOWN, or silent for 5 s
void srt_rcv_close(struct srt_rcv *r);		       // next poll yields SHUTDOWN
uint64_t srt_rcv_first_hole(const struct srt_rcv *r);  // everything before it is here or given up
uint64_t srt_rcv_given_up(const struct srt_rcv *r);    // packets
ts_us srt_rcv_last_data(const struct srt_rcv *r);
const struct srt_rcv_stats *srt_rcv_stats(const struct srt_rcv *r);
const struct srt_rtt *srt_rcv_rtt(const struct srt_rcv *r);
