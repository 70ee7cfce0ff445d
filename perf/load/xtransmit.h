#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The payload layout of srt-xtransmit's metrics, so that this tool and that one check each other:
// numbers of 8 bytes in the machine's order at 0 (packet number), 8 (system clock, microseconds),
// 16 (monotonic clock, microseconds), 32 (length), then at 40 the MD5 of all but itself.

#include "load/payload.h"

void xtransmit_make(const struct payload *p, uint8_t out[PAYLOAD_LEN]);
// As payload_check(). The layout does not say who sends: tag and index are 0.
int xtransmit_check(const uint8_t *data, size_t len, struct payload *out);
