#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One stream as one worker sees it: its history, its subscribers there, and on the owner what comes
// in. A follower's view is filled by notes from the owner (decisions A6, A8).

#include "base/rand.h"
#include "ctl/dp/dp_proto.h"
#include "ctl/dp/dp_stats.h"
#include "io/port.h"
#include "proto/mpegts.h"
#include "state/history.h"
#include "state/secure.h"
#include "state/session.h"
#include "state/stream.h"
#include "state/sublist.h"

#include <stdbool.h>
#include <stdint.h>

// The subscribers of a view, by what is sent to them.
struct view_out {
	struct sublist srt;		     // newest first come, first go
	struct sublist secured[SRT_SUITES];  // the same, each under a key of its own
	struct sublist shared[SRT_PUSHKEYS]; // all of each under one key
	struct sublist udp;		     // pushes, in order: LINE_UDP
	struct sublist rtp;	  // pushes, in order: LINE_RTP, or LINE_UDP for what came as RTP
	struct session *starting; // SRT subscribers that still catch up from the history
	uint32_t n_starting;
};

// What comes in, on the owner.
struct view_in {
	struct session *publisher; // or source, or the first link of a group; NULL: none
	uint32_t group;		   // the peer's id of that; 0: it is none
	struct srt_rcv *host;	   // what has come by its links is in here
	// How its numbers and times are those of the stream. `anchored`: since its first packet.
	bool anchored;
	uint64_t anchor;    // the stream's number of its packet 0
	int64_t play_shift; // added to its play times so that the stream's clock never steps back
	uint64_t inorder;   // before it everything has been pushed, or given up
	uint64_t refused;   // packets before it found no room; 0: none did
	ts_us last_play, last_rx;
	uint8_t state; // enum dp_stream_state
	struct mpegts_scan scan;
	uint64_t tables;    // newest packet with a PAT
	uint64_t followers; // bit per worker
	uint32_t follow_epoch[DP_WORKERS_MAX];
	struct cmd *closing; // STREAM_CLOSE that waits for followers
};

struct view {
	struct stream *stream; // NULL: the slot is free
	struct history history;
	struct view_out out;
	struct view_in in;
	struct session *sessions; // all of this view
	uint32_t n_sessions;

	bool owner, following;
	bool ready;	// late joiners may choose their start: the history is all there is
	uint8_t format; // enum dp_stream_format
	uint32_t epoch; // follower: of its last FOLLOW
	ts_us lonely_since;

	// Payload sizes, bytes: the largest since `largest_at` and in the span before; what every
	// subscriber here takes.
	uint16_t largest, largest_before, fits;
	ts_us largest_at;

	struct secure_pushkey pushkey[SRT_PUSHKEYS];
	uint8_t passes; // 1 + index of the one that follows the publisher's key; 0: none

	uint64_t rekey_at; // number at which some subscriber here is due for a new key

	// Arrived since the last fan-out; at most one bundle.
	uint64_t fresh[PORT_BUNDLE];
	const uint8_t *sealed[PORT_BUNDLE]; // their media as they came, or NULL: see struct pkt
	unsigned n_fresh;
	bool dirty;
	struct view *next_dirty;

	// Fan-out totals per list kind: what a subscriber's counters are differences of.
	struct session_base sent_srt, sent_push;
	ts_us last_sent;
	// The last fan-out began with this number, and was through, heard of too, by then.
	uint64_t flushed_from;
	ts_us flushed_at;
	uint64_t rate_bytes;	  // at the last look
	uint64_t rate_seq;	  // next number then
	ts_us rate_at, rate_span; // the next one is taken over so long
	uint32_t rate_bps;	  // bytes per second, with the headers of SRT over IPv4
	uint32_t rate_pps;	  // packets per second
	struct dp_stats_stream *stats;
	struct dp_stats_stream_tx *tx;
	struct dp_stats_hists *hists; // NULL: nobody wants any
};

static inline void view_note_time(struct view *v, enum dp_hist_kind kind, uint64_t us)
{
	if (!v->hists)
		return;
	v->hists->of[kind].sum_us += us;
	v->hists->of[kind].buckets[dp_hist_bucket(us)]++;
}

static inline struct session_base view_sent(const struct view *v, const struct session *s)
{
	return s->kind == SESSION_SUB ? v->sent_srt : v->sent_push;
}

// The lists of SRT subscribers, one after the other: NULL behind the last.
static inline struct sublist *view_srt_list(struct view *v, unsigned i)
{
	if (i >= SRT_SUITES)
		return i < SRT_SUITES + SRT_PUSHKEYS ? &v->out.shared[i - SRT_SUITES] : NULL;
	return i ? &v->out.secured[i] : &v->out.srt;
}

void view_open(struct view *v, struct stream *stream, bool owner, struct history_entry *entries,
	uint64_t first_seq);

// Sessions of a view: a doubly linked list, for closing them all.
void view_link(struct view *v, struct session *s);
void view_unlink(struct session *s);
