// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"
#include "proto/rtp.h"

#include <errno.h>
#include <string.h>

// Sessions without a protocol of their own: sources and pushes over RTP and UDP.

int plain_source(struct path *p, const struct cmd_sock *c, session_key *key)
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
void plain_push_line(struct view *v, struct session *s)
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

int plain_push(struct path *p, const struct cmd_push *c, session_key *key)
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
	plain_push_line(v, s);
	if (sublist_add(l, &p->lists, &s->line, s, &s->place)) {
		session_give(&p->sessions, s);
		return -ENOSPC;
	}
	view_link(v, s);
	join_begun(p, s);
	*key = session_key_get(&p->sessions, s);
	return 0;
}

// --- what sources bring -------------------------------------------------------------------

static bool feed_udp(struct path *p, struct pkt *k)
{
	k->media = (struct pkt_media){.len = k->rx.len, .media_len = k->rx.len};
	return session_deliver(p, k, k->session->n_bare++, k->rx.arrival);
}

// Holes before the newest packet that have waited long enough (decisions A10).
void plain_gaps(struct path *p, struct session *s)
{
	struct view *v = s->view;
	const struct history *h = &v->history;
	uint64_t behind;

	while (v->in.inorder < h->next && !history_at(h, v->in.inorder)->frame) {
		ts_us due;

		for (behind = v->in.inorder; !history_at(h, behind)->frame; behind++)
			if (behind + 1 == h->next)
				return;
		due = history_at(h, behind)->arrival + s->reorder_us;
		if (due > p->now) {
			wheel_arm(&p->wheel, &s->timer, due);
			return;
		}
		ring_give_up(p, v, v->in.inorder, behind - 1);
		inorder_advance(p, v);
	}
}

static enum dp_drop drop_of_rtp(enum rtp_rx_action a)
{
	return a == RTP_RX_MALFORMED   ? DP_DROP_NOT_MEDIA
	       : a == RTP_RX_DUPLICATE ? DP_DROP_DUPLICATE
				       : DP_DROP_WRONG_SOURCE;
}

static bool feed_rtp(struct path *p, struct pkt *k)
{
	struct session *s = k->session;
	struct rtp_rx_verdict v;

	rtp_rx_feed(&s->rtp, k->rx.arrival, k->rx.data, k->rx.len, &v);
	if (v.action == RTP_RX_MALFORMED || v.action == RTP_RX_STRANGER) {
		path_drop(p, k, drop_of_rtp(v.action));
		return false;
	}
	if (v.action == RTP_RX_BEGIN)
		s->view->in.anchored = false;
	k->media = (struct pkt_media){.len = k->rx.len, .off = v.off, .media_len = v.len};
	if (!session_deliver(p, k, v.seq, k->rx.arrival))
		return false;
	if (!wheel_armed(&s->timer) && k->media.seq > s->view->in.inorder)
		wheel_arm(&p->wheel, &s->timer, p->now + s->reorder_us);
	return true;
}

static uint8_t source_kind(const struct pkt *k)
{
	if (rtp_looks_like(k->rx.data, k->rx.len))
		return DP_PROTO_RTP;
	return k->rx.len && k->rx.data[0] == MPEGTS_SYNC ? DP_PROTO_UDP : 0;
}

// RTP is known by its header and TS by its sync byte, whatever the source's URL says. A sender may
// change its mind after a second of silence, as it may change its SSRC.
static bool source_accepts(struct session *s, uint8_t kind, ts_us now)
{
	if (!kind)
		return false;
	if (kind != s->carries) {
		if (s->carries && now - s->heard < RTP_RX_SILENCE)
			return false;
		s->carries = kind;
		s->view->in.anchored = false;
		s->n_bare = 0;
	}
	s->heard = now;
	return true;
}

bool plain_feed(struct path *p, struct pkt *k)
{
	struct session *s = k->session;

	if (rtcp_is(k->rx.data, k->rx.len)) {
		path_absorb(p, k);
		return false;
	}
	if (!source_accepts(s, source_kind(k), k->rx.arrival)) {
		path_drop(p, k, DP_DROP_NOT_MEDIA);
		return false;
	}
	if (!endpoint_eq(&s->peer, &k->rx.peer))
		s->peer = k->rx.peer; // who sends, for people
	return s->carries == DP_PROTO_RTP ? feed_rtp(p, k) : feed_udp(p, k);
}
