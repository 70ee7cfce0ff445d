#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The HTTP hook (decisions A17, B10): the dataplane asks whether a caller may come in, and we ask
// the operator's server. POST, Content-Type: application/json,
//
//   {"action": "publish"|"play", "stream", "user", "token", "ip", "protocol": "srt", "session",
//    "query": the stream id as it came}
//
// 2xx allows; 401 and 403 refuse, a body {"code": 2404} says with which wire value (else 2401 and
// 2403); anything else is a failure, which the stream's hook_failure decides. Either answer may
// say {"ttl_s": N}: how long it holds for the same question.

#include "ctl/dp/dp_proto.h"

struct event_base;
struct hook;

#define HOOK_TIMEOUT_MS 1000u // for the whole exchange
#define HOOK_MAX 256u	      // under way; more are failures at once

struct hook_counters {
	uint64_t allowed, refused, failed;
	uint64_t over; // of the failed: too many were under way
	unsigned under_way;
};

typedef void (*hook_verdict)(void *arg, const struct dp_admit_r *r);

// NULL when out of memory.
struct hook *hook_new(struct event_base *base, hook_verdict verdict, void *arg);
void hook_free(struct hook *h);

// Ask url (NULL: there is none, a failure). The verdict comes from the loop or, of a failure, from
// inside the call. q's texts are terminated.
void hook_ask(struct hook *h, const char *url, const struct dp_admit *q);

// Who asked is gone: no verdict of what is under way.
void hook_forget(struct hook *h);

const struct hook_counters *hook_counters(const struct hook *h);
