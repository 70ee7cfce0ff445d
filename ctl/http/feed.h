#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What happens, as it happens: GET /v1/watch, server-sent events. An event has the id
// "<boot>-<n>", n counting from 1. The last events are kept; a reader that names the last one it
// saw (Last-Event-ID, or ?last_event_id=) gets those after it. When that id is unknown (another
// boot, or too old) the first event is `reset`: read the state again. Without an id only what
// comes next is sent.
//
// A reader holds a place in what is kept, and at most FEED_BUFFER_MAX bytes that it has not taken.
// One that falls behind all that is kept is dropped.

#include <jansson.h>

#include <stdint.h>

struct event_base;
struct feed;
struct http_request;

#define FEED_KEPT 10000u
#define FEED_BUFFER_MAX (64u * 1024)

// boot: a word that no other run of the daemon uses. Returns NULL when out of memory.
struct feed *feed_new(struct event_base *base, const char *boot);
void feed_free(struct feed *f);

// Tell everybody. type: one word ("stream", "publisher", "subscriber", "reject", "object",
// "intent", "dataplane"). data: an object, its reference is taken; "id", "time" and "type" are
// added to it. Returns n.
uint64_t feed_publish(struct feed *f, const char *type, json_t *data);

unsigned feed_readers(const struct feed *f);
uint64_t feed_dropped(const struct feed *f); // readers dropped for being slow

// Handler of GET /v1/watch; arg: the feed.
void feed_serve(struct http_request *r, void *arg);
