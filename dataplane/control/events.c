// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/log.h"
#include "control/control_priv.h"

#include <stdlib.h>
#include <string.h>

LOG_SUBSYSTEM(sessions)

#define EVENTS_LINES 50u // log lines per second that callers can cause

// Publishers are few and matter to many; subscribers are for those who look for one.
static void write_log(struct control *c, const struct event *e, const char *what)
{
	static struct log_limit lines = {.n = EVENTS_LINES};
	bool publishes = e->mode == DP_MODE_PUBLISH;
	char peer[ENDPOINT_STRLEN] = "a source";

	if (e->object && !publishes)
		return; // a route: its object says so
	if (!log_limit_ok(&lines, (unsigned long)(c->now / TS_S)))
		return;
	if (!e->object)
		endpoint_str(&e->peer, peer, sizeof(peer));
	log_at(&log_self, publishes ? LOG_INFO : LOG_DEBUG, "%s: %s %s: %s", e->stream->cfg.name,
		publishes ? "publisher" : "subscriber", peer, what);
}

static void went(struct control *c, const struct event *e)
{
	const char *how = notice_close_words(e->reason);
	struct ctl_stream *s = ctl_stream_of(e->stream);

	if (e->mode == DP_MODE_PLAY && e->proto == DP_PROTO_SRT && !e->object) {
		s->n_subscribers--;
		c->n_subscribers--;
	}
	if (e->key == s->publisher) {
		s->publisher = e->heir;
		s->source = e->heir ? s->source : 0;
		c->retry = true; // a source may have waited for its place
	}
	if (!s->publisher && !s->publish_in_flight)
		s->group.id = 0;
	s->lonely_since = c->now;
	badge_del(c, e->key);
	if (e->object && e->proto == DP_PROTO_SRT)
		call_ended(c, e, how);
	else if (e->object && e->reason == DP_CLOSE_KICKED)
		object_kicked(c, e);
	else if (e->object && e->reason == DP_CLOSE_NARROW)
		push_ended(c, e, "its path takes no packet of the stream's size");
	write_log(c, e, how);
	if (e->heir)
		write_log(c, e, "its other links go on");
	notice_session(c, e, false);
}

// Of a call of ours that fetches: what the listener may announce keys under.
static uint64_t secret_of_source(struct control *c, uint64_t id)
{
	const struct object *o = object_find(c, DP_SOURCE, id);

	return o ? o->source.call.secret : 0;
}

static void came(struct control *c, const struct event *e)
{
	struct ctl_stream *s = ctl_stream_of(e->stream);

	if (e->mode == DP_MODE_PUBLISH && !e->link) {
		s->publisher = e->key;
		s->source = e->object;
		if (e->object)
			s->publisher_secret = secret_of_source(c, e->object);
		if (e->proto != DP_PROTO_SRT)
			keys_note(s, NULL, 0);
	}
	if (e->object && e->proto == DP_PROTO_SRT)
		call_up(c, e);
	write_log(c, e, e->link ? "here by one more link" : "here");
	notice_session(c, e, true);
}

static void sock_done(struct control *c, struct cmd *cmd)
{
	struct object *o = cmd->owner;

	if (o == &c->calling)
		call_socket_done(c, cmd);
	else if (o->kind == DP_LISTENER)
		listener_done(c, o, cmd);
	else
		source_done(c, o, cmd);
	object_release(c, o);
}

static void done(struct control *c, struct cmd *cmd)
{
	switch (cmd->kind) {
	case CMD_SOCK_ADD:
	case CMD_SOCK_DEL:
		sock_done(c, cmd);
		break;
	case CMD_STREAM_OPEN:
		stream_opened(c, ctl_stream_of(cmd->stream));
		break;
	case CMD_STREAM_CLOSE:
		stream_closed(c, ctl_stream_of(cmd->stream));
		break;
	case CMD_PLAY:
	case CMD_PUBLISH:
	case CMD_PARK_DONE:
	case CMD_REJECT:
		admit_done(c, cmd);
		break;
	case CMD_PUSH_ADD:
		push_done(c, cmd->owner, cmd);
		object_release(c, cmd->owner);
		break;
	case CMD_CALL:
		call_done(c, cmd->owner, cmd);
		object_release(c, cmd->owner);
		break;
	case CMD_KICK:
		if (cmd->owner)
			object_release(c, cmd->owner);
		break;
	case CMD_KEYS:
		break;
	case CMD_QUIT:
		c->quitting--;
		break;
	}
	explicit_bzero(cmd, sizeof(*cmd)); // it may have carried keys
	free(cmd);
}

static void event(struct control *c, unsigned worker, struct event *e)
{
	switch (e->kind) {
	case EV_DONE:
		done(c, e->cmd);
		break;
	case EV_JOIN:
		admit_join(c, worker, e->park);
		break;
	case EV_UP:
		came(c, e);
		break;
	case EV_DOWN:
		went(c, e);
		break;
	case EV_STREAM:
		ctl_stream_of(e->stream)->state = e->state;
		notice_stream(c, ctl_stream_of(e->stream));
		break;
	case EV_CALL:
		call_failed(c, e);
		break;
	case EV_PUSH:
		push_refused(c, e);
		break;
	case EV_KEYS:
		keys_wanted(c, e);
		break;
	case EV_REFUSED:
		refusal_by_worker(c, &e->peer, e->code);
		break;
	}
}

void events_turn(struct control *c)
{
	struct event e[64];
	unsigned n;

	for (unsigned w = 0; w < c->o.workers.n; w++)
		while ((n = c->o.workers.events(c->o.workers.ctx, w, e, 64)))
			for (unsigned i = 0; i < n; i++)
				event(c, w, &e[i]);
}
