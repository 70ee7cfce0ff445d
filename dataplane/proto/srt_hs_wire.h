#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The handshake packet as both ends read and write it (draft-sharabayko-srt-01, 3.2.1; srt-wire 3).
// Of use to srt_hs.c, srt_caller.c and tests only.
//
//    0                   1                   2                   3
//   +---------------------------------------------------------------+ 16
//   |                            version                            |
//   |          encryption           |           extension           |
//   |                    initial sequence number                    |
//   |              MSS              |          (MSS, low)           |
//   |                      maximum flow window                      |
//   |                         request type                          |
//   |                           socket id                           |
//   |                            cookie                             |
//   |                       peer address (16)                       |
//   +---------------------------------------------------------------+ 64
//   |   extension type  |  length, words    |  content ...          |
//
// Content of GROUP (8); srt-wire 15:
//
//   |                           group id                            |
//   |     type      |     flags     |            weight             |

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define HS_MAGIC 0x4a17u
#define HS_WAVEAHAND 0u
#define HS_INDUCTION 1u
#define HS_CONCLUSION 0xffffffffu
#define HS_REJECTED 1000u // and above, below 2^31

enum { HS_VERSION4 = 4, HS_VERSION5 = 5, HS_MSS = 1500 };

enum hs_flag { HS_FLAG_HSREQ = 1, HS_FLAG_KMREQ = 2, HS_FLAG_CONFIG = 4 };

enum hs_block {
	HS_BLOCK_HSREQ = 1,
	HS_BLOCK_HSRSP = 2,
	HS_BLOCK_KMREQ = 3,
	HS_BLOCK_KMRSP = 4,
	HS_BLOCK_SID = 5,
	HS_BLOCK_CONGESTION = 6,
	HS_BLOCK_FILTER = 7,
	HS_BLOCK_GROUP = 8,
};

struct hs_fixed {
	uint32_t ts, dst; // of the packet header
	uint32_t version;
	uint16_t encryption, extension;
	uint32_t isn, mss, window, type, id, cookie;
	uint8_t ip[16]; // as on the wire
};

// The fixed part of a handshake packet. False when it is none (shorter, or another type).
bool hs_fixed_parse(const uint8_t *data, size_t len, struct hs_fixed *out);
void hs_fixed_put(struct bytes_out *b, const struct hs_fixed *f);

// The extension blocks, one by one. False at the end; check bytes_ok(b) then: a block that overruns
// the datagram sets the sticky error.
bool hs_block_next(struct bytes *b, uint16_t *type, struct bytes *content);

// HSREQ or HSRSP with its head.
struct hs_ext {
	uint32_t version, flags;
	uint16_t rcv_latency_ms, snd_latency_ms;
};
bool hs_ext_parse(struct bytes content, struct hs_ext *out); // false: shorter than three words
void hs_ext_put(struct bytes_out *b, enum hs_block type, const struct hs_ext *e);

struct srt_hs_group;
bool hs_group_parse(
	struct bytes content, struct srt_hs_group *out); // false: shorter than two words
void hs_group_put(struct bytes_out *b, const struct srt_hs_group *g);

// Strings travel with the bytes of each 32-bit word reversed (srt-wire 3.4). Reads at most cap - 1
// bytes, strips the padding, terminates; returns the length.
size_t hs_string_get(struct bytes content, char *out, size_t cap);
void hs_string_put(struct bytes_out *b, enum hs_block type, const char *s);

// A KM message, as it is: length in whole words.
void hs_km_put(struct bytes_out *b, enum hs_block type, const uint8_t *km, uint16_t len);

// A v4-mapped address in the handshake's own byte order (srt-wire 3.4).
void hs_ip_put(uint8_t out[16], const uint8_t v4_mapped[16]);
