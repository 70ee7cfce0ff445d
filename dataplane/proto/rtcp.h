#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// RTCP: reports, source description and goodbye, in compound packets (RFC 3550, 6).
//
// A datagram is read packet by packet (rtcp_next), each body by its parser; it is written through
// one byte cursor, a report first and an SDES CNAME second, as 6.1 demands.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  |V=2|P|  count  |  packet type  |   length in words, minus one  |

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtcp_type {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_APP = 204,
	RTCP_RTPFB = 205, // RFC 4585, 6.2
	RTCP_PSFB = 206,  // RFC 4585, 6.3
};

enum {
	RTCP_COUNT_MAX = 31, // five bits
	RTCP_TEXT_MAX = 255,
};

// True when a datagram on a port that carries both is RTCP, not RTP: version 2 and a packet type
// of 192 to 223, which are RTP payload types 64 to 95 with the marker set (RFC 5761, 4).
static inline bool rtcp_is(const uint8_t *data, size_t len)
{
	return len >= 4 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}

// --- reading --------------------------------------------------------------------------------

// One packet of a compound: what stands behind its first word, padding left out.
struct rtcp_pkt {
	uint8_t type, count;
	const uint8_t *body; // into the datagram
	size_t len;	     // a multiple of 4, unless padding says otherwise
};

// Step through a datagram: `in` starts as bytes_of(data, len). Returns 1 and fills out; 0 at the
// end; -1 when what is left is no RTCP packet (A.2: version, length, padding only in the last).
int rtcp_next(struct bytes *in, struct rtcp_pkt *out);

// A report block (6.4.1): how the peer receives `ssrc`.
struct rtcp_block {
	uint32_t ssrc;
	uint8_t fraction;     // lost since the last report, of 256
	int32_t lost;	      // in all, 24 bits; negative when duplicates outnumber losses
	uint32_t highest_seq; // extended, 16 bits of cycles
	uint32_t jitter;      // timestamp units
	uint32_t last_sr;     // middle 32 bits of its NTP time; 0: none came
	uint32_t since_sr;    // 1/65536 s
};

struct rtcp_report {
	uint32_t ssrc;		     // of who reports
	uint64_t ntp;		     // SR only: 32 bits of seconds since 1900, 32 of fraction
	uint32_t ts, packets, bytes; // SR only
	unsigned n_blocks;
	struct rtcp_block blocks[RTCP_COUNT_MAX];
};

// Parse an SR or RR. Returns 0, or -1 when another type or shorter than its count says.
int rtcp_report_parse(const struct rtcp_pkt *p, struct rtcp_report *out);

struct rtcp_bye {
	unsigned n;
	uint32_t ssrc[RTCP_COUNT_MAX];
	char reason[RTCP_TEXT_MAX + 1]; // as sent, terminated; empty: none
};

// Parse a BYE (6.6). Returns 0 or -1.
int rtcp_bye_parse(const struct rtcp_pkt *p, struct rtcp_bye *out);

// --- writing --------------------------------------------------------------------------------
// Into a cursor; bytes_out_len() says 0 when it did not all fit.

// An SR when `ntp` is set, else an RR.
void rtcp_put_report(struct bytes_out *b, const struct rtcp_report *r);
void rtcp_put_cname(struct bytes_out *b, uint32_t ssrc, const char *cname); // at most 255 bytes
void rtcp_put_bye(struct bytes_out *b, uint32_t ssrc, const char *reason);  // NULL: none

// The middle 32 bits of an NTP time: what last_sr holds.
static inline uint32_t rtcp_ntp_middle(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}
