// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "worker/worker_priv.h"

#include <rte_ring.h>

#include <errno.h>
#include <unistd.h>

#define CMD_TURN 64u // most in one round

static void done(struct worker *w, struct cmd *c, int status)
{
	struct event e = {.kind = EV_DONE, .cmd = c};

	c->status = status;
	path_event(&w->path, &e);
}

static int sock_add(struct path *p, struct cmd_sock *c)
{
	int rc = c->fd >= 0 ? p->port->ops->add(p->port, c->fd, c->tag) : 0;

	if (rc)
		return rc;
	c->fd = -1; // the port's
	if (!c->source || c->stream->owner != p->worker)
		return 0;
	rc = plain_source(p, c, &c->key);
	if (rc)
		p->port->ops->del(p->port, c->tag);
	return rc;
}

// Without its socket a session could neither hear nor answer.
static void listener_sessions_end(struct path *p, uint16_t tag)
{
	for (uint32_t i = 0; i < p->sessions.n_fresh; i++) {
		struct session *s = session_at(&p->sessions, i);

		if (s && s->proto == DP_PROTO_SRT && s->tag == tag)
			leave_session(p, s, DP_CLOSE_SHUTDOWN);
	}
}

static int sock_del(struct path *p, const struct cmd_sock *c)
{
	struct session *s = p->tags[c->tag % PATH_TAGS];

	if (s)
		leave_session(p, s, DP_CLOSE_SHUTDOWN);
	else
		listener_sessions_end(p, c->tag);
	p->port->ops->del(p->port, c->tag);
	return 0;
}

static struct park_entry *waiting(struct path *p, const struct cmd_admit *c)
{
	return park_waiting(&p->park, c->park, c->park_generation);
}

static int park_done(struct path *p, const struct cmd_admit *c, session_key key)
{
	struct park_entry *e = waiting(p, c);

	if (!e)
		return -ESTALE;
	settled_add(p->settled, e->p.arrival, &e->p.peer, e->p.req.caller_id, key);
	park_leave(&p->park, e);
	p->stats->joins++;
	return 0;
}

static int play(struct path *p, struct cmd_admit *c)
{
	struct park_entry *e = waiting(p, c);
	int rc = e ? join_play(p, e, c, &c->key) : -ESTALE;

	return rc ? rc : park_done(p, c, c->key);
}

static int reject(struct path *p, const struct cmd_admit *c)
{
	struct park_entry *e = waiting(p, c);

	if (!e)
		return -ESTALE;
	handshake_refuse(p, e, c->code);
	return 0;
}

static int kick(struct path *p, session_key key, enum dp_close why)
{
	struct session *s = session_of_key(&p->sessions, key);

	if (!s)
		return -ENOENT;
	leave_session(p, s, why);
	return 0;
}

// A stream's end is complete when its followers no longer use its frames.
static void stream_close(struct worker *w, struct cmd *c)
{
	struct path *p = &w->path;
	struct view *v = &p->views[c->stream->index];

	if (v->stream != c->stream) {
		done(w, c, 0);
		return;
	}
	leave_view(p, v);
	w->closing[w->n_closing++] = c;
}

static void finish_closing(struct worker *w)
{
	for (uint32_t i = 0; i < w->n_closing;) {
		struct cmd *c = w->closing[i];

		if (!leave_view_done(&w->path, &w->path.views[c->stream->index])) {
			i++;
			continue;
		}
		w->closing[i] = w->closing[--w->n_closing];
		done(w, c, 0);
	}
}

static void quit(struct worker *w, struct cmd *c)
{
	for (uint32_t i = 0; i < w->path.n_open; i++)
		leave_view(&w->path, w->path.open[i]);
	w->quit = true;
	done(w, c, 0);
}

static void carry_out(struct worker *w, struct cmd *c)
{
	struct path *p = &w->path;

	switch (c->kind) {
	case CMD_SOCK_ADD:
		done(w, c, sock_add(p, &c->sock));
		break;
	case CMD_SOCK_DEL:
		done(w, c, sock_del(p, &c->sock));
		break;
	case CMD_STREAM_OPEN:
		join_view(p, c->stream);
		done(w, c, 0);
		break;
	case CMD_STREAM_CLOSE:
		stream_close(w, c);
		break;
	case CMD_PLAY:
		done(w, c, play(p, &c->admit));
		break;
	case CMD_PUBLISH:
		done(w, c, join_publish(p, &c->admit, &c->admit.key));
		break;
	case CMD_PARK_DONE:
		done(w, c, park_done(p, &c->admit, c->admit.key));
		break;
	case CMD_REJECT:
		done(w, c, reject(p, &c->admit));
		break;
	case CMD_PUSH_ADD:
		done(w, c, plain_push(p, &c->push, &c->push.key));
		break;
	case CMD_CALL:
		done(w, c, call_begin(p, &c->call, &c->call.key));
		break;
	case CMD_KICK:
		done(w, c, kick(p, c->kick.key, c->kick.reason));
		break;
	case CMD_KEYS:
		done(w, c, secure_derived(p, c->keys.key, c->keys.status, &c->keys.keys));
		break;
	case CMD_QUIT:
		quit(w, c);
		break;
	}
}

unsigned worker_commands(struct worker *w)
{
	void *c;
	unsigned n = 0;

	for (; n < CMD_TURN && !rte_ring_sc_dequeue(w->down, &c); n++)
		carry_out(w, c);
	if (w->n_closing)
		finish_closing(w);
	return n;
}
