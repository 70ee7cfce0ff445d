#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the parsers of stream ids share: the standard form and the dialects.

#include "proto/streamid.h"

#include <stddef.h>

enum { STREAMID_TEXT_MAX = 512 }; // bytes of a stream id; decoding only shortens

// Without blanks around it, and decoded if it was percent-encoded whole.
struct streamid_text {
	const char *p, *end;
	bool decoded;
	char buf[STREAMID_TEXT_MAX + 1];
};

// Returns 0, or STREAMID_E_SYNTAX: too long, or codes that stand for no text.
int streamid_unwrap(const char *text, struct streamid_text *out);

// Set a field of the id, once. Each returns 0 or an enum streamid_error.
int streamid_field_set(char *field, size_t cap, const char *s, size_t len);
// decoded: the whole was percent-encoded, so the name is not any more.
int streamid_name_set(struct streamid *id, const char *s, size_t len, bool decoded);
int streamid_mode_set(struct streamid *id, const char *s, size_t len);
// k=v&k=v, of which the token is taken.
int streamid_query_set(struct streamid *id, const char *p, const char *end);

// A text that is not of the standard form, by the first of these dialects that it fits.
int streamid_dialects(
	struct streamid *id, const char *p, const char *end, bool decoded, uint32_t dialects);
