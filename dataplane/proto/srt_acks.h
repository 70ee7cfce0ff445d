#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// When a receiver acknowledges, and which of its ACKs have been answered (draft-sharabayko-srt-01,
// 4.8.1, 4.10; srt-wire 8): a full ACK every 10 ms while the first hole moves, the same again after
// RTT + 4 var without an answer, a light one every 64 packets in between.

#include "base/ts.h"
#include "proto/srt_rtt.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SRT_ACK_PERIOD = 10 * TS_MS,
	SRT_ACK_LIGHT = 64, // packets
	SRT_ACK_LOG = 256,  // ACKs whose answer is awaited
};

struct srt_acks {
	uint64_t acked; // what the last full one said
	ts_us at;	// when it went
	uint32_t number;
	uint32_t first;		   // number of the first that said so
	uint32_t packets;	   // since then
	uint32_t log[SRT_ACK_LOG]; // low 32 bits of the time each went; 0: answered
	bool confirmed;		   // `acked` has been answered
	bool light_due;
};

void srt_acks_init(struct srt_acks *a);
// A packet came that was not here before.
void srt_acks_note_packet(struct srt_acks *a);
// When a full ACK that says `hole` is due.
ts_us srt_acks_expiry(const struct srt_acks *a, uint64_t hole, const struct srt_rtt *rtt);
// A full ACK goes out: its number.
uint32_t srt_acks_send(struct srt_acks *a, ts_us now, uint64_t hole);
// An ACKACK came. True, and the round trip, when it answers an ACK of ours for the first time.
bool srt_acks_answered(struct srt_acks *a, ts_us now, uint32_t number, uint32_t *rtt_us);
