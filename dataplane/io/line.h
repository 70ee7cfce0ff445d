#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A subscriber's line: one cache line that holds the complete header of its packets, right aligned
// (offsets in base/wire.h). It is built once and never written by a delivery.
//
// The fields that a copy patches hold their own base, in host order: SRT sequence number and
// timestamp are added to the stream's, word 1 is or-ed with the stream's (KK bits), and the UDP
// checksum is the partial sum of everything that does not change.

#include "base/endpoint.h"
#include "base/wire.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>

enum line_kind {
	LINE_UDP, // payload as it is: no media header
	LINE_RTP, // 12-byte RTP header, payload type 33, at WIRE_MEDIA; 4 bytes unused behind it
	LINE_SRT, // 16-byte SRT data header at WIRE_MEDIA
};

struct line {
	alignas(64) uint8_t b[WIRE_LINE];
};

static_assert(sizeof(struct line) == 64, "a subscriber is one cache line");

struct line_udp {
	struct endpoint local, peer; // local.ip may be unspecified: the kernel chooses
	uint32_t ifindex;	     // egress interface of a multicast push; 0: routing decides
	uint8_t ttl;		     // 0: 64
	uint8_t dscp;		     // 6 bits
};

struct line_srt {
	uint32_t dseq;	// subscriber's sequence number minus the stream's, mod 2^31
	uint32_t dts;	// subscriber's timestamp minus the stream's, mod 2^32
	uint32_t word1; // KK bits, in place
	uint32_t dst_id;
};

struct line_rtp {
	uint16_t dseq; // RTP sequence number minus the low 16 bits of the stream's
	uint32_t dts;  // RTP timestamp (90 kHz) minus the stream's
	uint32_t ssrc;
};

void line_build_udp(struct line *l, const struct line_udp *u);
void line_build_srt(struct line *l, const struct line_udp *u, const struct line_srt *s);
void line_build_rtp(struct line *l, const struct line_udp *u, const struct line_rtp *r);

// The addresses a line was built from.
struct line_udp line_addresses(const struct line *l);

// Write the media header of one copy: 16 bytes (SRT) or 12 (RTP) at out; returns that length.
// seq, word1 and ts are the stream's (for RTP, ts in 90 kHz units).
static inline unsigned line_media(const struct line *l, enum line_kind kind, uint32_t seq,
	uint32_t word1, uint32_t ts, uint8_t *out);

// Write the whole 64-byte header of one copy at out, lengths and checksums included. payload_sum is
// the ones' complement sum of the payload (line_sum), computed once for all copies.
static inline void line_render(const struct line *l, enum line_kind kind, uint32_t seq,
	uint32_t word1, uint32_t ts, uint16_t payload_len, uint32_t payload_sum, uint8_t *out);

// Ones' complement sum of len bytes, folded to 16 bits.
uint32_t line_sum(const uint8_t *data, size_t len);
