// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

static enum dp_drop drop_of(enum srt_why why)
{
	switch (why) {
	case SRT_WHY_NONE:
		return DP_DROP_NONE;
	case SRT_WHY_MALFORMED:
	case SRT_WHY_UNKNOWN:
		return DP_DROP_MALFORMED;
	case SRT_WHY_DUPLICATE:
		return DP_DROP_DUPLICATE;
	case SRT_WHY_LATE:
		return DP_DROP_LATE;
	case SRT_WHY_AHEAD:
		return DP_DROP_AHEAD;
	case SRT_WHY_UNEXPECTED:
		return DP_DROP_UNEXPECTED;
	case SRT_WHY_CRYPTO:
		return DP_DROP_UNDECRYPTABLE;
	}
	return DP_DROP_MALFORMED;
}

// Holes that its receiver will not see filled any more.
static void gave_up(struct path *p, struct session *s)
{
	uint64_t first, last;

	while (srt_conn_gave_up(&s->conn, &first, &last))
		if (s->view->in.anchored)
			ring_give_up(
				p, s->view, s->view->in.anchor + first, s->view->in.anchor + last);
}

static void arm(struct path *p, struct session *s)
{
	ts_us due = ts_min(srt_conn_expiry(&s->conn), rekey_expiry(p, s));

	// Lazy: what is armed early enough finds out by itself when it fires (decisions A12).
	if (!wheel_armed(&s->timer) || due < s->timer.due)
		wheel_arm(&p->wheel, &s->timer, due);
}

void session_poll(struct path *p, struct session *s)
{
	uint8_t out[SRT_POLL_MAX];
	ssize_t len;

	while ((len = srt_conn_poll(&s->conn, p->now, out, sizeof(out))) > 0)
		port_send(p->port, &s->line, out, (uint16_t)len);
	arm(p, s);
}

static void srt_timer(struct path *p, struct session *s)
{
	if (s->kind == SESSION_SUB) {
		srt_snd_note_sent(&s->conn.snd, s->view->last_sent);
		srt_snd_set_rate(&s->conn.snd, s->view->rate_bps);
	}
	srt_conn_on_expiry(&s->conn, p->now);
	if (srt_conn_dead(&s->conn, p->now)) {
		path_count(p, DP_DROP_CLOSED_SILENT, 1);
		leave_session(p, s, DP_CLOSE_TIMEOUT);
		return;
	}
	if (slow_close(p, s))
		return;
	if (!rekey_on_timer(p, s))
		return;
	if (s->kind == SESSION_PUB)
		gave_up(p, s);
	else
		repair_standing(p, s);
	session_poll(p, s);
}

void session_on_timer(struct path *p, struct session *s)
{
	if (s->kind == SESSION_SUB || s->kind == SESSION_PUB)
		srt_timer(p, s);
	else if (s->kind == SESSION_CALL)
		call_on_timer(p, s);
	else if (s->kind == SESSION_SOURCE)
		plain_gaps(p, s);
}

// The packet's number and time in the stream. A publisher that comes anew goes on at last + 1, and
// its clock never steps back (decisions A4).
static void anchor(struct view *v, ts_us play)
{
	v->in.anchored = true;
	v->in.anchor = v->history.next;
	v->in.play_shift = play > v->in.last_play ? 0 : (int64_t)(v->in.last_play + 1 - play);
}

bool session_deliver(struct path *p, struct pkt *k, uint64_t seq, ts_us play)
{
	struct session *s = k->session;
	struct view_in *in = &s->view->in;

	if (k->media.media_len > WIRE_PAYLOAD_MAX_V4) {
		path_drop(p, k, DP_DROP_OVERSIZE);
		return false;
	}
	if (!in->anchored)
		anchor(s->view, play);
	k->kind = PKT_MEDIA;
	k->media.view = s->view;
	k->media.seq = in->anchor + seq;
	k->media.play = play + (uint64_t)in->play_shift;
	s->rx_packets++;
	s->rx_bytes += k->media.media_len;
	return true;
}

static bool is_ctrl(const struct pkt *k, enum srt_type type)
{
	return srt_pkt_is_ctrl(k->rx.data) && srt_pkt_ctrl_type(k->rx.data) == type;
}

// An ACK of a subscriber, or a publisher's answer to one, tells of a round trip.
static void note_rtt(struct session *s, const struct pkt *k)
{
	bool ack = is_ctrl(k, SRT_ACK);
	const struct srt_rtt *rtt;

	s->acks += ack;
	if (!(s->kind == SESSION_SUB ? ack : is_ctrl(k, SRT_ACKACK)))
		return;
	rtt = s->kind == SESSION_SUB ? &s->conn.snd.rtt : srt_rcv_rtt(s->rcv);
	if (srt_rtt_known(rtt))
		view_note_time(s->view,
			s->kind == SESSION_SUB ? DP_HIST_SUBSCRIBER_RTT : DP_HIST_PUBLISHER_RTT,
			rtt->us);
}

// It would have come a latency before it is due.
static void note_recovery(struct session *s, ts_us arrival, ts_us play)
{
	ts_us expected = play - s->latency_ms * TS_MS;

	view_note_time(s->view, DP_HIST_RECOVERY, arrival > expected ? arrival - expected : 0);
}

static bool deliver_srt(struct path *p, struct pkt *k, const struct srt_verdict *v)
{
	struct session *s = k->session;
	ts_us play = v->play;

	if (s->kind != SESSION_PUB) {
		path_drop(p, k, DP_DROP_UNEXPECTED);
		return false;
	}
	if (v->recovered)
		note_recovery(s, k->rx.arrival, play);
	if (s->view->stream->cfg.leg_shared)
		play -= s->latency_ms * TS_MS;
	k->media = (struct pkt_media){
		.at = v->off,
		.len = v->len,
		.media_len = v->len,
		.recovered = v->recovered,
	};
	return session_deliver(p, k, v->seq, play);
}

// True: a packet that is clear now, and not about keys.
static bool unlock(struct path *p, struct pkt *k)
{
	const struct session *s = k->session;

	if (srt_pkt_is_ctrl(k->rx.data))
		return srt_pkt_ctrl_type(k->rx.data) != SRT_USER || !secure_control(p, k);
	return !s->suite || s->kind != SESSION_PUB || secure_open(p, k);
}

// True when the packet goes on to the ring.
static bool judged(struct path *p, struct pkt *k, const struct srt_verdict *v)
{
	struct session *s = k->session;

	switch (v->action) {
	case SRT_DELIVER:
		return deliver_srt(p, k, v);
	case SRT_RESEND:
		s->naks++;
		repair_feed(p, s, k->rx.data + v->off, v->len);
		path_absorb(p, k);
		break;
	case SRT_DROP:
		s->view->stats->late_packets += v->why == SRT_WHY_LATE;
		s->undecryptable += v->why == SRT_WHY_CRYPTO;
		path_drop(p, k, drop_of(v->why));
		break;
	default: // absorbed
		note_rtt(s, k);
		path_absorb(p, k);
		break;
	}
	return false;
}

// Likewise.
static bool feed_srt(struct path *p, struct pkt *k)
{
	struct session *s = k->session;
	struct srt_verdict v;
	bool on;

	if (s->kind == SESSION_CALL) {
		call_feed(p, k);
		return false;
	}
	if (!unlock(p, k))
		return false;
	srt_conn_feed(&s->conn, k->rx.arrival, k->rx.data, k->rx.len, &v);
	if (v.action == SRT_CLOSE) {
		path_absorb(p, k);
		leave_session(p, s, DP_CLOSE_PEER);
		return false;
	}
	on = judged(p, k, &v);
	if (s->kind == SESSION_PUB)
		gave_up(p, s);
	else
		repair_standing(p, s);
	session_poll(p, s);
	return on;
}

static bool feed(struct path *p, struct pkt *k)
{
	k->sealed = NULL;
	if (k->kind == PKT_SOURCE)
		return plain_feed(p, k);
	if (k->kind == PKT_SRT)
		return feed_srt(p, k);
	handshake_feed(p, k);
	return false;
}

// A session may end in the middle of a batch: what follows for it is dropped, for a freed slot has
// another id.
static bool still_there(const struct pkt *k)
{
	return !k->session || k->session->kind != SESSION_FREE;
}

void path_session(struct path *p, struct batch *b)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < b->n; i++) {
		struct pkt *k = &b->pkts[i];

		if (!still_there(k)) {
			path_drop(p, k, DP_DROP_UNKNOWN_SESSION);
			continue;
		}
		if (!feed(p, k))
			continue;
		if (kept != i)
			b->pkts[kept] = *k;
		kept++;
	}
	b->n = kept;
}
