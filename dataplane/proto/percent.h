#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Percent-encoding (RFC 3986, 2.1) in URLs and stream ids.

#include <stdbool.h>
#include <stddef.h>

// Decode len bytes of s into out, terminated; *out_len (may be NULL) without the terminator. A
// percent sign without two hex digits behind it stands for itself: libsrt's tools never encode.
// Returns 0, or -1 when it does not fit or decodes to a control character.
int percent_decode(const char *s, size_t len, char *out, size_t cap, size_t *out_len);

// Append s to buf (terminated, cap bytes in all) encoding what would not come back from a query:
// controls, blanks, bytes beyond ASCII, % and &. "#!::" stays legible. Returns 0, or -1 when full.
int percent_append(char *buf, size_t cap, const char *s);
