#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Addresses that an operator has put out of a stream for a while: of that stream alone, for
// operators may be of one tenant. A short list, kept as long as the process lives; what is to last
// is a rule of the stream.

#include "base/ts.h"
#include "ctl/dp/dp_proto.h"

#include <stdbool.h>
#include <stdint.h>

#define BANS_MAX 1024u

struct ban {
	ts_us until;
	uint8_t ip[16];
	char stream[DP_STREAM_NAME];
};

struct bans {
	uint32_t n;
	struct ban all[BANS_MAX];
};

// A second one of the same takes the place of the first. False: no room.
bool ban_put(struct bans *t, ts_us now, const uint8_t ip[16], const char *stream, ts_us until);
bool ban_holds(const struct bans *t, ts_us now, const uint8_t ip[16], const char *stream);
