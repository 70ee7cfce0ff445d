#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the daemon is told as it happens: a bounded queue, lossy, with a count of what was lost.

#include "ctl/dp/dp_proto.h"
#include "state/event.h"

#include <stdbool.h>
#include <stdint.h>

#define NOTICES_MAX 1024u

struct control;
struct ctl_stream;
struct object;

struct notices {
	struct dp_notice q[NOTICES_MAX];
	uint32_t head, tail; // counters
	uint32_t lost;	     // since the last one queued
};

// The oldest notice, or NULL; then drop it.
const struct dp_notice *notice_peek(const struct notices *n);
void notice_pop(struct notices *n);

void notice_session(struct control *c, const struct event *e, bool up);
void notice_stream(struct control *c, const struct ctl_stream *s);
void notice_stream_gone(struct control *c, const struct ctl_stream *s);
void notice_object(struct control *c, const struct object *o);
void notice_reject(struct control *c, const struct parked *q, const char *stream, bool publishes,
	int code, const char *why);
