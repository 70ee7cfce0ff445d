// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#define HOUSE_STALL_US (2 * TS_S)  // decisions A26
#define HOUSE_LINGER_US (5 * TS_S) // a follower without subscribers lets go
#define HOUSE_RATE_FIRST_US (100 * TS_MS)
#define HOUSE_RATE_US (1 * TS_S)

void house_stream_state(struct path *p, struct view *v, enum dp_stream_state state)
{
	struct event e = {.kind = EV_STREAM, .stream = v->stream, .state = (uint8_t)state};

	if (v->in.state == state)
		return;
	v->in.state = (uint8_t)state;
	v->stats->state = state;
	path_event(p, &e);
}

// Where a stream that begins, or goes on, has begun: with its first packet since the last look.
static ts_us rate_from(const struct view *v)
{
	const struct history_entry *e = history_find(&v->history, v->rate_seq);

	return e && !v->rate_span ? ts_max(e->arrival, v->rate_at) : v->rate_at;
}

// Budgets of repairs depend on it, so a stream that begins is measured soon, then over ever longer
// spans. One that pauses keeps its rate.
static void measure_rate(struct path *p, struct view *v)
{
	uint64_t bytes = v->sent_srt.bytes + v->sent_srt.packets * SRT_REPAIR_HEADERS;
	uint64_t span = p->now - rate_from(v);
	bool flows = bytes > v->rate_bytes;

	if (span < ts_max(v->rate_span, HOUSE_RATE_FIRST_US))
		return;
	if (flows) {
		v->rate_bps = (uint32_t)((bytes - v->rate_bytes) * TS_S / span);
		v->rate_pps = (uint32_t)((v->history.next - v->rate_seq) * TS_S / span);
	}
	v->rate_bytes = bytes;
	v->rate_seq = v->history.next;
	v->rate_at = p->now;
	v->rate_span = flows ? ts_min(2 * span, HOUSE_RATE_US) : 0;
}

// A publisher that has called is expected to send; a source that is bound may wait for its sender.
static bool should_flow(const struct view *v)
{
	return v->in.state == DP_STREAM_LIVE ||
	       (v->in.publisher && v->in.publisher->kind == SESSION_PUB);
}

static void keep_owner(struct path *p, struct view *v)
{
	ring_trim(p, v);
	if (should_flow(v) && p->now - v->in.last_rx > HOUSE_STALL_US)
		house_stream_state(p, v, DP_STREAM_STALLED);
}

static void keep_follower(struct path *p, struct view *v)
{
	follow_report(p, v);
	if (v->n_sessions || p->now - v->lonely_since < HOUSE_LINGER_US)
		return;
	follow_end(p, v);
}

void house_keep(struct path *p)
{
	uint64_t frames = 0;

	refused_turn(p);
	for (uint32_t i = 0; i < p->n_open; i++) {
		struct view *v = p->open[i];

		frames += v->history.n_frames;
		measure_rate(p, v);
		rekey_view(p, v);
		pushkey_view(p, v);
		narrow_view(p, v);
		refused_view(p, v);
		if (v->owner)
			keep_owner(p, v);
		else if (v->following)
			keep_follower(p, v);
		else if (v->n_sessions)
			follow_begin(p, v); // its ring was full at the first try
	}
	p->stats->frames_used = frames;
}
