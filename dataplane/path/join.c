// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"
#include "proto/srt_clock.h"
#include "proto/srt_hs.h"
#include "proto/srt_window.h"

#include <errno.h>
#include <string.h>

struct view *join_view(struct path *p, struct stream *s)
{
	struct view *v = &p->views[s->index];

	if (v->stream == s)
		return v;
	view_open(v, s, s->owner == p->worker, p->entries + (size_t)s->index * HISTORY_CAP,
		rand_below(&p->rand, 1u << 30));
	if (v->owner) {
		s->follow = &p->follows[s->index];
		memset(s->follow, 0, sizeof(*s->follow));
	}
	v->lonely_since = v->rate_at = p->now;
	v->rate_seq = v->history.next;
	p->open[p->n_open++] = v;
	return v;
}

void join_begun(struct path *p, struct session *s)
{
	struct session *first = s->view->in.publisher;
	struct event e = {
		.kind = EV_UP,
		.stream = s->view->stream,
		.proto = s->proto,
		.mode = session_mode(s),
		.peer = s->peer,
		.object = s->object,
		.link = s->kind == SESSION_PUB && first && first != s,
	};

	session_show(s);
	e.key = session_key_get(&p->sessions, s);
	p->stats->sessions = p->sessions.used;
	if (e.mode == DP_MODE_PLAY)
		s->view->tx->subscribers++;
	path_event(p, &e);
}

// Our group opposite the caller's: the same for each of its links, also for one that comes when all
// others have gone.
static uint32_t group_id(const struct parked *q, const struct stream *s)
{
	uint64_t mixed = dp_mix(s->cfg.id, q->req.group.id);

	return SRT_GROUP_BIT | (uint32_t)(mixed & (SRT_GROUP_BIT - 1));
}

static void hs_fill(struct session *s, const struct parked *q, const struct cmd_admit *c)
{
	uint32_t flags = SRT_F_TSBPDSND | SRT_F_TSBPDRCV | SRT_F_CRYPT | SRT_F_TLPKTDROP |
			 SRT_F_NAKREPORT | (q->req.flags & SRT_F_REXMITFLG);

	s->hs = (struct session_hs){
		.caller_id = q->req.caller_id,
		.mss = (uint16_t)srt_hs_mss(q->req.mss, !endpoint_is_v4(&q->peer)),
		.cookie = q->req.cookie,
		.flags = flags,
		.own_rcv_latency_ms = (uint16_t)c->own_rcv_latency_ms,
		.peer_rcv_latency_ms = (uint16_t)c->peer_rcv_latency_ms,
	};
	if (q->req.group.id) {
		s->hs.group = q->req.group;
		s->hs.group.id = group_id(q, c->stream);
		s->hs.group.flags = 0;
	}
}

// What both directions of an SRT session have in common. NULL: no slot.
static struct session *srt_begin(
	struct path *p, const struct parked *q, const struct cmd_admit *c, enum session_kind kind)
{
	struct session *s = session_take(&p->sessions);
	struct line_udp u = {.local = q->local, .peer = q->peer};

	if (!s)
		return NULL;
	s->kind = kind;
	s->proto = DP_PROTO_SRT;
	s->id = session_id_make(p->worker, s->slot, (uint32_t)rand_u64(&p->rand));
	s->tag = q->tag;
	s->peer = q->peer;
	s->local = q->local;
	s->since = s->t0 = p->now;
	s->isn = q->req.isn;
	line_build_udp(&s->line, &u);
	hs_fill(s, q, c);
	if (c->keys.km.key_len)
		secure_begin(p, s, &c->keys);
	view_link(join_view(p, c->stream), s);
	return s;
}

// At once when the history holds something.
void join_wait(struct path *p, struct session *s)
{
	struct view *v = s->view;

	s->cursor = SESSION_START_UNSET;
	s->next_starting = v->out.starting;
	v->out.starting = s;
	v->out.n_starting++;
	p->n_starting++;
	p->start_due = true;
	if (!v->owner && !v->following)
		follow_begin(p, v);
}

// What is its peer's in the handshake has been dealt with.
void join_subscriber(struct path *p, struct session *s, const struct srt_snd_opts *o, uint32_t mss)
{
	s->latency_ms = (uint32_t)(o->latency_us / TS_MS);
	narrow_join(s, mss, srt_suite_is_gcm(s->suite));
	s->dts = srt_clock_delta(s->t0);
	srt_conn_init_snd(&s->conn, p->now, o);
	srt_snd_set_rate(&s->conn.snd, s->view->rate_bps);
	srt_slow_init(&s->slow, p->now, s->isn);
	session_poll(p, s);
	join_wait(p, s);
	join_begun(p, s);
}

int join_play(struct path *p, struct park_entry *e, const struct cmd_admit *c, session_key *key)
{
	const struct srt_hs_req *r = &e->p.req;
	struct session *s = srt_begin(p, &e->p, c, SESSION_SUB);
	struct srt_snd_opts o = {
		.peer_id = r->caller_id,
		.isn = r->isn,
		.t0 = p->now,
		.latency_us = c->peer_rcv_latency_ms * TS_MS,
		.peer_flags = r->flags,
		.repair_percent = (uint8_t)c->stream->cfg.repair_percent,
	};

	if (!s)
		return -ENOSPC;
	handshake_answer(p, s);
	join_subscriber(p, s, &o, r->mss);
	*key = session_key_get(&p->sessions, s);
	return 0;
}

struct srt_rcv *join_rcv(struct path *p)
{
	if (p->n_rcvs_free)
		return p->rcvs_free[--p->n_rcvs_free];
	return p->n_rcvs_fresh < p->n_rcvs ? &p->rcvs[p->n_rcvs_fresh++] : NULL;
}

void join_publishing(struct path *p, struct view *v, struct session *s)
{
	v->in.publisher = s;
	v->in.group = 0;
	v->in.host = s->rcv;
	v->in.anchored = false;
	v->in.last_rx = p->now;
	v->in.scan = (struct mpegts_scan){0};
	join_begun(p, s);
	v->stats->publisher = session_key_get(&p->sessions, s);
}

static struct srt_rcv_opts rcv_opts(const struct path *p, const struct cmd_admit *c)
{
	const struct parked *q = &c->from;

	return (struct srt_rcv_opts){
		.peer_id = q->req.caller_id,
		.isn = q->req.isn,
		.t0 = p->now,
		.base_arrival = q->arrival,
		.base_ts = q->base_ts,
		.latency_us = c->own_rcv_latency_ms * TS_MS,
		.peer_rexmitflg = q->req.flags & SRT_F_REXMITFLG,
		.grouped = q->req.group.id,
	};
}

void join_rcv_give(struct path *p, struct srt_rcv *rcv)
{
	p->rcvs_free[p->n_rcvs_free++] = rcv;
}

static struct session *publisher_begin(struct path *p, const struct cmd_admit *c)
{
	struct srt_rcv *rcv = join_rcv(p);
	struct session *s = rcv ? srt_begin(p, &c->from, c, SESSION_PUB) : NULL;

	if (!s && rcv)
		join_rcv_give(p, rcv);
	if (!s)
		return NULL;
	s->rcv = rcv;
	s->latency_ms = c->own_rcv_latency_ms;
	return s;
}

// One more link of the group that publishes: its packets go where those of the others go.
static void join_link(struct path *p, struct session *s, struct srt_rcv_opts *o)
{
	struct view_in *in = &s->view->in;

	// The intake's latency is the first link's.
	s->latency_ms = in->publisher->latency_ms;
	s->hs.own_rcv_latency_ms = (uint16_t)s->latency_ms;
	srt_conn_join_rcv(&s->conn, p->now, s->rcv, o, in->host);
	s->next_link = in->publisher->next_link;
	in->publisher->next_link = s;
	join_begun(p, s);
}

static unsigned n_links(const struct view_in *in)
{
	unsigned n = 0;

	for (const struct session *s = in->publisher; s; s = s->next_link)
		n++;
	return n;
}

int join_publish(struct path *p, const struct cmd_admit *c, session_key *key)
{
	struct session *old = c->replaces ? session_of_key(&p->sessions, c->replaces) : NULL;
	struct view_in *in = &join_view(p, c->stream)->in;
	struct srt_rcv_opts o = rcv_opts(p, c);
	uint32_t group = c->from.req.group.id;
	struct session *s;

	if (old)
		leave_session(p, old, DP_CLOSE_REPLACED);
	if (in->publisher && !(c->link && in->group == group))
		return -EBUSY;
	s = n_links(in) < PATH_LINKS ? publisher_begin(p, c) : NULL;
	if (!s)
		return -ENOSPC;
	o.own_id = s->id;
	if (in->publisher) {
		join_link(p, s, &o);
	} else {
		srt_conn_init_rcv(&s->conn, p->now, s->rcv, &o);
		join_publishing(p, s->view, s);
		in->group = group;
	}
	handshake_answer(p, s);
	session_poll(p, s);
	*key = session_key_get(&p->sessions, s);
	return 0;
}
