// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <errno.h>
#include <string.h>

static struct sublist_place *place_of(struct session *s)
{
	return &s->place;
}

static void leave_starting(struct path *p, struct session *s)
{
	struct view *v = s->view;

	for (struct session **at = &v->out.starting; *at; at = &(*at)->next_starting)
		if (*at == s) {
			*at = s->next_starting;
			v->out.n_starting--;
			p->n_starting--;
			return;
		}
}

static void leave_player(struct path *p, struct session *s)
{
	struct view *v = s->view;

	if (s->place.chunk)
		sublist_del(s->list, &p->lists, &s->place, place_of);
	else
		leave_starting(p, s);
	v->tx->subscribers--;
	v->lonely_since = p->now;
}

// It is no link of its group any more. What has come by all of them lies with the one that came
// first, until the last has gone.
static void leave_link(struct path *p, struct session *s)
{
	struct view_in *in = &s->view->in;
	struct session **at = &in->publisher;

	while (*at != s)
		at = &(*at)->next_link;
	*at = s->next_link;
	srt_rcv_leave(s->rcv);
	if (s->rcv != in->host)
		join_rcv_give(p, s->rcv);
	if (in->publisher)
		return;
	join_rcv_give(p, in->host);
	in->host = NULL;
}

static void leave_publisher(struct path *p, struct session *s)
{
	struct view *v = s->view;

	if (s->kind == SESSION_SOURCE) {
		p->tags[s->tag % PATH_TAGS] = NULL;
		v->in.publisher = NULL;
	} else {
		leave_link(p, s);
	}
	if (v->in.publisher) {
		v->stats->publisher = session_key_get(&p->sessions, v->in.publisher);
		return;
	}
	v->in.group = 0;
	v->stats->publisher = 0;
	pass_end(p, v);
	// Nobody fills its holes now.
	if (v->history.next > v->history.first)
		ring_give_up(p, v, v->history.first, v->history.next - 1);
	house_stream_state(p, v, DP_STREAM_IDLE);
}

static void say_shutdown(struct path *p, struct session *s)
{
	srt_conn_close(&s->conn);
	session_poll(p, s);
}

static void leave_one(struct path *p, struct session *s, enum dp_close why)
{
	struct event e = {
		.kind = EV_DOWN,
		.key = session_key_get(&p->sessions, s),
		.stream = s->view->stream,
		.proto = s->proto,
		.mode = session_mode(s),
		.reason = (uint8_t)why,
		.peer = s->peer,
		.object = s->object,
	};

	if (s->kind == SESSION_CALL) {
		call_drop(p, s, -ECANCELED);
		return;
	}
	s->closing = true;
	if (s->proto == DP_PROTO_SRT && why != DP_CLOSE_PEER)
		say_shutdown(p, s);
	wheel_disarm(&p->wheel, &s->timer);
	if (e.mode == DP_MODE_PLAY)
		leave_player(p, s);
	else
		leave_publisher(p, s);
	if (s->kind == SESSION_PUB && s->view->in.publisher)
		e.heir = session_key_get(&p->sessions, s->view->in.publisher);
	secure_end(p, s);
	view_unlink(s);
	session_give(&p->sessions, s);
	p->stats->sessions = p->sessions.used;
	path_event(p, &e);
}

// What ends a publisher ends all of its links; a link may fail alone.
static bool ends_all(enum dp_close why)
{
	return why == DP_CLOSE_KICKED || why == DP_CLOSE_REPLACED || why == DP_CLOSE_REVOKED;
}

static void leave_others(struct path *p, const struct session *s, enum dp_close why)
{
	struct view_in *in = &s->view->in;

	while (in->publisher != s || s->next_link)
		leave_one(p, in->publisher != s ? in->publisher : s->next_link, why);
}

void leave_session(struct path *p, struct session *s, enum dp_close why)
{
	if (s->kind == SESSION_PUB && ends_all(why))
		leave_others(p, s, why);
	leave_one(p, s, why);
}

void leave_view(struct path *p, struct view *v)
{
	while (v->sessions)
		leave_session(p, v->sessions, DP_CLOSE_SHUTDOWN);
}

// True when nothing of the stream is left here, followers' clones included, and the slot is free
// for another.
bool leave_view_done(struct path *p, struct view *v)
{
	if (!v->owner && v->following)
		follow_end(p, v);
	while (ring_pop(p, v))
		;
	if (v->following || v->history.first != v->history.next || (v->owner && v->in.followers))
		return false;
	for (uint32_t i = 0; i < p->n_open; i++)
		if (p->open[i] == v)
			p->open[i] = p->open[--p->n_open];
	explicit_bzero(v->pushkey, sizeof(v->pushkey));
	v->stream = NULL;
	return true;
}
