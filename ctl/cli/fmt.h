#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Numbers for people, in ASCII: three or four digits and a unit. Each writes into buf (at least
// FMT_LEN bytes) and returns it. Factors are decimal.

#include <stddef.h>
#include <stdint.h>

#define FMT_LEN 32

const char *fmt_count(double v, char *buf);   // 999999, 1.235 M
const char *fmt_bytes(double v, char *buf);   // 512 B, 1.50 kB
const char *fmt_bitrate(double v, char *buf); // bit/s: 0 b/s, 4.02 Mb/s
const char *fmt_ms(double v, char *buf);      // 0.35 ms, 12.3 ms, 120 ms
const char *fmt_ratio(double v, char *buf);   // 0.253: 25.3 %

// Seconds: 0 s, 59 s, 3 min 20 s, 3 h 12 min, 5 d 4 h
const char *fmt_duration(double s, char *buf);

// Parse "2", "0.5", "500ms", "90s", "5m", "1h" into milliseconds; a bare number is seconds.
// Returns 0, or -EINVAL: not a duration, negative, or over ten years.
int fmt_parse_duration(const char *s, uint64_t *ms);

// Parse an RFC 3339 time ("2026-01-31T12:00:00.123Z") into seconds since 1970. Returns 0 or
// -EINVAL.
int fmt_parse_time(const char *s, double *out);
