// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/notice.h"

#include "control/control_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void push(struct notices *n, struct dp_notice *x)
{
	x->size = sizeof(*x);
	n->q[n->next++ % NOTICES_MAX] = *x;
}

bool notices_get(const struct notices *n, uint32_t *at, struct dp_notice *out)
{
	uint32_t behind = n->next - *at, lost = behind > NOTICES_MAX ? behind - NOTICES_MAX : 0;

	if (!behind)
		return false;
	*at += lost;
	*out = n->q[(*at)++ % NOTICES_MAX];
	out->lost = lost;
	return true;
}

static void set_stream(struct dp_notice *x, const char *name)
{
	snprintf(x->stream, sizeof(x->stream), "%s", name);
}

static void set_peer(struct dp_notice *x, const struct endpoint *e)
{
	memcpy(x->peer_ip, e->ip, sizeof(x->peer_ip));
	x->peer_port = e->port;
}

#define CLOSED_FOR(why) "closed, for " why, why

// For the log, and what clients are told where the daemon's word for it would be too short.
static const struct {
	const char *log, *why;
} closes[] = {
	[DP_CLOSE_PEER] = {"left", ""},
	[DP_CLOSE_TIMEOUT] = {"has fallen silent", ""},
	[DP_CLOSE_KICKED] = {"kicked by an operator", ""},
	[DP_CLOSE_REPLACED] = {"replaced by another", ""},
	[DP_CLOSE_SHUTDOWN] = {"closed, for its stream, socket or program ends", ""},
	[DP_CLOSE_NARROW] = {CLOSED_FOR(
		"it takes no packet of the stream's size, or its path does not")},
	[DP_CLOSE_REVOKED] = {"closed, for its user, token or key was revoked", ""},
	[DP_CLOSE_REKEY] = {CLOSED_FOR("it did not take a new key")},
	[DP_CLOSE_STUCK] = {CLOSED_FOR("it acknowledged nothing for too long")},
	[DP_CLOSE_GREEDY] = {CLOSED_FOR("it was over its repair budget for too long")},
};

static_assert(sizeof(closes) / sizeof(*closes) == DP_CLOSE_REASONS);

const char *notice_close_words(unsigned reason)
{
	return closes[reason].log;
}

static const char *text_of(const struct event *e, bool up)
{
	if (up)
		return e->link ? "one more link of a bonded publisher" : "";
	if (e->heir && !*closes[e->reason].why)
		return "a link of a bonded publisher, which goes on";
	return closes[e->reason].why;
}

void notice_session(struct control *c, const struct event *e, bool up)
{
	struct dp_notice x = {
		.event = e->mode == DP_MODE_PUBLISH ? DP_EV_PUBLISHER : DP_EV_SUBSCRIBER,
		.up = up,
		.code = up ? 0 : e->reason,
		.session = e->key,
		.proto = e->proto,
		.mode = e->mode,
	};

	set_peer(&x, &e->peer);
	set_stream(&x, e->stream->cfg.name);
	snprintf(x.text, sizeof(x.text), "%s", text_of(e, up));
	push(&c->notices, &x);
}

void notice_stream(struct control *c, const struct ctl_stream *s)
{
	struct dp_notice x = {.event = DP_EV_STREAM, .up = s->state};

	set_stream(&x, s->s.cfg.name);
	push(&c->notices, &x);
}

void notice_stream_gone(struct control *c, const struct ctl_stream *s)
{
	struct dp_notice x = {.event = DP_EV_STREAM, .up = DP_STREAM_IDLE};

	set_stream(&x, s->s.cfg.name);
	snprintf(x.text, sizeof(x.text), "gone");
	push(&c->notices, &x);
}

void notice_object(struct control *c, const struct object *o)
{
	struct dp_notice x = {
		.event = DP_EV_OBJECT, .up = o->state, .kind = o->kind, .session = o->id};

	snprintf(x.text, sizeof(x.text), "%s", o->error);
	push(&c->notices, &x);
}

void notice_reject(struct control *c, const struct wish *w, int code, const char *streamid)
{
	struct dp_notice x = {
		.event = DP_EV_REJECT,
		.code = (uint32_t)code,
		.proto = DP_PROTO_SRT,
		.mode = w->publishes ? DP_MODE_PUBLISH : DP_MODE_PLAY,
	};

	set_peer(&x, &w->q->peer);
	set_stream(&x, w->id.name);
	snprintf(x.text, sizeof(x.text), "%s", w->why);
	snprintf(x.streamid, sizeof(x.streamid), "%s", streamid);
	push(&c->notices, &x);
}
