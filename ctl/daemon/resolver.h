#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Addresses of host names (decisions B13): looked up in a helper thread when first asked for, again
// every minute, and every five seconds while there is none. An address that still is among the
// answers is kept, and one is kept when the name server fails: media goes on.

#include "base/endpoint.h"

struct event_base;
struct resolver;

// changed: an address or an error is new; called from the loop. NULL when out of memory.
struct resolver *resolver_new(struct event_base *base, void (*changed)(void *arg), void *arg);
void resolver_free(struct resolver *r); // waits for the look-up under way

// The desired_lookup of ctl/core; ctx: the resolver. A name that nobody asks for is forgotten.
int resolver_lookup(void *ctx, const char *host, struct endpoint *out);

// Why there is no address: one sentence ("x.example: Name or service not known"), or NULL.
const char *resolver_error(struct resolver *r, const char *host);
