// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Whether there is a place, and taking it. A place is taken only by who has passed every stage: who
// does not know the passphrase keeps nobody out while that is found out.

#include "control/control_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PLACE_LATENCY_MS 120u

// One more link of the group that publishes, or just begins to: what it says is what the first one
// said. Where there is a passphrase it has shown that it knows it, as every caller.
static bool is_link(const struct wish *w)
{
	const struct publisher_group *g = &w->stream->group;
	const struct srt_hs_req *r = &w->q->req;

	return g->id && g->id == r->group.id && g->type == r->group.type &&
	       !strcmp(g->user, w->a->user) && !strcmp(g->streamid, r->streamid);
}

static void note_group(const struct wish *w)
{
	struct publisher_group *g = &w->stream->group;
	const struct srt_hs_req *r = &w->q->req;

	g->id = r->group.id;
	g->type = r->group.type;
	memcpy(g->user, w->a->user, sizeof(g->user));
	memcpy(g->streamid, r->streamid, sizeof(g->streamid));
}

// Who holds the stream's one place for a publisher?
static int may_publish(struct wish *w)
{
	const struct ctl_stream *s = w->stream;
	bool stalled = s->state == DP_STREAM_STALLED;

	if (is_link(w))
		return ADMIT_NEXT;
	if (s->publish_in_flight)
		return admit_say(w, SRT_REJX_CONFLICT, "another publisher is just beginning");
	if (!s->publisher)
		return ADMIT_NEXT;
	if (s->source)
		return admit_say(w, SRT_REJX_CONFLICT, "the stream is fed by a source");
	if (s->takeover == DP_TAKEOVER_REPLACE ||
		(s->takeover == DP_TAKEOVER_REPLACE_STALLED && stalled))
		return ADMIT_NEXT;
	return admit_say(w, SRT_REJX_CONFLICT, "the stream has a publisher");
}

static int may_play(struct control *c, struct wish *w)
{
	const struct ctl_stream *s = w->stream;

	if (stream_stats(c, s)->format == DP_FORMAT_RTP)
		return admit_say(w, SRT_REJX_NOTSUP_MEDIA, "the stream is RTP that is not MPEG-TS");
	if (c->n_subscribers >= c->o.max_subscribers)
		return admit_say(w, SRT_REJX_OVERLOAD, "--max-subscribers of sluice-dp is reached");
	if (s->max_subscribers && s->n_subscribers >= s->max_subscribers)
		return admit_say(w, SRT_REJX_OVERLOAD, "the stream has its most subscribers");
	return ADMIT_NEXT;
}

// Clear or not is known only now that the key has been looked at.
int admit_size(struct control *c, struct wish *w)
{
	bool v6 = !endpoint_is_v4(&w->q->peer);
	bool gcm = w->secret && w->a->keys.km.cipher == SRT_KM_GCM;
	uint32_t size = w->publishes ? 0 : stream_stats(c, w->stream)->payload;

	return size <= srt_hs_payload_max(w->q->req.mss, v6, gcm)
		       ? ADMIT_NEXT
		       : admit_say(w, SRT_REJX_UNACCEPTABLE,
				 "it takes no packet of the stream's size");
}

int admit_limits(struct control *c, struct wish *w)
{
	return w->publishes ? may_publish(w) : may_play(c, w);
}

static uint32_t higher(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

// Responder's rule (srt-wire 3.3): the higher of both sides' words, each way.
static void fill(const struct wish *w, struct cmd *cmd)
{
	uint32_t ours = w->stream->latency_ms	  ? w->stream->latency_ms
			: w->listener->latency_ms ? w->listener->latency_ms
						  : PLACE_LATENCY_MS;

	cmd->owner = w->a;
	cmd->admit = (struct cmd_admit){
		.park = w->a->park,
		.park_generation = w->a->park_generation,
		.stream = &w->stream->s,
		.own_rcv_latency_ms = higher(ours, w->q->req.snd_latency_ms),
		.peer_rcv_latency_ms = higher(ours, w->q->req.rcv_latency_ms),
		.from = *w->q,
		.landed = w->a->worker,
	};
	if (w->secret)
		cmd->admit.keys = w->a->keys;
	stream_deepen(
		w->stream, higher(cmd->admit.own_rcv_latency_ms, cmd->admit.peer_rcv_latency_ms));
}

int admit_place(struct control *c, struct wish *w)
{
	struct ctl_stream *s = w->stream;
	struct cmd cmd = {.kind = w->publishes ? CMD_PUBLISH : CMD_PLAY};

	fill(w, &cmd);
	if (w->publishes) {
		cmd.admit.link = is_link(w);
		cmd.admit.replaces = cmd.admit.link ? 0 : s->publisher;
		s->publish_in_flight++;
		s->publisher_secret = w->secret ? w->secret->id : 0;
		keys_note(s, w->secret ? w->a->keys.msg : NULL, w->a->keys.msg_len);
		note_group(w);
		post(c, s->s.owner, &cmd);
	} else {
		c->n_subscribers++;
		s->n_subscribers++;
		post(c, w->a->worker, &cmd);
	}
	explicit_bzero(&cmd.admit.keys, sizeof(cmd.admit.keys));
	return admit_wait(c, w, ADMIT_PLACED);
}

static void published(struct control *c, const struct cmd *done)
{
	struct cmd cmd = {.kind = CMD_PARK_DONE, .admit = done->admit};

	struct ctl_stream *s = ctl_stream_of(done->admit.stream);

	s->publish_in_flight--;
	if (!s->publish_in_flight && !s->publisher)
		s->group.id = 0;
	c->retry = true; // a source may wait for the place
	if (!done->status)
		post(c, done->admit.landed, &cmd);
}

static void played(struct control *c, const struct cmd *done)
{
	if (!done->status)
		return;
	ctl_stream_of(done->admit.stream)->n_subscribers--;
	c->n_subscribers--;
}

bool admit_placed(struct control *c, struct cmd *done, struct wish *w, int *code)
{
	bool taken = done->status == -EBUSY;

	w->publishes = done->kind == CMD_PUBLISH;
	if (w->publishes)
		published(c, done);
	else
		played(c, done);
	if (!done->status || done->status == -ESTALE)
		return true; // in its place, or given up
	snprintf(w->id.name, sizeof(w->id.name), "%.*s", STREAM_NAME_MAX,
		done->admit.stream->cfg.name);
	w->why = taken ? "the stream has a publisher" : "its worker has no room for it";
	*code = taken ? SRT_REJX_CONFLICT : SRT_REJX_OVERLOAD;
	return false;
}
