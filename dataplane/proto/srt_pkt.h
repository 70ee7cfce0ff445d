#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// SRT packet headers and control packet contents (draft-sharabayko-srt-01, section 3; srt-wire 2,
// 7.3, 8.1).

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum srt_type {
	SRT_HANDSHAKE = 0x0000,
	SRT_KEEPALIVE = 0x0001,
	SRT_ACK = 0x0002,
	SRT_NAK = 0x0003,
	SRT_CONGESTION = 0x0004,
	SRT_SHUTDOWN = 0x0005,
	SRT_ACKACK = 0x0006,
	SRT_DROPREQ = 0x0007,
	SRT_PEERERROR = 0x0008,
	SRT_USER = 0x7fff,
};

enum {
	SRT_HDR = 16,
	SRT_BARE_LEN = SRT_HDR + 4,
	SRT_DROPREQ_LEN = SRT_HDR + 8,
	SRT_LOSS_MAX = 364,			   // words of a loss list: (MSS - 28 - 16) / 4
	SRT_POLL_MAX = SRT_HDR + 4 * SRT_LOSS_MAX, // the longest control packet we write
	SRT_NAK_SPAN_MAX = 1u << 13, // sequence numbers one NAK may ask for; the rest is ignored
};

#define SRT_WORD1_SINGLE 0xc0000000u // PB = 11: live mode sends whole messages
#define SRT_WORD1_KK 0x18000000u
#define SRT_WORD1_EVEN 0x08000000u
#define SRT_WORD1_ODD 0x10000000u
#define SRT_WORD1_R 0x04000000u
#define SRT_WORD1_MSGNO 0x03ffffffu

struct srt_data {
	uint32_t seq, word1, ts, dst;
	const uint8_t *payload; // into the datagram
	size_t len;
};

struct srt_ctrl {
	uint16_t type, subtype;
	uint32_t info, ts, dst; // info: word 1
	const uint8_t *cif;	// into the datagram
	size_t cif_len;
};

static inline bool srt_pkt_is_ctrl(const uint8_t *data)
{
	return data[0] & 0x80;
}

static inline uint16_t srt_pkt_ctrl_type(const uint8_t *data) // of a control packet
{
	return (uint16_t)(data[0] & 0x7f) << 8 | data[1];
}

static inline uint32_t srt_pkt_dst(const uint8_t *data)
{
	return be32_get(data + 12);
}

// Parse a data packet. 0; -EBADMSG when shorter than 16 bytes or a control packet.
int srt_pkt_parse_data(const uint8_t *data, size_t len, struct srt_data *out);

// Parse a control packet. 0; -EBADMSG when shorter than 16 bytes or a data packet; -ENOTSUP for an
// unknown type.
int srt_pkt_parse_ctrl(const uint8_t *data, size_t len, struct srt_ctrl *out);

void srt_pkt_write_data(
	uint8_t out[SRT_HDR], uint32_t seq, uint32_t word1, uint32_t ts, uint32_t dst);

// Header of a control packet; contents follow through the same cursor.
void srt_pkt_put_ctrl(
	struct bytes_out *b, enum srt_type type, uint32_t info, uint32_t ts, uint32_t dst);

// A whole packet without contents: 4 bytes of padding, as libsrt sends them.
void srt_pkt_put_bare(
	struct bytes_out *b, enum srt_type type, uint32_t info, uint32_t ts, uint32_t dst);

enum srt_km_subtype { SRT_KMREQ = 3, SRT_KMRSP = 4 };

// A whole packet of type SRT_USER with a KM message, or the word of a state, as content (len: whole
// words); returns its length.
size_t srt_km_packet(uint8_t *out, enum srt_km_subtype what, const uint8_t *msg, size_t len,
	uint32_t ts, uint32_t dst);

struct srt_ack {
	uint32_t number; // ACK number, 0 for a light ACK
	uint32_t next;	 // first sequence number not yet received
	uint32_t rtt_us, rtt_var_us, free_packets;
	uint32_t rate_pps, capacity_pps, rate_bps; // 0 where the ACK is shorter
	bool light;				   // only `next` was there
};

// Parse the contents of an ACK. 0, or -EBADMSG when shorter than 4 bytes.
int srt_ack_parse(const struct srt_ctrl *c, struct srt_ack *out);
// A small ACK (16 bytes of content), or a light one (4 bytes, number 0).
void srt_ack_put(struct bytes_out *b, const struct srt_ack *a, uint32_t ts, uint32_t dst);

// A loss list, range by range. Malformed entries (no partner, last before first) are passed over,
// and the sum of the ranges is cut at SRT_NAK_SPAN_MAX, so that the work is bounded.
struct srt_loss {
	struct bytes in;
	uint32_t budget;
};
struct srt_loss srt_loss_of(const uint8_t *cif, size_t len);
bool srt_loss_next(struct srt_loss *l, uint32_t *first, uint32_t *last);
// Append a range; false when the list is full.
bool srt_loss_put(struct bytes_out *b, uint32_t first, uint32_t last);

// A whole DROPREQ packet for first..last (inclusive); returns its length (24).
size_t srt_dropreq_write(uint8_t *out, uint32_t first, uint32_t last, uint32_t ts, uint32_t dst);
int srt_dropreq_parse(const struct srt_ctrl *c, uint32_t *first, uint32_t *last);
