#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A subscriber's line: one cache line that holds the complete header of its packets, right aligned
// (offsets in base/wire.h). It is built once and never written by a delivery.
//
// The fields that a copy patches hold their own base: SRT sequence number and timestamp (host
// order) are added to the stream's, word 1 (host order) is or-ed with the stream's (KK bits), and
// the IP and UDP checksums are the partial sums of everything that does not change. Sums are of
// 16-bit words as they lie in memory (RFC 1071, section 2B: the ones' complement sum does not mind
// the byte order), so nothing is swapped to add them.

#include "base/endpoint.h"
#include "base/seq.h"
#include "base/wire.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

enum line_kind {
	LINE_UDP, // payload as it is: no media header
	LINE_RTP, // 12-byte RTP header, payload type 33, at WIRE_MEDIA; 4 bytes unused behind it
	LINE_SRT, // 16-byte SRT data header at WIRE_MEDIA
};

struct line {
	alignas(64) uint8_t b[WIRE_LINE];
};

static_assert(sizeof(struct line) == 64, "a subscriber is one cache line");

// The peer's address is the one that decides on IPv4 or IPv6.
struct line_udp {
	struct endpoint local, peer; // local.ip may be unspecified: the kernel chooses
	uint32_t ifindex;	     // egress interface, of 20 bits; 0: routing decides
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

static inline bool line_is_v6(const struct line *l)
{
	return l->b[WIRE_IP6] >> 4 == 6;
}

// Where the packet's first header begins in a line.
static inline unsigned line_begin(const struct line *l)
{
	return line_is_v6(l) ? (unsigned)WIRE_IP6 : (unsigned)WIRE_ETH;
}

// Ones' complement sum of len bytes (an odd last byte counts as if a zero followed), folded to 16
// bits, not complemented.
uint32_t line_sum(const uint8_t *data, size_t len);

// Bytes of the media header that stands in front of a copy's payload.
static inline unsigned line_media_len(enum line_kind kind)
{
	return kind == LINE_SRT ? WIRE_SRT_HDR : kind == LINE_RTP ? WIRE_RTP_HDR : 0;
}

static inline uint32_t line_load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint16_t line_load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void line_store32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void line_store16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline uint16_t line_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

// The words of a media header that differ from copy to copy, in network order.
struct line_words {
	uint32_t seq, word1, ts;
};

static inline struct line_words line_words_srt(
	const struct line *l, uint32_t seq, uint32_t word1, uint32_t ts)
{
	struct line_words w;

	w.seq = __builtin_bswap32((line_load32(l->b + WIRE_SRT_SEQ) + seq) & SEQ31_MASK);
	w.word1 = __builtin_bswap32(line_load32(l->b + WIRE_SRT_WORD1) | word1);
	w.ts = __builtin_bswap32(line_load32(l->b + WIRE_SRT_TS) + ts);
	return w;
}

// RTP keeps version and payload type in the bytes before its sequence number: they are constant.
static inline struct line_words line_words_rtp(const struct line *l, uint32_t seq, uint32_t ts)
{
	struct line_words w;

	w.seq = __builtin_bswap16((uint16_t)(line_load16(l->b + WIRE_RTP_SEQ) + seq));
	w.word1 = 0;
	w.ts = __builtin_bswap32(line_load32(l->b + WIRE_RTP_TS) + ts);
	return w;
}

// Write the media header of one copy: 16 bytes (SRT) or 12 (RTP) at out, which takes 16; returns
// that length, 0 for bare UDP. seq, word1 and ts are the stream's (for RTP, ts in 90 kHz units).
static inline unsigned line_media(const struct line *l, enum line_kind kind, uint32_t seq,
	uint32_t word1, uint32_t ts, uint8_t *out)
{
	struct line_words w;

	if (kind == LINE_UDP)
		return 0;
	memcpy(out, l->b + WIRE_MEDIA, WIRE_LINE - WIRE_MEDIA);
	if (kind == LINE_SRT) {
		w = line_words_srt(l, seq, word1, ts);
		line_store32(out + WIRE_SRT_SEQ - WIRE_MEDIA, w.seq);
		line_store32(out + WIRE_SRT_WORD1 - WIRE_MEDIA, w.word1);
		line_store32(out + WIRE_SRT_TS - WIRE_MEDIA, w.ts);
		return WIRE_SRT_HDR;
	}
	w = line_words_rtp(l, seq, ts);
	line_store16(out + WIRE_RTP_SEQ - WIRE_MEDIA, (uint16_t)w.seq);
	line_store32(out + WIRE_RTP_TS - WIRE_MEDIA, w.ts);
	return WIRE_RTP_HDR;
}

static inline void line_render_ip(const struct line *l, uint16_t len, uint8_t *out)
{
	uint16_t ip_len = __builtin_bswap16(len);

	line_store16(out + WIRE_IP_LEN, ip_len);
	line_store16(out + WIRE_IP_CSUM,
		(uint16_t)~line_fold((uint64_t)line_load16(l->b + WIRE_IP_CSUM) + ip_len));
}

// Write the whole 64-byte header of one copy at out, lengths and checksums included. payload_sum is
// the ones' complement sum of the payload (line_sum), computed once for all copies. On the wire the
// copy is out[line_begin(l) .. WIRE_MEDIA + line_media_len(kind)) and the payload behind it.
static inline void line_render(const struct line *l, enum line_kind kind, uint32_t seq,
	uint32_t word1, uint32_t ts, uint16_t payload_len, uint32_t payload_sum, uint8_t *out)
{
	unsigned media = line_media_len(kind);
	uint16_t udp_len = __builtin_bswap16((uint16_t)(8 + media + payload_len));
	uint64_t sum = (uint64_t)line_load16(l->b + WIRE_UDP_CSUM) + payload_sum + 2u * udp_len;
	struct line_words w = {0, 0, 0};
	uint16_t csum;

	memcpy(out, l->b, WIRE_LINE);
	if (kind == LINE_SRT) {
		w = line_words_srt(l, seq, word1, ts);
		line_store32(out + WIRE_SRT_SEQ, w.seq);
		line_store32(out + WIRE_SRT_WORD1, w.word1);
		line_store32(out + WIRE_SRT_TS, w.ts);
	} else if (kind == LINE_RTP) {
		w = line_words_rtp(l, seq, ts);
		line_store16(out + WIRE_RTP_SEQ, (uint16_t)w.seq);
		line_store32(out + WIRE_RTP_TS, w.ts);
	}
	csum = (uint16_t)~line_fold(sum + w.seq + w.word1 + w.ts);
	line_store16(out + WIRE_UDP_LEN, udp_len);
	line_store16(out + WIRE_UDP_CSUM, csum ? csum : 0xffff); // RFC 768: 0 means none
	if (line_is_v6(l))
		line_store16(out + WIRE_IP6_LEN, udp_len);
	else
		line_render_ip(l, (uint16_t)(28 + media + payload_len), out);
}

// The same for a datagram of our own, of which `to` gives only the addresses: out is written up to
// WIRE_MEDIA, where its len bytes begin.
void line_render_own(const struct line *to, const uint8_t *data, uint16_t len, uint8_t *out);
