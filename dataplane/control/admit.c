// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Admission (decisions A17): who may publish or play which stream. Everything it needs is here, so
// joining works while the daemon is away.

#include "base/log.h"
#include "control/control_priv.h"
#include "proto/srt_hs.h"
#include "proto/streamid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

LOG_SUBSYSTEM(admit)

#define ADMIT_LATENCY_MS 120u
#define ADMIT_LINES 20u // log lines per second that callers can cause

struct wish {
	unsigned worker;
	uint32_t park;
	const struct parked *q;
	const struct dp_listener *listener;
	struct streamid id;
	bool publishes;
	const char *why; // of a refusal
};

static struct log_limit lines = {.n = ADMIT_LINES};

// The stream id stays out of the log: it may hold a password or a token.
static void tell(struct control *c, const struct wish *w, int code)
{
	char peer[ENDPOINT_STRLEN];

	notice_reject(c, w->q, w->id.name, w->publishes, code, w->why);
	if (!log_limit_ok(&lines, (unsigned long)(c->now / TS_S)))
		return;
	endpoint_str(&w->q->peer, peer, sizeof(peer));
	if (w->id.name[0])
		log_info("%s may not %s %s (%d): %s", peer, w->publishes ? "publish" : "play",
			w->id.name, code, w->why);
	else
		log_info("%s is refused (%d): %s", peer, code, w->why);
}

static void refuse(struct control *c, const struct wish *w, int code)
{
	struct cmd cmd = {.kind = CMD_REJECT};

	cmd.admit = (struct cmd_admit){
		.park = w->park, .park_generation = w->q->generation, .code = code};
	post(c, w->worker, &cmd);
	tell(c, w, code);
}

static int say(struct wish *w, int code, const char *why)
{
	w->why = why;
	return code;
}

static const struct dp_listener *listener_of(struct control *c, uint16_t tag)
{
	struct object *o = c->tags[tag % TAGS_MAX];

	return o && o->kind == DP_LISTENER && !o->gone ? &o->listener : NULL;
}

// What the caller asks for. 0 or a wire value.
static int read_wish(struct control *c, struct wish *w)
{
	int rc = 0;

	w->listener = listener_of(c, w->q->tag);
	if (!w->listener)
		return say(w, SRT_REJ_CLOSE, "the listener is gone");
	if (w->q->req.streamid[0])
		rc = streamid_parse(w->q->req.streamid, &w->id);
	if (rc)
		return say(w, streamid_reject_code(rc), streamid_error_str(rc));
	if (!w->id.name[0])
		snprintf(w->id.name, sizeof(w->id.name), "%.*s", STREAM_NAME_MAX,
			w->listener->default_stream);
	if (!w->id.name[0])
		return say(w, SRT_REJX_BAD_REQUEST, "no stream is named and there is no default");
	w->publishes =
		w->id.mode == STREAMID_PUBLISH ||
		(w->id.mode == STREAMID_UNSET && w->listener->default_mode == DP_MODE_PUBLISH);
	if (w->q->req.encrypted)
		return say(w, SRT_REJ_UNSECURE, "it encrypts and the stream has no passphrase");
	return c->draining ? say(w, SRT_REJX_DOWN, "this node is draining") : 0;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

// Responder's rule (srt-wire 3.3): the higher of both sides' words, each way.
static struct cmd_admit admission(const struct wish *w, struct ctl_stream *s)
{
	uint32_t ours = s->latency_ms		  ? s->latency_ms
			: w->listener->latency_ms ? w->listener->latency_ms
						  : ADMIT_LATENCY_MS;
	struct cmd_admit a = {
		.park = w->park,
		.park_generation = w->q->generation,
		.stream = &s->s,
		.own_rcv_latency_ms = higher(ours, w->q->req.snd_latency_ms),
		.peer_rcv_latency_ms = higher(ours, w->q->req.rcv_latency_ms),
		.from = *w->q,
	};

	stream_deepen(s, higher(a.own_rcv_latency_ms, a.peer_rcv_latency_ms));
	return a;
}

// Who holds the stream's one place for a publisher?
static int claim(struct wish *w, const struct ctl_stream *s, session_key *replaces)
{
	bool stalled = s->state == DP_STREAM_STALLED;

	*replaces = s->publisher;
	if (s->publish_in_flight)
		return say(w, SRT_REJX_CONFLICT, "another publisher is just beginning");
	if (!s->publisher)
		return 0;
	if (s->source)
		return say(w, SRT_REJX_CONFLICT, "the stream is fed by a source");
	if (s->takeover == DP_TAKEOVER_REPLACE ||
		(s->takeover == DP_TAKEOVER_REPLACE_STALLED && stalled))
		return 0;
	return say(w, SRT_REJX_CONFLICT, "the stream has a publisher");
}

static int publish(struct control *c, struct wish *w, struct ctl_stream *s)
{
	struct cmd cmd = {.kind = CMD_PUBLISH};
	session_key replaces;
	int code = claim(w, s, &replaces);

	if (code)
		return code;
	cmd.admit = admission(w, s);
	cmd.admit.replaces = replaces;
	cmd.admit.landed = w->worker;
	s->publish_in_flight = true;
	post(c, s->s.owner, &cmd);
	return 0;
}

static int play(struct control *c, struct wish *w, struct ctl_stream *s)
{
	struct cmd cmd = {.kind = CMD_PLAY};

	if (stream_stats(c, s)->format == DP_FORMAT_RTP)
		return say(w, SRT_REJX_NOTSUP_MEDIA, "the stream is RTP that is not MPEG-TS");
	if (c->n_subscribers >= c->o.max_subscribers)
		return say(w, SRT_REJX_OVERLOAD, "--max-subscribers of sluice-dp is reached");
	if (s->max_subscribers && s->n_subscribers >= s->max_subscribers)
		return say(w, SRT_REJX_OVERLOAD, "the stream has its most subscribers");
	c->n_subscribers++;
	s->n_subscribers++;
	cmd.admit = admission(w, s);
	cmd.admit.landed = w->worker;
	post(c, w->worker, &cmd);
	return 0;
}

static int wait_for_open(struct control *c, struct wish *w, struct ctl_stream *s)
{
	if (c->n_joins == JOINS_MAX)
		return say(w, SRT_REJ_BACKLOG, "too many wait for a stream to open");
	c->joins[c->n_joins++] = (struct join){s, w->worker, w->park, w->q->generation};
	return 0;
}

static int find_stream(struct control *c, struct wish *w, struct ctl_stream **out)
{
	*out = stream_find(c, w->id.name);
	if (*out && (*out)->closing)
		return say(w, SRT_REJ_CLOSE, "the stream is being closed");
	if (*out)
		return 0;
	if (!w->publishes || !w->listener->open)
		return say(w, SRT_REJX_NOTFOUND, "no such stream");
	*out = stream_make(c, w->id.name);
	return *out ? 0 : say(w, SRT_REJX_OVERLOAD, "--max-streams of sluice-dp is reached");
}

static int decide(struct control *c, struct wish *w)
{
	struct ctl_stream *s;
	int code = read_wish(c, w);

	if (!code)
		code = find_stream(c, w, &s);
	if (code)
		return code;
	if (!s->declared && !w->listener->open)
		return say(w, SRT_REJX_NOTFOUND, "no such stream");
	if (!s->open)
		return wait_for_open(c, w, s);
	return w->publishes ? publish(c, w, s) : play(c, w, s);
}

void admit_join(struct control *c, unsigned worker, uint32_t park)
{
	struct wish w = {.worker = worker, .park = park};
	int code;

	w.q = c->o.workers.parked(c->o.workers.ctx, worker, park);
	code = decide(c, &w);
	if (code)
		refuse(c, &w, code);
}

void admit_waiting(struct control *c, struct ctl_stream *s)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->n_joins; i++) {
		struct join j = c->joins[i];

		if (j.stream != s)
			c->joins[kept++] = j;
		else if (c->o.workers.parked(c->o.workers.ctx, j.worker, j.park)->generation ==
			 j.generation)
			admit_join(c, j.worker, j.park);
	}
	c->n_joins = kept;
}

// The worker had to say no: its caller hears of it as if control had.
static void refuse_late(struct control *c, struct cmd *done)
{
	struct cmd cmd = {.kind = CMD_REJECT, .admit = done->admit};
	bool taken = done->status == -EBUSY;
	struct wish w = {
		.q = &done->admit.from,
		.publishes = done->kind == CMD_PUBLISH,
		.why = taken ? "the stream has a publisher" : "its worker has no room for it",
	};

	snprintf(w.id.name, sizeof(w.id.name), "%.*s", STREAM_NAME_MAX,
		done->admit.stream->cfg.name);
	cmd.admit.code = taken ? SRT_REJX_CONFLICT : SRT_REJX_OVERLOAD;
	post(c, done->admit.landed, &cmd);
	tell(c, &w, cmd.admit.code);
}

static void published(struct control *c, struct cmd *done)
{
	struct cmd cmd = {.kind = CMD_PARK_DONE, .admit = done->admit};

	ctl_stream_of(done->admit.stream)->publish_in_flight = false;
	c->retry = true; // a source may wait for the place
	if (done->status)
		refuse_late(c, done);
	else
		post(c, done->admit.landed, &cmd);
}

static void played(struct control *c, struct cmd *done)
{
	if (!done->status)
		return;
	ctl_stream_of(done->admit.stream)->n_subscribers--;
	c->n_subscribers--;
	if (done->status != -ESTALE)
		refuse_late(c, done);
}

void admit_done(struct control *c, struct cmd *done)
{
	if (done->kind == CMD_PUBLISH)
		published(c, done);
	else if (done->kind == CMD_PLAY)
		played(c, done);
}
