#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What clients are told as it happens: one bounded ring for all of them. Each client reads it at
// its own pace; who is more than a ring behind loses the oldest and is told how many.

#include "ctl/dp/dp_proto.h"
#include "state/event.h"

#include <stdbool.h>
#include <stdint.h>

#define NOTICES_MAX 1024u

struct control;
struct ctl_stream;
struct object;
struct wish;

struct notices {
	struct dp_notice q[NOTICES_MAX];
	uint32_t next; // counts all notices there ever were
};

// Where somebody begins who wants to hear what happens from now on.
static inline uint32_t notices_next(const struct notices *n)
{
	return n->next;
}

// The notice at *at, or the oldest there still is with what was lost before it; *at goes past it.
// False when there is none.
bool notices_get(const struct notices *n, uint32_t *at, struct dp_notice *out);

// What the log says of a session that has ended: enum dp_close.
const char *notice_close_words(unsigned reason);

void notice_session(struct control *c, const struct event *e, bool up);
void notice_stream(struct control *c, const struct ctl_stream *s);
void notice_stream_gone(struct control *c, const struct ctl_stream *s);
void notice_object(struct control *c, const struct object *o);
void notice_reject(struct control *c, const struct wish *w, int code, const char *streamid);
