#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// RTCP (RFC 3550, 6; generic NACK: RFC 4585, 6.2.1).

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// True when a datagram on a port that carries both is RTCP, not RTP: version 2 and a packet type
// of 192 to 223, which are RTP payload types 64 to 95 with the marker set (RFC 5761, 4).
static inline bool rtcp_is(const uint8_t *data, size_t len)
{
	return len >= 4 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}
