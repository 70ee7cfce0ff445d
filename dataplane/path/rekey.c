// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"
#include "proto/srt_pkt.h"

#include <openssl/rand.h>

#include <string.h>

// New keys for subscribers (srt-wire 11.5): one key a message, of the same length, under the same
// salt and so the same KEK. Packets go under it only after the answer. Who does not answer is given
// up: what it cannot decrypt would reach its viewer, or block it for good.

#define REKEY_PERIOD (1ull << 24) // packets; libsrt's
#define REKEY_TRIES 10u		  // libsrt's
#define REKEY_WAIT_MIN (100 * TS_MS)
#define REKEY_TURN 64u // begun at most in one look at a stream: each takes some microseconds

static struct secure *secure_of(const struct path *p, const struct session *s)
{
	return &p->secure.all[s->slot];
}

void rekey_plan(struct path *p, struct session *s)
{
	struct view *v = s->view;
	struct secure *x = secure_of(p, s);
	uint32_t wanted = v->stream->cfg.km_refresh;

	if (!s->suite || s->shared)
		return;
	x->rekey_at = v->history.next + (wanted ? wanted : REKEY_PERIOD);
	if (x->rekey_at < v->rekey_at)
		v->rekey_at = x->rekey_at;
}

static ts_us wait_of(const struct session *s)
{
	return ts_max(REKEY_WAIT_MIN, s->conn.snd.rtt.us * 3 / 2);
}

static void announce(struct path *p, struct session *s)
{
	struct secure_refresh *r = &secure_of(p, s)->refresh;
	uint8_t out[SRT_HDR + SRT_KM_MAX];

	r->tries++;
	r->due = p->now + wait_of(s);
	port_send(p->port, &s->line, out,
		(uint16_t)srt_km_packet(out, SRT_KMREQ, r->msg, r->msg_len,
			srt_snd_ts(&s->conn.snd, p->now), s->hs.caller_id));
	if (!wheel_armed(&s->timer) || r->due < s->timer.due)
		wheel_arm(&p->wheel, &s->timer, r->due);
}

// What went under the slot's key before cannot be sent again so from now on: the peer forgets it.
void rekey_announce(struct path *p, struct session *s, const struct srt_km_keys *next,
	const uint8_t *msg, uint16_t len)
{
	struct secure *x = secure_of(p, s);
	unsigned slot = next->has == SRT_KM_ODD;

	x->refresh = (struct secure_refresh){.msg_len = len};
	if (msg)
		memcpy(x->refresh.msg, msg, len);
	else
		x->refresh.msg_len = (uint16_t)srt_km_write(next, x->keys.kek, x->refresh.msg);
	srt_crypt_key(p->secure.crypt, s->suite, next->salt, next->sek[slot],
		secure_key_at(&p->secure, s->suite, s->slot, slot));
	x->since[slot] = SECURE_NEVER;
	x->rekey_at = SECURE_NEVER;
	announce(p, s);
}

// A key for the other slot.
static void begin(struct path *p, struct session *s)
{
	struct secure *x = secure_of(p, s);
	unsigned next = !x->current;
	struct srt_km_keys k = x->keys.km;

	k.has = next ? SRT_KM_ODD : SRT_KM_EVEN;
	if (RAND_priv_bytes(k.sek[next], k.key_len) == 1) // else at the next look
		rekey_announce(p, s, &k, NULL, 0);
	explicit_bzero(&k, sizeof(k));
}

static void line_switch(struct line *l, uint32_t kk)
{
	line_store32(l->b + WIRE_SRT_WORD1, kk);
}

bool rekey_pending(const struct path *p, const struct session *s)
{
	return secure_of(p, s)->refresh.msg_len;
}

void rekey_switch(struct path *p, struct session *s, uint64_t from)
{
	struct secure *x = secure_of(p, s);

	x->current = !x->current;
	x->since[x->current] = from;
	if (s->cursor != SESSION_START_UNSET)
		line_switch(&s->line, secure_kk(p, s));
	if (s->place.chunk)
		line_switch(&s->place.chunk->lines[s->place.at], secure_kk(p, s));
}

void rekey_answered(struct path *p, struct session *s, const uint8_t *msg, size_t len)
{
	struct secure *x = secure_of(p, s);
	struct srt_km km;

	if (!x->refresh.msg_len) { // a second answer, or none at all
		if (len != sizeof(uint32_t) && srt_km_parse(msg, len, &km))
			path_count(p, DP_DROP_MALFORMED, 1);
		return;
	}
	if (len != x->refresh.msg_len || memcmp(msg, x->refresh.msg, len)) {
		// An older one's may be late; a state says that it takes none.
		if (len == sizeof(uint32_t) || srt_km_parse(msg, len, &km))
			leave_session(p, s, DP_CLOSE_REKEY);
		return;
	}
	x->refresh.msg_len = 0;
	if (s->shared) {
		pushkey_answered(p, s);
		return;
	}
	rekey_switch(p, s, s->view->history.next);
	rekey_plan(p, s);
}

ts_us rekey_expiry(const struct path *p, const struct session *s)
{
	const struct secure *x = secure_of(p, s);

	return s->suite && x->refresh.msg_len ? x->refresh.due : TS_NEVER;
}

bool rekey_on_timer(struct path *p, struct session *s)
{
	struct secure *x = secure_of(p, s);

	if (p->now < rekey_expiry(p, s))
		return true;
	if (x->refresh.tries < REKEY_TRIES) {
		announce(p, s);
		return true;
	}
	leave_session(p, s, DP_CLOSE_REKEY);
	return false;
}

void rekey_view(struct path *p, struct view *v)
{
	unsigned begun = 0;

	if (v->history.next < v->rekey_at)
		return;
	v->rekey_at = SECURE_NEVER;
	for (struct session *s = v->sessions; s; s = s->next_of_view) {
		struct secure *x = secure_of(p, s);

		if (s->kind != SESSION_SUB || !s->suite || s->shared)
			continue;
		if (x->rekey_at <= v->history.next && begun++ < REKEY_TURN)
			begin(p, s);
		if (x->rekey_at < v->rekey_at)
			v->rekey_at = x->rekey_at;
	}
}

// Under which key a packet goes that has been sent before: the one it went under, as long as the
// peer has that.
struct line rekey_line(const struct path *p, const struct session *s, uint64_t seq)
{
	const struct secure *x = secure_of(p, s);
	unsigned other = !x->current;
	struct line l = s->line;

	if (s->suite && seq < x->since[x->current] && x->since[other] != SECURE_NEVER &&
		seq >= x->since[other])
		line_switch(&l, other ? SRT_WORD1_ODD : SRT_WORD1_EVEN);
	return l;
}
