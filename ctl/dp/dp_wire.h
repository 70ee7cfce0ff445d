#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Messages of the dataplane protocol as bytes (dp_proto.h): header, a body that begins with its own
// size, and for some types more bodies or records behind it.

#include "ctl/dp/dp_proto.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dp_reader {
	struct dp_hdr hdr;
	const uint8_t *at; // into the message
	size_t left;
};

// Look at a message. 0; -EBADMSG: not of this protocol or cut short; -EPROTO: an ABI that we do not
// speak (hdr is filled).
int dp_wire_read(struct dp_reader *r, const uint8_t *msg, size_t len);

// Take the next body into out (size bytes): what an older sender left out is zero, what a newer one
// has more is passed over. 0 or -EBADMSG.
int dp_wire_body(struct dp_reader *r, void *out, size_t size);

// n records of record_size bytes each into out, an array of size bytes each, converted likewise.
int dp_wire_records(struct dp_reader *r, uint32_t n, uint32_t record_size, void *out, size_t size);

struct dp_writer {
	uint8_t *buf; // DP_MSG_MAX bytes
	size_t len;
};

void dp_wire_begin(struct dp_writer *w, uint8_t *buf, enum dp_type type, uint32_t seq);
// Append a body; its first 32 bits are set to its size.
void dp_wire_put(struct dp_writer *w, const void *body, size_t size);
// Append bytes as they are.
void dp_wire_put_raw(struct dp_writer *w, const void *data, size_t len);
// Complete the header; returns the message's length.
size_t dp_wire_end(struct dp_writer *w);
