#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The RTP packet header (RFC 3550, 5.1), read with CSRC list, extension and padding, and written
// without them. MPEG-TS goes as payload type 33 with a 90 kHz clock (RFC 2250, 2; RFC 3551, 6).
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//  |                           timestamp                           |
//  |           synchronization source (SSRC) identifier            |
//  |            contributing source (CSRC) identifiers, CC of them |

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RTP_HDR = 12,
	RTP_PT_MP2T = 33,
};

enum rtp_error {
	RTP_E_SHORT = -1,     // less than a header
	RTP_E_VERSION = -2,   // not version 2
	RTP_E_CSRC = -3,      // the CSRC list runs past the end
	RTP_E_EXTENSION = -4, // the header extension runs past the end
	RTP_E_PADDING = -5,   // padding of 0 bytes, or more of it than payload
};

struct rtp_hdr {
	uint32_t ts, ssrc;
	uint16_t seq;
	uint8_t pt;
	bool marker;
};

struct rtp_pkt {
	struct rtp_hdr hdr;
	size_t off, len; // payload within the datagram, padding left out; len may be 0
};

// Parse a datagram of len bytes. Returns 0 and fills out, or an enum rtp_error (out untouched).
int rtp_parse(const uint8_t *data, size_t len, struct rtp_pkt *out);

// Write a header without CSRC, extension or padding. pt has 7 bits.
void rtp_write(uint8_t out[RTP_HDR], const struct rtp_hdr *h);

// True when a datagram on a port that carries both is RTCP, not RTP: version 2 and a packet type
// of 192 to 223, which are RTP payload types 64 to 95 with the marker set (RFC 5761, 4).
static inline bool rtcp_is(const uint8_t *data, size_t len)
{
	return len >= 4 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}

// True when a datagram is RTP by its header: it parses, and is not RTCP (RFC 5761, 4). Bare TS
// starts with 0x47, which is version 1, so the two never both match (mpegts_looks_like).
bool rtp_looks_like(const uint8_t *data, size_t len);
