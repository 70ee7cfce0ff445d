#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What a protocol object says about a datagram it was fed. The caller keeps the buffer: a verdict
// points into it.

#include "base/ts.h"

#include <stdbool.h>
#include <stdint.h>

enum srt_action {
	SRT_ABSORB,  // taken note of, nothing to do
	SRT_DELIVER, // media: payload at off/len with seq and play time
	SRT_RESEND,  // the peer lacks what the loss list says (feed it to srt_loss_of)
	SRT_DROP,    // useless or hostile: `why` names the counter
	SRT_CLOSE,   // the peer said SHUTDOWN
};

enum srt_why {
	SRT_WHY_NONE,
	SRT_WHY_MALFORMED,  // does not parse
	SRT_WHY_DUPLICATE,  // already here
	SRT_WHY_LATE,	    // given up before it came
	SRT_WHY_AHEAD,	    // beyond the receive window
	SRT_WHY_UNEXPECTED, // right packet, wrong role: data from a subscriber, ACK from a
			    // publisher
	SRT_WHY_CRYPTO,	    // encrypted payload on a clear session
	SRT_WHY_UNKNOWN,    // control type we do not know
};

struct srt_verdict {
	enum srt_action action;
	enum srt_why why;
	uint16_t off, len; // DELIVER: payload within the datagram. RESEND: the loss list
	uint64_t seq;	   // DELIVER: packet number, extended; the peer's ISN is 0
	ts_us play; // DELIVER: play time here (decisions A5): base + timestamp + drift + latency
	bool retransmitted; // DELIVER: the sender had set R
	bool recovered;	    // DELIVER: fills a hole that had been found missing
};
