// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "path/path.h"
#include "proto/srt_caller.h"

#include <errno.h>
#include <string.h>

// SRT calls of ours (srt-wire 5.6). A call is a session from its first packet on, so that answers
// find it; once answered it is a publisher or a subscriber like any other.
//
// To a target that we push to, numbers are the stream's own: it is told the number of the packet
// that it will begin with, and gets that one first however long it took to answer.

#define CALLS_MAX 4096u

struct call {
	struct srt_caller caller;
	struct call *next_free;
	uint8_t mode;	// enum dp_mode
	uint8_t shared; // as the session's
	bool passes;	// its key is a publisher's
	struct key_material keys;
	char streamid[DP_STREAMID_MAX + 8];
};

bool call_pool_init(struct path *p, struct path_regions *mem)
{
	p->calls.n = CALLS_MAX;
	p->calls.all = path_region(mem, CALLS_MAX, sizeof(struct call));
	return p->calls.all;
}

static struct call *call_take(struct call_pool *t)
{
	struct call *c = t->free;

	if (c)
		t->free = c->next_free;
	else if (t->n_fresh < t->n)
		c = &t->all[t->n_fresh++];
	return c;
}

static void call_give(struct call_pool *t, struct call *c)
{
	explicit_bzero(c, sizeof(*c));
	c->next_free = t->free;
	t->free = c;
}

static void poll(struct path *p, struct session *s)
{
	uint8_t out[SRT_HS_REQUEST_MAX];
	ssize_t len;

	while ((len = srt_caller_poll(&s->call->caller, p->now, out, sizeof(out))) > 0)
		port_send(p->port, &s->line, out, (uint16_t)len);
	wheel_arm(&p->wheel, &s->timer, srt_caller_expiry(&s->call->caller));
}

// Where a target begins: where a decoder can, when that is not far back.
static uint64_t start_of(const struct history *h)
{
	return history_covers(h, h->random) ? h->random : h->next;
}

static struct session *session_begin(struct path *p, const struct cmd_call *c, struct view *v)
{
	struct session *s = session_take(&p->sessions);
	struct line_udp u = {.local = c->local, .peer = c->peer, .ttl = c->ttl, .dscp = c->dscp};

	if (!s)
		return NULL;
	port_source(p->port, &u.peer, &u.local);
	s->kind = SESSION_CALL;
	s->proto = DP_PROTO_SRT;
	s->id = session_id_make(p->worker, s->slot, (uint32_t)rand_u64(&p->rand));
	s->tag = c->tag;
	s->peer = c->peer;
	s->local = u.local;
	s->ttl = c->ttl;
	s->dscp = c->dscp;
	s->object = c->object;
	s->since = s->t0 = p->now;
	s->start = start_of(&v->history);
	s->isn = c->mode == DP_MODE_PLAY ? (uint32_t)s->start & SEQ31_MASK
					 : rand_below(&p->rand, SEQ31_MASK);
	line_build_udp(&s->line, &u);
	view_link(v, s);
	return s;
}

// The publisher's key, else the one that all others share: that is under the stream's salt, which
// every call brings a KEK of, so that none is left to itself.
static void share_key(
	struct path *p, struct session *s, struct call *call, const struct cmd_call *c)
{
	call->keys = c->pass;
	call->shared = pass_bring(p, s, &call->keys);
	call->passes = call->shared;
	if (call->passes)
		return;
	call->keys = c->keys;
	call->shared = pushkey_bring(s->view, &call->keys);
}

int call_begin(struct path *p, const struct cmd_call *c, session_key *key)
{
	struct call *call = call_take(&p->calls);
	struct session *s = call ? session_begin(p, c, join_view(p, c->stream)) : NULL;

	if (!s) {
		if (call)
			call_give(&p->calls, call);
		return -ENOSPC;
	}
	s->call = call;
	call->mode = c->mode;
	call->keys = c->keys;
	if (c->mode == DP_MODE_PLAY && call->keys.km.key_len)
		share_key(p, s, call, c);
	memcpy(call->streamid, c->streamid, sizeof(call->streamid));
	srt_caller_init(&call->caller, p->now, s->id, s->isn, c->own_rcv_latency_ms,
		c->peer_rcv_latency_ms, call->streamid);
	srt_caller_set_limits(
		&call->caller, c->patience, srt_hs_mss(c->mss, !endpoint_is_v4(&c->peer)));
	if (call->keys.km.key_len)
		srt_caller_set_km(&call->caller, call->keys.msg, call->keys.msg_len);
	p->stats->sessions = p->sessions.used;
	poll(p, s);
	*key = session_key_get(&p->sessions, s);
	return 0;
}

static void call_end(struct path *p, struct session *s)
{
	call_give(&p->calls, s->call);
	s->call = NULL;
}

void call_drop(struct path *p, struct session *s, int code)
{
	struct event e = {
		.kind = EV_CALL,
		.key = session_key_get(&p->sessions, s),
		.stream = s->view->stream,
		.proto = DP_PROTO_SRT,
		.mode = s->call->mode,
		.peer = s->peer,
		.object = s->object,
		.code = code,
	};

	wheel_disarm(&p->wheel, &s->timer);
	call_end(p, s);
	view_unlink(s);
	session_give(&p->sessions, s);
	p->stats->sessions = p->sessions.used;
	path_event(p, &e);
}

// --- answered -------------------------------------------------------------------------------

static void up(struct path *p, struct session *s)
{
	const struct srt_caller *c = &s->call->caller;

	wheel_disarm(&p->wheel, &s->timer);
	s->since = p->now;
	s->hs.caller_id = c->peer_id; // whom our packets are for
	if (s->call->keys.km.key_len)
		secure_begin(p, s, &s->call->keys);
}

// False: while it answered the others have gone on to another key. Then it keeps the one it has,
// unless that is a publisher's: this one may have gone, and its key with it.
static bool play(struct path *p, struct session *s)
{
	const struct srt_caller *c = &s->call->caller;
	struct srt_snd_opts o = {
		.peer_id = c->peer_id,
		.isn = s->isn,
		.t0 = s->t0,
		.latency_us = c->agreed_peer_rcv_latency_ms * TS_MS,
		.peer_flags = c->peer_flags,
		.repair_percent = (uint8_t)s->view->stream->cfg.repair_percent,
	};
	uint32_t mss;

	up(p, s);
	if (!pushkey_join(p, s, &s->call->keys, s->call->shared) && s->call->passes) {
		secure_end(p, s);
		return false;
	}
	s->kind = SESSION_SUB;
	s->pinned = true;
	mss = c->mss;
	call_end(p, s);
	join_subscriber(p, s, &o, mss);
	return true;
}

static void fetch(struct path *p, struct session *s)
{
	const struct srt_caller *c = &s->call->caller;
	struct srt_rcv_opts o = {
		.own_id = s->id,
		.peer_id = c->peer_id,
		.isn = c->peer_isn,
		.t0 = s->t0,
		.base_arrival = c->up_at,
		.base_ts = c->peer_ts,
		.latency_us = c->agreed_own_rcv_latency_ms * TS_MS,
		.peer_rexmitflg = c->peer_flags & SRT_F_REXMITFLG,
	};

	up(p, s);
	s->kind = SESSION_PUB;
	s->latency_ms = c->agreed_own_rcv_latency_ms;
	srt_conn_init_rcv(&s->conn, p->now, s->rcv, &o);
	call_end(p, s);
	session_poll(p, s);
	join_publishing(p, s->view, s);
}

// The peer believes that the session is on.
static void hang_up(struct path *p, struct session *s)
{
	struct srt_snd_opts o = {.peer_id = s->call->caller.peer_id, .t0 = s->t0};
	uint8_t out[SRT_POLL_MAX];
	struct srt_conn conn;
	ssize_t len;

	srt_conn_init_snd(&conn, p->now, &o);
	srt_conn_close(&conn);
	while ((len = srt_conn_poll(&conn, p->now, out, sizeof(out))) > 0)
		port_send(p->port, &s->line, out, (uint16_t)len);
}

static void answered(struct path *p, struct session *s)
{
	int error = 0;

	if (s->call->mode == DP_MODE_PLAY) {
		if (play(p, s))
			return;
		error = -ECANCELED;
	} else if (s->view->in.publisher) {
		error = -EBUSY;
	} else if (!(s->rcv = join_rcv(p))) {
		error = -ENOSPC;
	}
	if (!error) {
		fetch(p, s);
		return;
	}
	hang_up(p, s);
	call_drop(p, s, error);
}

static void go_on(struct path *p, struct session *s)
{
	switch (s->call->caller.state) {
	case SRT_CALLER_UP:
		answered(p, s);
		break;
	case SRT_CALLER_FAILED:
		call_drop(p, s, s->call->caller.error);
		break;
	case SRT_CALLER_INDUCTION:
	case SRT_CALLER_CONCLUSION:
		poll(p, s);
		break;
	}
}

void call_feed(struct path *p, struct pkt *k)
{
	struct session *s = k->session;

	srt_caller_feed(&s->call->caller, k->rx.arrival, k->rx.data, k->rx.len);
	path_absorb(p, k);
	go_on(p, s);
}

void call_on_timer(struct path *p, struct session *s)
{
	srt_caller_on_expiry(&s->call->caller, p->now);
	go_on(p, s);
}
