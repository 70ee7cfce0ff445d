// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/call.h"

#include "base/seq.h"
#include "load/secret.h"
#include "proto/srt_clock.h"
#include "proto/srt_pkt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_AFTER (1 * TS_S)
#define ROOM_EVERY 8u	 // calls, of which few send more than a datagram
#define SETTLE_MOST 128u // calls at a time: more than one burst of what comes in concerns

// Ids, of 30 bits, say whose a datagram is: random ones against stale ones, then the index plus 1.
enum { ID_INDEX_BITS = 18, ID_RANDOM_BITS = 30 - ID_INDEX_BITS };

_Static_assert(LOAD_COUNT_MAX + LOAD_PUBLISHERS_MAX < 1 << ID_INDEX_BITS, "every peer has an id");

static uint32_t new_id(struct load *l, const struct call *c)
{
	uint32_t place = (uint32_t)(c - ((const struct calls *)l->peers)->all);

	return rand_below(&l->rand, 1u << ID_RANDOM_BITS) << ID_INDEX_BITS | (place + 1);
}

struct call *call_place(const struct calls *cs, const uint8_t *data, size_t len)
{
	uint32_t i =
		len < SRT_HDR ? UINT32_MAX : (srt_pkt_dst(data) & ((1u << ID_INDEX_BITS) - 1)) - 1;

	return i < cs->n ? &cs->all[i] : NULL;
}

struct call *call_of(const struct calls *cs, const uint8_t *data, size_t len)
{
	struct call *c = call_place(cs, data, len);

	return c && c->id == srt_pkt_dst(data) ? c : NULL;
}

void call_dirty(struct calls *cs, struct call *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	c->next_dirty = NULL;
	*cs->dirty_tail = c;
	cs->dirty_tail = &c->next_dirty;
}

void call_send(struct load *l, ts_us now, struct call *c, const uint8_t *data, size_t len)
{
	net_send(&l->net, now, c->sock, NULL, data, len);
}

static void call_begin(struct load *l, ts_us now, struct call *c)
{
	struct calls *cs = l->peers;
	uint32_t ms = c->publish ? cs->publish_latency_ms : cs->latency_ms;

	c->id = new_id(l, c);
	c->isn = l->opts.isn >= 0 ? (uint32_t)l->opts.isn : rand_below(&l->rand, SEQ31_MASK);
	c->t0 = now;
	c->state = CALL_CALLING;
	srt_caller_init(&c->caller, now, c->id, c->isn, (uint16_t)ms, (uint16_t)ms, c->streamid);
	secret_begin(cs, c);
}

// Churn: the next moment of this peer's turn, of which there are `churn` a second in all.
static ts_us next_turn(const struct load *l, ts_us now, const struct call *c)
{
	double turn = 1e6 / l->opts.churn, round = turn * l->opts.count;
	double since = (double)(now - l->started) - turn * c->index;

	return now + (ts_us)(round - fmod(since + round, round)) + 1;
}

static ts_us hang_up_time(const struct load *l, ts_us now, const struct call *c)
{
	if (!call_is_main(l->peers, c))
		return TS_NEVER;
	if (l->opts.churn > 0)
		return next_turn(l, now, c);
	return l->opts.reconnect_every ? now + l->opts.reconnect_every : TS_NEVER;
}

// Of publishers beside players: its first call has an answer, be it that there is none. After the
// last one of them the players call.
static void call_answered(struct load *l, ts_us now, struct call *c)
{
	struct calls *cs = l->peers;

	if (!c->publish || c->heard)
		return;
	c->heard = true;
	if (--cs->n_unheard)
		return;
	for (uint32_t i = 0; i < cs->n_play; i++) {
		cs->all[i].start_at = now + (ts_us)i * TS_S / l->opts.join_rate;
		call_dirty(cs, &cs->all[i]);
	}
}

static void call_up(struct load *l, ts_us now, struct call *c)
{
	const struct srt_caller *a = &c->caller;
	struct calls *cs = l->peers;

	c->state = CALL_UP;
	c->n_up++;
	c->was_up = true;
	c->up_at = now;
	c->hang_up_at = hang_up_time(l, now, c);
	if (call_is_main(cs, c)) {
		l->n_up++;
		hist_note(&l->meter.join, now - c->t0);
	}
	call_answered(l, now, c);
	if (c->publish) {
		srt_conn_init_snd(&c->conn, now,
			&(struct srt_snd_opts){.peer_id = a->peer_id,
				.isn = c->isn,
				.t0 = c->t0,
				.latency_us = a->agreed_peer_rcv_latency_ms * TS_MS,
				.peer_flags = a->peer_flags,
				.repair_percent = 200});
		publish_begin(l, now, c);
		return;
	}
	srt_conn_init_rcv(&c->conn, now, c->rcv,
		&(struct srt_rcv_opts){.own_id = c->id,
			.peer_id = a->peer_id,
			.isn = c->isn,
			.t0 = c->t0,
			.base_arrival = a->up_at,
			.base_ts = a->peer_ts,
			.latency_us = a->agreed_own_rcv_latency_ms * TS_MS,
			.peer_rexmitflg = a->peer_flags & SRT_F_REXMITFLG,
			.grouped = l->opts.eager_acks});
	c->check = (struct check){.marked = c->check.marked,
		.foreign = c->check.foreign,
		.corrupt = c->check.corrupt,
		.skipped = c->check.skipped,
		.misplaced = c->check.misplaced,
		.delay_us = c->check.delay_us};
}

// Take the session's figures.
static void call_tally(struct load *l, ts_us now, struct call *c)
{
	const struct srt_rcv_stats *s;
	uint64_t first, last;

	if (c->publish) {
		c->rtt_us = srt_conn_rtt(&c->conn)->us;
		c->unacked += c->n_sent - (uint32_t)seq31_off(c->isn, c->conn.snd.acked);
		return;
	}
	srt_conn_on_expiry(&c->conn, now); // what is too late by now
	while (srt_conn_gave_up(&c->conn, &first, &last))
		;
	s = srt_rcv_stats(c->rcv);
	c->rtt_us = srt_conn_rtt(&c->conn)->us;
	c->received += s->packets;
	c->unique += s->unique;
	c->missing += srt_rcv_given_up(c->rcv);
	c->duplicates += s->duplicate;
	c->late += s->late;
	c->recovered += s->recovered;
}

// The session, or the attempt, is over: another one, or none.
static void call_over(struct load *l, ts_us now, struct call *c, bool again)
{
	c->id = 0;
	if (c->state == CALL_UP || c->state == CALL_LINGER)
		l->n_up -= call_is_main(l->peers, c);
	if (again && !l->stopping) {
		c->state = CALL_WAITING;
		c->start_at = now;
		return;
	}
	c->state = CALL_DONE;
	l->n_active--;
}

static void call_failed(struct load *l, ts_us now, struct call *c)
{
	c->n_failed++;
	c->error = c->caller.error;
	call_answered(l, now, c);
	call_over(l, now, c, l->opts.retry);
	c->start_at = now + RETRY_AFTER;
}

static void call_closed(struct load *l, ts_us now, struct call *c)
{
	c->n_closed++;
	call_tally(l, now, c);
	call_over(l, now, c, l->opts.retry);
	c->start_at = now + RETRY_AFTER;
}

// Packets that came in a second of this session, rounded up as libsrt does.
static uint32_t rate_of(const struct call *c, ts_us now)
{
	ts_us up = now - c->up_at;

	return up ? (uint32_t)((srt_rcv_stats(c->rcv)->packets * TS_S + up - 1) / up) : 0;
}

// The small ACK in the full form (draft 3.2.4), with three rates behind it, as libsrt's receivers
// send it: which of them a relay answers may depend on it, and it would pay for a swarm what it
// does not for libsrt. Returns the new length.
static size_t ack_widen(uint8_t buf[SRT_POLL_MAX], size_t n, uint32_t pps)
{
	enum { SMALL = SRT_HDR + 16, FULL = SRT_HDR + 28 };
	struct srt_ctrl ctrl;

	if (n != SMALL || srt_pkt_parse_ctrl(buf, n, &ctrl) || ctrl.type != SRT_ACK)
		return n;
	be32_put(buf + SMALL, pps);
	memset(buf + SMALL + 4, 0, FULL - SMALL - 4);
	return FULL;
}

static void poll_out(struct load *l, ts_us now, struct call *c)
{
	uint8_t buf[SRT_POLL_MAX];
	ssize_t n;

	while ((n = srt_conn_poll(&c->conn, now, buf, sizeof(buf))) > 0)
		call_send(l, now, c, buf,
			l->opts.eager_acks && c->rcv ? ack_widen(buf, (size_t)n, rate_of(c, now))
						     : (size_t)n);
}

void call_hang_up(struct load *l, ts_us now, struct call *c)
{
	bool again = c->state == CALL_UP && !l->stopping && now >= c->hang_up_at;

	srt_conn_close(&c->conn);
	poll_out(l, now, c);
	call_tally(l, now, c);
	call_over(l, now, c, again);
}

static void feed_conn(struct load *l, ts_us now, struct call *c, const uint8_t *data, size_t len)
{
	struct srt_verdict v;
	uint8_t clear[2048];

	if (c->keys && (len > sizeof(clear) || !secret_open(l, now, c, data, len, clear)))
		return;
	data = c->keys ? clear : data;
	srt_conn_feed(&c->conn, now, data, len, &v);
	if (v.action == SRT_DELIVER && !c->publish) {
		c->retransmitted += v.retransmitted;
		l->n_packets++;
		check_numbered(&c->check, &l->meter, now, v.seq, data + v.off, v.len);
	} else if (v.action == SRT_RESEND && c->publish) {
		publish_resend(l, now, c, data + v.off, v.len);
	}
}

void calls_rx(struct load *l, struct net_sock *s, ts_us now, const uint8_t *data, size_t len)
{
	struct calls *cs = l->peers;
	struct call *c = call_of(cs, data, len);

	if (!c || c->sock != s)
		return;
	if (c->state == CALL_CALLING) {
		srt_caller_feed(&c->caller, now, data, len);
		if (c->caller.state == SRT_CALLER_UP)
			call_up(l, now, c);
	} else if (c->state == CALL_UP || c->state == CALL_LINGER) {
		feed_conn(l, now, c, data, len);
	}
	call_dirty(cs, c);
}

static ts_us call_expiry(const struct load *l, const struct call *c)
{
	switch (c->state) {
	case CALL_WAITING:
		return c->start_at;
	case CALL_CALLING:
		return srt_caller_expiry(&c->caller);
	case CALL_UP:
	case CALL_LINGER:
		return ts_min(ts_min(srt_conn_expiry(&c->conn), c->hang_up_at),
			c->publish ? publish_expiry(l, c) : TS_NEVER);
	case CALL_DONE:
		break;
	}
	return TS_NEVER;
}

static void drive_calling(struct load *l, ts_us now, struct call *c)
{
	uint8_t buf[SRT_HS_REQUEST_MAX];
	ssize_t n;

	srt_caller_on_expiry(&c->caller, now);
	if (c->caller.state == SRT_CALLER_FAILED) {
		call_failed(l, now, c);
		return;
	}
	n = srt_caller_poll(&c->caller, now, buf, sizeof(buf));
	if (n > 0)
		call_send(l, now, c, buf, (size_t)n);
}

static bool has_enough(const struct load *l, const struct call *c)
{
	return l->opts.packets && c->unique + srt_rcv_stats(c->rcv)->unique >= l->opts.packets;
}

static void drive_up(struct load *l, ts_us now, struct call *c)
{
	if (c->publish)
		publish_due(l, now, c);
	if (now >= srt_conn_expiry(&c->conn))
		srt_conn_on_expiry(&c->conn, now);
	if (c->publish)
		publish_standing(l, now, c);
	poll_out(l, now, c);
	if (srt_conn_dead(&c->conn, now))
		call_closed(l, now, c);
	else if (now >= c->hang_up_at || (!c->publish && (l->stopping || has_enough(l, c))) ||
		 (c->state == CALL_LINGER && now >= c->linger_until))
		call_hang_up(l, now, c);
}

static void call_drive(struct load *l, ts_us now, struct call *c)
{
	ts_us due;

	if (c->state == CALL_WAITING && now >= c->start_at)
		call_begin(l, now, c);
	if (c->state == CALL_CALLING)
		drive_calling(l, now, c);
	else if (c->state == CALL_UP || c->state == CALL_LINGER)
		drive_up(l, now, c);
	due = call_expiry(l, c);
	if (!wheel_armed(&c->timer) || due < c->timer.due)
		wheel_arm(&l->wheel, &c->timer, due);
}

// Senders keep their moments; what receivers say may wait for room.
void calls_timer(struct load *l, ts_us now, struct wheel_entry *e)
{
	struct call *c = (struct call *)e;

	if (c->publish)
		call_drive(l, now, c);
	else
		call_dirty(l->peers, c);
}

// In the order in which they became dirty, a few at a time and as long as the port has room: its
// other end may be in the middle of a fan-out to all of us, and then reading comes first.
void calls_settle(struct load *l, ts_us now)
{
	struct calls *cs = l->peers;
	struct call *c;

	for (unsigned i = 0; i < SETTLE_MOST && (c = cs->dirty); i++) {
		if (i % ROOM_EVERY == 0 && !net_room(&l->net))
			break;
		cs->dirty = c->next_dirty;
		if (!cs->dirty)
			cs->dirty_tail = &cs->dirty;
		c->dirty = false;
		call_drive(l, now, c);
	}
	l->unsettled = cs->dirty;
}

void calls_pace(struct load *l, ts_us now)
{
	struct calls *cs = l->peers;

	for (uint32_t i = cs->n_play; i < cs->n; i++)
		if (cs->all[i].state == CALL_UP && publish_expiry(l, &cs->all[i]) <= now)
			call_drive(l, now, &cs->all[i]);
}

void calls_stop(struct load *l, ts_us now)
{
	struct calls *cs = l->peers;

	for (uint32_t i = 0; i < cs->n; i++) {
		struct call *c = &cs->all[i];

		if (c->publish && c->state == CALL_UP)
			l->behind = ts_max(l->behind, publish_behind(l, now, c));
		if (c->state == CALL_WAITING || c->state == CALL_CALLING) {
			c->n_failed += !c->was_up;
			call_over(l, now, c, false);
		}
		call_dirty(cs, c);
	}
}
