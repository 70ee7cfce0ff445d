#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What workers say to each other, by value, one SPSC ring per ordered pair (decisions A6, A8).

#include "base/endpoint.h"
#include "base/ts.h"
#include "ctl/dp/dp_stats.h"
#include "state/history.h"

#include <stdatomic.h>
#include <stdint.h>

struct rte_mbuf;
struct stream;

#define NOTE_RING 8192u // a whole history fits when a follower begins

enum note_kind {
	NOTE_FORWARD,  // a datagram of one of your sessions landed here; frame is yours now
	NOTE_FOLLOW,   // to the owner: tell me this stream
	NOTE_UNFOLLOW, // to the owner: no longer
	NOTE_PACKET,   // from the owner: history entry seq
	NOTE_GAVE_UP,  // from the owner: holes seq..last will not be filled
	NOTE_FOLLOWED, // from the owner: that was the history; seq is its next number
};

struct note {
	uint8_t kind;	// enum note_kind
	uint8_t format; // PACKET, FOLLOWED: enum dp_stream_format
	uint16_t rsv;
	uint32_t epoch; // of the FOLLOW that this belongs to: what is older is void
	struct stream *stream;
	uint32_t index; // of the stream
	uint32_t rsv2;
	uint64_t seq, last;	    // last of PACKET: where late joiners start, or HISTORY_NONE
	struct history_entry entry; // PACKET; FORWARD: frame and len only
};

// In the headroom of a forwarded frame.
struct note_forward {
	struct endpoint peer, local;
	uint16_t tag;
	ts_us arrival;
	uint32_t slot; // of the session it is for; UINT32_MAX: see its destination id
};

// Shared by the owner and the followers of a stream; each word has one writer.
struct stream_follow {
	_Atomic uint64_t wanted_first; // owner: entries before it should go
	_Atomic uint64_t
		released[DP_WORKERS_MAX]; // follower: entries before it are no longer in use
};
