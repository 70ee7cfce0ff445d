// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "path/path.h"

#define SLOW_HEARD (2 * TS_S) // who has said nothing for longer has an end of its own

// Subscribers that cannot take their stream, closed with a reason (srt-wire 9). A send buffer that
// is full says nothing here: it is the socket's, not a subscriber's (drops.tx_full).

// The number of its next packet.
static uint32_t next_of(const struct session *s)
{
	uint64_t next = s->place.chunk ? s->view->history.next : s->cursor;

	return seq31_add(s->dseq, (uint32_t)(next & SEQ31_MASK));
}

static bool close_one(struct path *p, struct session *s, enum dp_close why, enum dp_drop count)
{
	path_count(p, count, 1);
	leave_session(p, s, why);
	return true;
}

bool slow_close(struct path *p, struct session *s)
{
	const struct srt_snd *snd = &s->conn.snd;
	ts_us after = s->view->stream->cfg.slow_us;

	if (s->kind != SESSION_SUB || s->cursor == SESSION_START_UNSET || !after ||
		p->now > snd->last_rx + SLOW_HEARD)
		return false;
	switch (srt_slow_check(
		&s->slow, p->now, after, snd->acked, next_of(s), snd->latency_us, &snd->rtt)) {
	case SRT_SLOW_FINE:
		return false;
	case SRT_SLOW_STUCK:
		return close_one(p, s, DP_CLOSE_STUCK, DP_DROP_CLOSED_STUCK);
	case SRT_SLOW_GREEDY:
		return close_one(p, s, DP_CLOSE_GREEDY, DP_DROP_CLOSED_GREEDY);
	}
	return false;
}
