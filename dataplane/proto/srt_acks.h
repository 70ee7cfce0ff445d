#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// When a receiver acknowledges, and which of its ACKs have been answered (draft-sharabayko-srt-01,
// 4.8.1, 4.10; srt-wire 8, 12): a full ACK every 10 ms while the first hole moves, the same again
// after RTT + 4 var without an answer, a light one every 64 packets in between.
//
// When the way has been calm for a second (nothing missing, an even round trip, every ACK answered)
// a full one per 32 packets or 100 ms will do. A sender's window is 8192 packets and it drops
// nothing that waits less than a second, but adaptive encoders read its length: so it grows by 32.

#include "base/ts.h"
#include "proto/srt_rtt.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SRT_ACK_PERIOD = 10 * TS_MS,
	SRT_ACK_LIGHT = 64, // packets
	SRT_ACK_LOG = 256,  // ACKs whose answer is awaited
	SRT_ACK_CALM_PERIOD = 100 * TS_MS,
	SRT_ACK_CALM_PACKETS = 32,
	SRT_ACK_CALM_AFTER = 1 * TS_S,
};

struct srt_acks {
	uint64_t acked; // what the last full one said
	ts_us at;	// when it went
	ts_us calm_at;	// before then they come every 10 ms
	uint32_t number;
	uint32_t first;		   // number of the first that said so
	uint32_t packets;	   // since then
	uint32_t log[SRT_ACK_LOG]; // low 32 bits of the time each went; 0: answered
	bool confirmed;		   // `acked` has been answered
	bool light_due;
	bool eager; // never calm: in a group libsrt gives up a link that says nothing for 60 ms
};

void srt_acks_init(struct srt_acks *a, ts_us now);
// A packet came that was not here before.
void srt_acks_note_packet(struct srt_acks *a);
// Something is missing, or was a moment ago.
void srt_acks_note_loss(struct srt_acks *a, ts_us now);
// When a full ACK that says `hole` is due.
ts_us srt_acks_expiry(const struct srt_acks *a, uint64_t hole, const struct srt_rtt *rtt);
// A full ACK goes out: its number.
uint32_t srt_acks_send(struct srt_acks *a, ts_us now, uint64_t hole);
// An ACKACK came. True, and the round trip, when it answers an ACK of ours for the first time.
bool srt_acks_answered(struct srt_acks *a, ts_us now, uint32_t number, uint32_t *rtt_us);
