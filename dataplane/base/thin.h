#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Which of a receiver's ACKs reach its session (decisions A14). Each that does costs a packet in
// and an ACKACK out, and what most of them say the next one says as well. The rule looks at nothing
// but the packet, so that a classic BPF program can follow it too:
//
//   - the first ones pass, for until the first ACKACK a receiver's NAK period is 150 ms;
//   - then every 32nd. A libsrt receiver sends 100 a second, at low rates too, for it repeats what
//     is not answered: three round trips are measured in a second, and a clock that is 50 ppm off
//     is corrected (after 1000 of them) before it is off by 16 ms;
//   - all of one that gets a few packets a second, as the full form says: an answer to each spares
//     the repeats, and they are no more than get through otherwise.

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	THIN_SMALL_ACK = 32, // bytes; a light one, which wants no answer, has 20
	THIN_RATE_AT = 32,   // packets that its sender receives in a second, in longer ones
	THIN_PASS_FIRST = 31,
	THIN_EACH = 32, // power of two
	THIN_SLOW_PPS = 4,
};

#define THIN_WORD0_ACK 0x80020000u

static inline bool thin_is_slow(const uint8_t *data, size_t len)
{
	return len >= THIN_RATE_AT + 4 && be32_get(data + THIN_RATE_AT) - 1 < THIN_SLOW_PPS;
}

// An ACK that need not be looked at? data: a UDP payload of at least 16 bytes.
static inline bool thin_ack(const uint8_t *data, size_t len)
{
	uint32_t number = be32_get(data + 4);

	return be32_get(data) == THIN_WORD0_ACK && len >= THIN_SMALL_ACK &&
	       number > THIN_PASS_FIRST && number % THIN_EACH && !thin_is_slow(data, len);
}
