#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What travels: seven TS packets whose content is a function of who sent them, when and as which
// one, closed by a hash. A receiver needs nothing else to check content and order.

#include "base/ts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAYLOAD_LEN = 7 * 188 };

struct payload {
	uint64_t n;	// counts from 0
	uint64_t sent;	// sender's monotonic microseconds
	uint32_t tag;	// of one publishing session
	uint32_t index; // of the publisher among its kind
};

enum payload_layout {
	PAYLOAD_OWN,	   // what this header says
	PAYLOAD_XTRANSMIT, // what srt-xtransmit sends and checks (xtransmit.h)
};

enum payload_fault {
	PAYLOAD_FOREIGN = -1, // not made by sluice-load
	PAYLOAD_CORRUPT = -2, // made by it, and changed since
};

void payload_make(enum payload_layout layout, const struct payload *p, uint8_t out[PAYLOAD_LEN]);

// Reads payloads. The same one comes to thousands of peers, so each is first compared with the good
// one that had its place before, which costs a third of hashing it. A relay sends bundles, several
// to one peer and then the same to the next, and of several streams in turn: so there are places
// for two bundles.
enum { PAYLOAD_PLACES = 32 };

struct payload_known {
	size_t len; // 0: none yet
	struct payload good;
	uint8_t data[PAYLOAD_LEN];
};

struct payload_reader {
	enum payload_layout layout;
	struct payload_known known[PAYLOAD_PLACES];
};

// Returns 0 and fills out, or an enum payload_fault.
int payload_check(struct payload_reader *r, const uint8_t *data, size_t len, struct payload *out);
