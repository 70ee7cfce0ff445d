#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The listener's SYN cookie: HalfSipHash-2-4 over {source address, source port, destination port,
// minute} (decisions A21), the same on every kind of port. The hashed bytes: address (16, IPv4
// mapped), both ports and the low 32 bits of the minute (monotonic), in network order.

#include "base/endpoint.h"
#include "base/ts.h"

#include <stdbool.h>
#include <stdint.h>

struct srt_cookie_key {
	uint64_t now, before; // current and previous key
};

uint32_t srt_cookie_make(const struct srt_cookie_key *k, const struct endpoint *peer,
	uint16_t local_port, ts_us now);

// True when cookie was made with the current or previous key in this or the previous minute.
bool srt_cookie_ok(const struct srt_cookie_key *k, const struct endpoint *peer, uint16_t local_port,
	ts_us now, uint32_t cookie);
