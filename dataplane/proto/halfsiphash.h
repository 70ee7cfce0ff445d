#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// HalfSipHash-2-4 with 32 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input
// PRF", and its 32-bit variant): small enough for the XDP program that makes the same cookies.

#include <stddef.h>
#include <stdint.h>

// key: its eight bytes read as a little-endian number, as in the published vectors.
uint32_t halfsiphash24(uint64_t key, const uint8_t *in, size_t len);
