#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Wrapping counters: SRT packet sequence numbers (31 bits), SRT message numbers (26 bits, never 0),
// RTP sequence numbers (16 bits). Extended numbers are 64 bits wide and never wrap.

#include <stdint.h>

#define SEQ31_MASK 0x7fffffffu
#define MSGNO_MAX 0x03ffffffu

// a + n, modulo 2^31.
static inline uint32_t seq31_add(uint32_t a, uint32_t n)
{
	return (a + n) & SEQ31_MASK;
}

// Steps from a to b, negative when b lies behind a (srt-wire 4).
static inline int32_t seq31_off(uint32_t a, uint32_t b)
{
	uint32_t d = (b - a) & SEQ31_MASK;

	return d >= 0x40000000u ? (int32_t)(d | 0x80000000u) : (int32_t)d;
}

// The extended number nearest to `near` whose low 31 bits are `seq`.
static inline uint64_t seq31_extend(uint64_t near, uint32_t seq)
{
	return near + (uint64_t)(int64_t)seq31_off((uint32_t)near & SEQ31_MASK, seq);
}

static inline int16_t seq16_off(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(b - a);
}

// The extended number nearest to `near` whose low 16 bits are `seq`.
static inline uint64_t seq16_extend(uint64_t near, uint16_t seq)
{
	return near + (uint64_t)(int64_t)seq16_off((uint16_t)near, seq);
}

// The SRT message number of a stream's extended sequence number. In live mode a packet is a
// message, so it is a function of the sequence alone: 1 .. 2^26-1, 0 left out.
static inline uint32_t seq_msgno(uint64_t seq)
{
	return (uint32_t)(seq % MSGNO_MAX) + 1;
}
