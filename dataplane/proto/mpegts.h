#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// MPEG transport stream, as far as a relay looks into it (ISO/IEC 13818-1, 2.4): is this payload
// TS, where do its tables stand, and where may a decoder begin.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MPEGTS_PACKET = 188,
	MPEGTS_SYNC = 0x47,
	MPEGTS_PID_PAT = 0,
	MPEGTS_PID_NONE = 0x1fff,
};

// True when a payload is a whole number of TS packets, each with its sync byte.
bool mpegts_looks_like(const uint8_t *data, size_t len);

// What one TS packet's header says (2.4.3.2).
struct mpegts_pkt {
	const uint8_t *payload; // NULL: none
	uint16_t len, pid;
	bool start;  // payload_unit_start_indicator
	bool random; // random_access_indicator of its adaptation field
};

// One packet of 188 bytes. False when the sync byte is missing, the packet is marked as damaged, or
// the adaptation field runs past its end.
bool mpegts_parse(const uint8_t data[MPEGTS_PACKET], struct mpegts_pkt *out);

// A table section that starts in this packet: the PMT's PID of the first program, or the PID of the
// first video stream of a PMT. False when it is another table or malformed (2.4.4). Sections that
// go on in a second packet are read as far as they are here.
bool mpegts_pat(const struct mpegts_pkt *p, uint16_t *pmt_pid);

struct mpegts_video {
	uint16_t pid; // MPEGTS_PID_NONE: the program has no video
	uint8_t stream_type;
};
bool mpegts_pmt(const struct mpegts_pkt *p, struct mpegts_video *out);

// Follows one stream, payload by payload.
struct mpegts_scan {
	uint16_t pmt_pid;
	struct mpegts_video video;
	bool known;   // a PMT has been read
	bool flagged; // the multiplexer sets random_access_indicator: nothing else is looked at
};

enum mpegts_mark {
	MPEGTS_HAS_PAT = 1,    // a decoder needs this before ...
	MPEGTS_HAS_RANDOM = 2, // ... this, where it may begin: a key picture, or audio alone
};

// A payload that mpegts_looks_like(). Returns a set of enum mpegts_mark.
unsigned mpegts_scan(struct mpegts_scan *s, const uint8_t *data, size_t len);
