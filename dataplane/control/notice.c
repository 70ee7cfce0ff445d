// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/notice.h"

#include "control/control_priv.h"

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
	if (!up && e->reason == CLOSE_NARROW)
		snprintf(x.text, sizeof(x.text),
			"it takes no packet of the stream's size, or its path does not");
	if (up && e->link)
		snprintf(x.text, sizeof(x.text), "one more link of a bonded publisher");
	if (!up && e->heir)
		snprintf(x.text, sizeof(x.text), "a link of a bonded publisher, which goes on");
	if (!up && e->reason == CLOSE_REKEY)
		snprintf(x.text, sizeof(x.text), "it did not take a new key");
	if (!up && e->reason == CLOSE_STUCK)
		snprintf(x.text, sizeof(x.text), "it acknowledged nothing for too long");
	if (!up && e->reason == CLOSE_GREEDY)
		snprintf(x.text, sizeof(x.text), "it was over its repair budget for too long");
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

void notice_reject(struct control *c, const struct endpoint *peer, const char *stream,
	bool publishes, int code, const char *why)
{
	struct dp_notice x = {
		.event = DP_EV_REJECT,
		.code = (uint32_t)code,
		.proto = DP_PROTO_SRT,
		.mode = publishes ? DP_MODE_PUBLISH : DP_MODE_PLAY,
	};

	set_peer(&x, peer);
	set_stream(&x, stream);
	snprintf(x.text, sizeof(x.text), "%s", why);
	push(&c->notices, &x);
}
