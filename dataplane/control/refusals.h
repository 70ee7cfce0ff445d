#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Who was refused, and why: one line of the log and one notice each. What callers can cause is
// bounded each second, in all and of one network, so that a flood drowns nobody else's line; what
// was kept back is said as a number.

#include "base/endpoint.h"
#include "state/share.h"

#include <stdint.h>

#define REFUSALS_LINES 20u	  // a second
#define REFUSALS_LINES_OF_ONE 10u // of one network
#define REFUSALS_NOTICES 200u
#define REFUSALS_NOTICES_OF_ONE 100u
#define REFUSALS_UNPROVED 4u // lines about addresses that may be somebody else's

struct control;
struct wish;

struct refusals { // of this second
	struct share by;
	uint32_t lines, notices, unproved;
	uint32_t kept_back; // lines
};

void refusal_tell(struct control *c, const struct wish *w, int code);
// A worker has refused somebody by itself: SRT_REJX_BAD_MODE a rendezvous, from an address that
// nothing proves; SRT_REJ_BACKLOG a conclusion that it has no place for.
void refusal_by_worker(struct control *c, const struct endpoint *peer, int code);
void refusals_second(struct control *c);
