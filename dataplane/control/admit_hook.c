// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the operator's server says (decisions A17). The daemon asks it; while the daemon or the
// server is away, what it said lately holds, and then the stream's hook_failure.

#include "control/control_priv.h"
#include "ctl/dp/dp_wire.h"

#include <stdio.h>
#include <string.h>

#define HOOK_WAIT_US (2 * TS_S) // from the conclusion: callers give up after 3 s
#define HOOK_KEEP_US (30 * TS_S)

enum { HOOK_UNASKED, HOOK_ASKED, HOOK_LETS_IN, HOOK_REFUSES };

static void question(struct control *c, const struct wish *w, struct dp_admit *q)
{
	*q = (struct dp_admit){
		.id = admit_id(c, w->a),
		.listener = c->tags[w->q->tag % TAGS_MAX]->id,
		.mode = w->publishes ? DP_MODE_PUBLISH : DP_MODE_PLAY,
		.proto = DP_PROTO_SRT,
		.peer_port = w->q->peer.port,
	};
	memcpy(q->peer_ip, w->q->peer.ip, sizeof(q->peer_ip));
	snprintf(q->stream, sizeof(q->stream), "%s", w->id.name);
	snprintf(q->user, sizeof(q->user), "%.*s", (int)DP_USER_MAX - 1, w->id.user);
	snprintf(q->session, sizeof(q->session), "%s", w->id.session);
	snprintf(q->token, sizeof(q->token), "%s", w->id.token);
	snprintf(q->query, sizeof(q->query), "%s", w->q->req.streamid);
}

// Without a daemon the question waits for one to come: at most as long as for an answer.
static int ask(struct control *c, struct wish *w)
{
	uint8_t buf[sizeof(struct dp_hdr) + sizeof(struct dp_admit)];
	struct dp_writer out;
	struct dp_admit q;

	question(c, w, &q);
	hook_cache_key(&q, w->a->hook_key);
	w->a->hook = HOOK_ASKED;
	w->a->hook_open = w->stream->declared->stream.hook_failure == DP_HOOK_OPEN;
	w->a->due = w->q->arrival + HOOK_WAIT_US;
	c->admits.due = ts_min(c->admits.due, w->a->due);
	dp_wire_begin(&out, buf, DP_ADMIT, 0);
	dp_wire_put(&out, &q, sizeof(q));
	dp_wire_end(&out);
	if (c->server)
		server_ask_owner(c->server, buf, out.len);
	return admit_wait(c, w, ADMIT_FOR_HOOK);
}

int admit_hook(struct control *c, struct wish *w)
{
	if (admit_auth(w) != DP_AUTH_HOOK || w->a->hook == HOOK_LETS_IN)
		return ADMIT_NEXT;
	if (w->a->hook != HOOK_REFUSES)
		return ask(c, w);
	return admit_say(w, w->a->hook_code,
		w->a->hook_code == SRT_REJX_FAILED_DEPEND ? "the hook does not answer"
							  : "the hook refuses it");
}

static void decide(struct control *c, struct admission *a, int code)
{
	a->hook = code ? HOOK_REFUSES : HOOK_LETS_IN;
	a->hook_code = code;
	admit_again(c, a);
}

// Nothing usable came.
static void fall_back(struct control *c, struct admission *a)
{
	const struct hook_verdict *v = hook_cache_find(&c->hook_cache, c->now, a->hook_key);

	decide(c, a, v ? v->code : a->hook_open ? 0 : SRT_REJX_FAILED_DEPEND);
}

static int code_of(const struct dp_admit_r *r)
{
	if (r->verdict == DP_VERDICT_ALLOW)
		return 0;
	return r->code >= 1000 && r->code < 4000 ? (int)r->code : SRT_REJX_FORBIDDEN;
}

void admit_hook_answered(struct control *c, const struct dp_admit_r *r)
{
	struct admission *a = admit_find(c, r->id);
	struct hook_verdict v = {.code = code_of(r)};

	if (!a || a->waits != ADMIT_FOR_HOOK)
		return; // decided without it, or nobody's
	if (r->verdict != DP_VERDICT_ALLOW && r->verdict != DP_VERDICT_REFUSE) {
		fall_back(c, a);
		return;
	}
	memcpy(v.key, a->hook_key, sizeof(v.key));
	v.until = c->now + (r->ttl_ms ? (ts_us)r->ttl_ms * TS_MS : HOOK_KEEP_US);
	hook_cache_put(&c->hook_cache, &v);
	decide(c, a, v.code);
}

// Those that wait for the hook, oldest first: each once, for one that is asked again stands at the
// end. all: an owner came; else only those whose time is over.
static void each_waiting(struct control *c, bool all)
{
	struct admission *a = TAILQ_FIRST(&c->admits.waiting), *next;

	for (uint32_t n = c->admits.n; a && n; n--, a = next) {
		next = TAILQ_NEXT(a, link);
		if (a->waits != ADMIT_FOR_HOOK)
			continue;
		if (a->due <= c->now)
			fall_back(c, a);
		else if (all)
			admit_again(c, a);
		else
			c->admits.due = ts_min(c->admits.due, a->due);
	}
}

void admit_hook_owner(struct control *c)
{
	each_waiting(c, true);
}

void admit_hook_turn(struct control *c)
{
	if (c->now < c->admits.due)
		return;
	c->admits.due = TS_NEVER;
	each_waiting(c, false);
}
