// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/thin.h"
#include "path/path.h"
#include "proto/srt_pkt.h"

#include <string.h>

#define STEER_THIN_PPS 100u // packets per second of the stream

enum steer { STEER_ON, STEER_GONE };

static enum steer gone(struct path *p, struct pkt *k, enum dp_drop why)
{
	path_drop(p, k, why);
	return STEER_GONE;
}

static enum steer steer_source(struct path *p, struct pkt *k, struct session *s)
{
	static const uint8_t any[16];

	if (memcmp(s->from, any, sizeof(any)) && memcmp(s->from, k->rx.peer.ip, sizeof(any)))
		return gone(p, k, DP_DROP_WRONG_ADDRESS);
	k->session = s;
	k->kind = PKT_SOURCE;
	return STEER_ON;
}

static enum steer steer_other(struct path *p, struct pkt *k, unsigned worker)
{
	if (worker >= p->n_workers)
		return gone(p, k, DP_DROP_UNKNOWN_SESSION);
	forward_pkt(p, k, worker, UINT32_MAX);
	return STEER_GONE;
}

// Where nothing has done it before us. What is not answered is said again, 10 ms later and on and
// on: where packets are rarer than that an answer to each costs less than the repeats, for a port
// without a kernel takes a tenth of a microsecond for either.
static bool is_thinned(const struct path *p, const struct pkt *k, const struct session *s)
{
	return p->port->ops->all_acks && s->kind == SESSION_SUB &&
	       s->view->rate_pps >= STEER_THIN_PPS && thin_ack(k->rx.data, k->rx.len);
}

static enum steer steer_srt(struct path *p, struct pkt *k)
{
	uint32_t id;
	struct session *s;

	if (k->rx.len < SRT_HDR)
		return gone(p, k, DP_DROP_MALFORMED);
	id = srt_pkt_dst(k->rx.data);
	k->session = NULL;
	k->kind = PKT_HANDSHAKE;
	if (!id)
		return STEER_ON;
	if (session_id_worker(id) != p->worker)
		return steer_other(p, k, session_id_worker(id));
	s = session_at(&p->sessions, session_id_slot(id));
	if (!s || s->id != id)
		return gone(p, k, DP_DROP_UNKNOWN_SESSION);
	if (!endpoint_eq(&s->peer, &k->rx.peer))
		return gone(p, k, DP_DROP_WRONG_ADDRESS);
	if (is_thinned(p, k, s))
		return gone(p, k, DP_DROP_ACK_THINNED);
	k->session = s;
	k->kind = PKT_SRT;
	return STEER_ON;
}

void path_steer(struct path *p, struct batch *b)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < b->n; i++) {
		struct pkt *k = &b->pkts[i];
		struct session *source = p->tags[k->rx.tag % PATH_TAGS];

		if ((source ? steer_source(p, k, source) : steer_srt(p, k)) == STEER_GONE)
			continue;
		if (kept != i)
			b->pkts[kept] = *k;
		kept++;
	}
	b->n = kept;
}
