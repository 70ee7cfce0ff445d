#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Server-sent events out of a stream of bytes (HTML Living Standard, 9.2.6 "Interpreting an event
// stream"), as far as the feed uses them: fields id, event and data, comments, any split.

#include "ctl/api/client.h"

#define SSE_LINE_MAX (1u << 20) // a line longer than this ends the stream

struct sse {
	api_event_cb cb;
	void *arg;
	bool stopped; // the callback had enough
	char id[128], type[64];
	char *data, *line;
	size_t data_len, line_len;
};

// Returns false when the stream is to end: stopped, a line too long, or out of memory.
bool sse_feed(struct sse *s, const char *bytes, size_t n);
void sse_fini(struct sse *s);
