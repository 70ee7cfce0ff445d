// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <errno.h>
#include <string.h>

// Sessions without a protocol of their own begin: sources and pushes over RTP and UDP.

int join_source(struct path *p, const struct cmd_sock *c, session_key *key)
{
	struct view *v = join_view(p, c->stream);
	struct session *s;

	if (v->in.publisher)
		return -EBUSY;
	s = session_take(&p->sessions);
	if (!s)
		return -ENOSPC;
	s->kind = SESSION_SOURCE;
	s->proto = c->proto;
	s->tag = c->tag;
	s->object = c->object;
	s->since = p->now;
	s->reorder_us = c->reorder_us;
	memcpy(s->from, c->from, sizeof(s->from));
	rtp_rx_init(&s->rtp);
	view_link(v, s);
	p->tags[c->tag % PATH_TAGS] = s;
	join_publishing(p, v, s);
	*key = session_key_get(&p->sessions, s);
	return 0;
}

// TS that did not come as RTP gets a header of ours: random start, fixed SSRC.
void join_push_line(struct view *v, struct session *s)
{
	struct line_udp u = {
		.local = s->local,
		.peer = s->peer,
		.ifindex = s->ifindex,
		.ttl = s->ttl,
		.dscp = s->dscp,
	};
	struct line_rtp rtp = {.dseq = (uint16_t)s->dseq, .dts = s->dts, .ssrc = s->ssrc};

	if (s->proto == DP_PROTO_RTP && v->format == DP_FORMAT_TS)
		line_build_rtp(&s->line, &u, &rtp);
	else
		line_build_udp(&s->line, &u);
}

int join_push(struct path *p, const struct cmd_push *c, session_key *key)
{
	struct view *v = join_view(p, c->stream);
	struct sublist *l = c->proto == DP_PROTO_RTP ? &v->out.rtp : &v->out.udp;
	struct session *s = session_take(&p->sessions);

	if (!s)
		return -ENOSPC;
	s->kind = SESSION_PUSH;
	s->proto = c->proto;
	s->object = c->object;
	s->peer = c->peer;
	s->local = endpoint_of_v4(0, 0);
	port_source(p->port, &s->peer, &s->local);
	s->ttl = c->ttl;
	s->dscp = c->dscp;
	s->ifindex = c->ifindex;
	s->since = p->now;
	s->dseq = (uint32_t)rand_u64(&p->rand);
	s->dts = (uint32_t)rand_u64(&p->rand);
	s->ssrc = (uint32_t)rand_u64(&p->rand);
	s->list = l;
	s->base = v->sent_push;
	join_push_line(v, s);
	if (sublist_add(l, &p->lists, &s->line, s, &s->place)) {
		session_give(&p->sessions, s);
		return -ENOSPC;
	}
	view_link(v, s);
	join_begun(p, s);
	*key = session_key_get(&p->sessions, s);
	return 0;
}
