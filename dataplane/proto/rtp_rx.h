#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The receiving side of one RTP source: extended packet numbers, which sender we listen to, and
// the reception figures of RFC 3550 (6.4.1, A.1, A.3, A.8). Order is restored elsewhere.

#include "base/ts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RTP_RX_DROPOUT = 3000, // RFC 3550 A.1: a larger step ahead is a sender that began anew,
	RTP_RX_MISORDER = 512, // and so is a larger step back; 100 there is 10 ms of 100 Mb/s
};

#define RTP_RX_SILENCE (1 * TS_S) // another sender is accepted after this (decisions A26)

struct rtp_rx {
	uint32_t ssrc;
	bool pinned;
	uint16_t base;	  // its first sequence number
	uint16_t bad_seq; // what would follow a packet far off: two in a row are a restart
	bool bad;
	uint64_t next;			     // highest packet number so far, plus 1
	uint64_t received;		     // of it, each number once
	uint64_t duplicate, reordered;	     // in all
	uint64_t lost_before;		     // by the senders before this one
	uint64_t seen[RTP_RX_MISORDER / 64]; // which of the last ones are here
	ts_us last;
	uint32_t transit; // 90 kHz units, of the last packet; only differences mean something
	uint32_t jitter;  // scaled by 16
};

enum rtp_rx_action {
	RTP_RX_DELIVER,
	RTP_RX_BEGIN,	  // the same, as packet 0 of a new sender
	RTP_RX_MALFORMED, // not RTP
	RTP_RX_DUPLICATE, // its number has been here
	RTP_RX_STRANGER,  // another SSRC, or far off, while the pinned one is active
};

struct rtp_rx_verdict {
	enum rtp_rx_action action;
	uint64_t seq;	   // packet number since BEGIN
	uint16_t off, len; // payload within the datagram
};

void rtp_rx_init(struct rtp_rx *r);

// One datagram that is not RTCP.
void rtp_rx_feed(
	struct rtp_rx *r, ts_us now, const uint8_t *data, size_t len, struct rtp_rx_verdict *out);

// Packets that have not come: expected minus received (RFC 3550 A.3), duplicates left out.
uint64_t rtp_rx_lost(const struct rtp_rx *r);

// Interarrival jitter of a 90 kHz stream, microseconds (RFC 3550 A.8).
uint32_t rtp_rx_jitter_us(const struct rtp_rx *r);
