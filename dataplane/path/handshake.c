// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include "proto/srt_clock.h"
#include "proto/srt_hs.h"
#include "proto/srt_pkt.h"

// Answers go back to where the packet came from, from the address that it was sent to.
static void answer(struct path *p, const struct endpoint *local, const struct endpoint *peer,
	const uint8_t *data, size_t len)
{
	struct line_udp u = {.local = *local, .peer = *peer};
	struct line to;

	line_build_udp(&to, &u);
	port_send(p->port, &to, data, (uint16_t)len);
}

static void induction(struct path *p, const struct pkt *k)
{
	uint8_t out[SRT_HS_LEN];
	uint32_t cookie = srt_cookie_make(&p->cookie, &k->rx.peer, k->rx.local.port, p->now);

	srt_hs_induction_answer(k->rx.data, cookie, out);
	answer(p, &k->rx.local, &k->rx.peer, out, sizeof(out));
	p->stats->handshakes++;
}

static void reject(struct path *p, const struct parked *q, int code)
{
	uint8_t out[SRT_HS_LEN];

	answer(p, &q->local, &q->peer, out, srt_hs_reject_write(&q->req, code, out));
	p->stats->rejects++;
}

// Wire values of one family are one counter.
static enum dp_drop family(int code)
{
	switch (code) {
	case SRT_REJX_OVERLOAD:
		return DP_DROP_OVERLOAD;
	case SRT_REJX_NOTFOUND:
		return DP_DROP_REFUSED_NAME;
	case SRT_REJX_UNAUTHORIZED:
		return DP_DROP_REFUSED_AUTH;
	case SRT_REJX_FORBIDDEN:
		return DP_DROP_REFUSED_ACCESS;
	case SRT_REJ_BADSECRET:
	case SRT_REJ_UNSECURE:
	case SRT_REJ_CRYPTO:
		return DP_DROP_REFUSED_SECRET;
	case SRT_REJX_CONFLICT:
		return DP_DROP_REFUSED_CONFLICT;
	case SRT_REJX_FAILED_DEPEND:
		return DP_DROP_REFUSED_HOOK;
	case SRT_REJ_ROGUE:
	case SRT_REJ_VERSION:
	case SRT_REJ_MESSAGEAPI:
	case SRT_REJ_CONGESTION:
	case SRT_REJ_FILTER:
	case SRT_REJ_GROUP:
	case SRT_REJX_KEY_NOTSUP:
	case SRT_REJX_BAD_REQUEST:
	case SRT_REJX_BAD_MODE:
		return DP_DROP_REFUSED_REQUEST;
	default:
		return DP_DROP_REFUSED_OTHER;
	}
}

void handshake_refuse(struct path *p, struct park_entry *e, int code)
{
	park_refuse(&p->park, e, code);
	path_count(p, family(code), 1);
	reject(p, &e->p, code);
}

static struct srt_hs_answer answer_of(const struct path *p, const struct session *s)
{
	const struct key_material *k = &p->secure.all[s->slot].keys;
	struct srt_hs_answer a = {
		.own_id = s->id,
		.caller_id = s->hs.caller_id,
		.isn = s->isn,
		.mss = s->hs.mss,
		.window = SRT_WINDOW,
		.cookie = s->hs.cookie,
		.flags = s->hs.flags,
		.own_rcv_latency_ms = s->hs.own_rcv_latency_ms,
		.peer_rcv_latency_ms = s->hs.peer_rcv_latency_ms,
		.group = s->hs.group,
		.km_len = s->suite ? k->msg_len : 0,
	};

	memcpy(a.caller_ip, s->peer.ip, sizeof(a.caller_ip));
	memcpy(a.km, k->msg, a.km_len);
	return a;
}

// The timestamp is fresh on every repeat: the caller takes its time base from whichever copy it
// gets (srt-wire 5.2 step 2).
void handshake_answer(struct path *p, struct session *s)
{
	uint8_t out[SRT_HS_ANSWER_MAX];
	struct srt_hs_answer a = answer_of(p, s);
	size_t len = srt_hs_answer_write(&a, srt_clock_at(s->t0, p->now), out, sizeof(out));

	port_send(p->port, &s->line, out, (uint16_t)len);
}

// A conclusion that we have seen: its first copy decides.
static void repeated_of_session(struct path *p, struct pkt *k, session_key key)
{
	struct session *s;

	if (session_key_worker(key) != p->worker) {
		forward_pkt(p, k, session_key_worker(key), session_key_slot(key));
		return;
	}
	s = session_of_key(&p->sessions, key);
	if (s && !s->closing)
		handshake_answer(p, s);
	path_absorb(p, k);
}

// True: it was one of those.
static bool repeated(struct path *p, struct pkt *k)
{
	uint32_t caller_id = srt_hs_caller_id(k->rx.data);
	const struct park_entry *e = park_find(&p->park, &k->rx.peer, caller_id);
	session_key key;

	if (e) {
		if (e->state == PARK_REFUSED)
			reject(p, &e->p, e->code);
		path_absorb(p, k);
		return true;
	}
	if (!settled_find(p->settled, p->now, &k->rx.peer, caller_id, &key))
		return false;
	repeated_of_session(p, k, key);
	return true;
}

// Somebody was refused without admission: what is counted for all of them is told of a few, for it
// takes one datagram each.
static void tell(struct path *p, const struct parked *q, int code, struct log_limit *few)
{
	struct event ev = {.kind = EV_REFUSED, .peer = q->peer, .code = code};

	if (log_limit_ok(few, (unsigned long)(p->now / TS_S)))
		path_event(p, &ev);
}

static void park(struct path *p, struct pkt *k, struct parked *q)
{
	struct park_entry *e;
	struct event ev = {.kind = EV_JOIN};

	q->peer = k->rx.peer;
	q->local = k->rx.local;
	q->tag = k->rx.tag;
	q->arrival = k->rx.arrival;
	q->base_ts = be32_get(k->rx.data + 8);
	e = park_add(&p->park, p->now, q);
	if (!e) {
		reject(p, q, SRT_REJ_BACKLOG);
		tell(p, q, SRT_REJ_BACKLOG, &p->told_full);
		path_drop(p, k, DP_DROP_PARK_FULL);
		return;
	}
	ev.park = park_index(&p->park, e);
	path_event(p, &ev);
	path_absorb(p, k);
}

static void conclusion(struct path *p, struct pkt *k)
{
	struct parked q = {0};
	int rc;

	if (!srt_cookie_ok(
		    &p->cookie, &k->rx.peer, k->rx.local.port, p->now, srt_hs_cookie(k->rx.data))) {
		path_drop(p, k, DP_DROP_BAD_COOKIE);
		return;
	}
	if (repeated(p, k))
		return;
	rc = srt_hs_conclusion_parse(k->rx.data, k->rx.len, &q.req);
	if (rc < 0) {
		path_drop(p, k, DP_DROP_MALFORMED);
		return;
	}
	q.refused = rc; // control says so, with a reason that a person can read
	park(p, k, &q);
}

// We are no peer to meet halfway. Answered without state, like an induction, and no longer than
// what came.
static void rendezvous(struct path *p, struct pkt *k)
{
	struct parked q = {.peer = k->rx.peer, .local = k->rx.local};

	srt_hs_fixed_req(k->rx.data, &q.req);
	path_count(p, DP_DROP_REFUSED_REQUEST, 1);
	reject(p, &q, SRT_REJX_BAD_MODE);
	tell(p, &q, SRT_REJX_BAD_MODE, &p->told_unproved);
	path_absorb(p, k);
}

void handshake_feed(struct path *p, struct pkt *k)
{
	switch (srt_hs_classify(k->rx.data, k->rx.len)) {
	case SRT_HS_INDUCTION:
		induction(p, k);
		path_absorb(p, k);
		break;
	case SRT_HS_CONCLUSION:
		conclusion(p, k);
		break;
	case SRT_HS_RENDEZVOUS:
		rendezvous(p, k);
		break;
	case SRT_HS_NONE:
		path_drop(p, k, DP_DROP_MALFORMED);
		break;
	}
}
