// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "io/arena.h"
#include "path/path.h"
#include "proto/srt_clock.h"
#include "proto/srt_pkt.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <string.h>

// Encrypted sessions: their keys, what comes in under them, and messages about new ones.

static struct secure *secure_of(const struct path *p, const struct session *s)
{
	return &p->secure.all[s->slot];
}

static void expand(struct path *p, const struct session *s, const struct srt_km_keys *k)
{
	for (unsigned odd = 0; odd < 2; odd++)
		if (k->has & (odd ? SRT_KM_ODD : SRT_KM_EVEN))
			srt_crypt_key(p->secure.crypt, s->suite, k->salt, k->sek[odd],
				secure_key_at(&p->secure, s->suite, s->slot, odd));
}

void secure_begin(struct path *p, struct session *s, const struct key_material *keys)
{
	struct secure *x = secure_of(p, s);

	s->suite = (uint8_t)srt_suite_of(keys->km.cipher, keys->km.key_len);
	*x = (struct secure){
		.keys = *keys, .known = keys->km.has, .since = {SECURE_NEVER, SECURE_NEVER}};
	x->current = !(keys->km.has & SRT_KM_EVEN);
	x->since[x->current] = 0;
	x->rekey_at = SECURE_NEVER;
	expand(p, s, &keys->km);
}

void secure_end(struct path *p, struct session *s)
{
	if (!s->suite)
		return;
	explicit_bzero(secure_of(p, s), sizeof(struct secure));
	if (srt_suite_is_gcm(s->suite))
		explicit_bzero(p->secure.gcm[s->slot], sizeof(p->secure.gcm[0]));
	else
		explicit_bzero(p->secure.ctr[s->slot], sizeof(p->secure.ctr[0]));
	s->suite = SRT_CLEAR;
}

uint32_t secure_kk(const struct path *p, const struct session *s)
{
	if (!s->suite)
		return 0;
	return secure_of(p, s)->current ? SRT_WORD1_ODD : SRT_WORD1_EVEN;
}

// --- what comes in --------------------------------------------------------------------------

static struct rte_mbuf *frame_take(struct path *p)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(arena_pool(p->arena));

	return m || !ring_squeeze(p) ? m : rte_pktmbuf_alloc(arena_pool(p->arena));
}

// A frame for the clear packet, header and all: another than it lies in, when it is to stay as it
// came for this round, too; but that is worth no part of a history: without one it is decrypted
// where it lies, and encrypted again for whom it was to stay. Where it lies in none it stays anyway
// (io/port.h). False: none.
static bool own_frame(struct path *p, struct pkt *k, unsigned odd)
{
	bool keeps = pass_wants(k->session, odd);
	struct rte_mbuf *m;

	if (k->rx.frame && (!keeps || p->n_sealed == 2 * PORT_BURST))
		return true;
	m = k->rx.frame ? rte_pktmbuf_alloc(arena_pool(p->arena)) : frame_take(p);
	if (!m)
		return k->rx.frame;
	memcpy(rte_pktmbuf_mtod(m, void *), k->rx.data, SRT_HDR);
	if (k->rx.frame)
		p->sealed[p->n_sealed++] = k->rx.frame;
	if (keeps)
		k->sealed = k->rx.data + SRT_HDR;
	k->rx.frame = m;
	return true;
}

// The header as the sender's tag saw it: with R = 0.
static void aad_of(const uint8_t *header, uint8_t aad[SRT_GCM_AAD])
{
	memcpy(aad, header, SRT_GCM_AAD);
	be32_put(aad + 4, be32_get(aad + 4) & ~SRT_WORD1_R);
}

static bool decrypt(struct path *p, struct pkt *k, unsigned odd)
{
	struct session *s = k->session;
	uint16_t tag = srt_suite_is_gcm(s->suite) ? SRT_GCM_TAG : 0;
	const uint8_t *from = k->rx.data;
	uint8_t aad[SRT_GCM_AAD], *to;
	struct srt_crypt_job j = {
		.key = secure_key_at(&p->secure, s->suite, s->slot, odd),
		.src = from + SRT_HDR,
		.aad = aad,
		.seq = be32_get(from),
		.len = k->rx.len - SRT_HDR - tag,
	};

	to = k->rx.data >= (uint8_t *)k->rx.frame->buf_addr &&
			     k->rx.data < (uint8_t *)k->rx.frame->buf_addr + ARENA_FRAME
		     ? (uint8_t *)(uintptr_t)from // forwarded: it lies in its frame already
		     : rte_pktmbuf_mtod(k->rx.frame, uint8_t *);
	j.dst = to + SRT_HDR;
	aad_of(from, aad);
	if (!tag)
		srt_crypt_ctr(p->secure.crypt, s->suite, &j, 1);
	else if (!srt_crypt_gcm_open(p->secure.crypt, s->suite, &j))
		return false;
	be32_put(to + 4, be32_get(to + 4) & ~SRT_WORD1_KK);
	k->rx.data = to;
	k->rx.len -= tag;
	return true;
}

// Of its packets so far? That one tells the slot it sends under; one that the network has held
// back, or a repeat, tells only which it was.
static bool is_newest(const struct session *s, uint32_t seq)
{
	const struct srt_intake *in = s->rcv->in;

	return seq31_off(seq31_add(in->isn, (uint32_t)in->window.next & SEQ31_MASK), seq) >= 0;
}

// Make a clear packet of an encrypted one. What cannot be decrypted is dropped before the receiver
// hears of it: so it is never acknowledged, its hole is found by the next good packet, asked for
// while a key may still come, and given up in time, as if the network had lost it. Repeats are
// decrypted before they are known to be such; there are few.
bool secure_open(struct path *p, struct pkt *k)
{
	struct session *s = k->session;
	uint32_t kk = be32_get(k->rx.data + 4) & SRT_WORD1_KK;
	unsigned odd = kk == SRT_WORD1_ODD;
	unsigned least = SRT_HDR + (srt_suite_is_gcm(s->suite) ? SRT_GCM_TAG : 0);

	if (k->rx.len > ARENA_ROOM) {
		path_drop(p, k, DP_DROP_OVERSIZE);
		return false;
	}
	if ((kk == SRT_WORD1_EVEN || kk == SRT_WORD1_ODD) && k->rx.len > least &&
		secure_of(p, s)->keys.km.has & (odd ? SRT_KM_ODD : SRT_KM_EVEN)) {
		if (!own_frame(p, k, odd)) {
			path_drop(p, k, DP_DROP_ARENA_FULL);
			return false;
		}
		if (decrypt(p, k, odd)) {
			if (is_newest(s, be32_get(k->rx.data)))
				secure_of(p, s)->current = (uint8_t)odd;
			return true;
		}
	}
	s->undecryptable++;
	path_drop(p, k, DP_DROP_UNDECRYPTABLE);
	return false;
}

// --- messages about keys --------------------------------------------------------------------

static void say(struct path *p, struct session *s, enum srt_km_subtype what, const uint8_t *msg,
	uint16_t len)
{
	uint8_t out[SRT_HDR + SRT_KM_MAX];

	port_send(p->port, &s->line, out,
		(uint16_t)srt_km_packet(
			out, what, msg, len, srt_clock_at(s->t0, p->now), s->hs.caller_id));
}

// One word, in libsrt's byte order (srt-wire 3.4).
static void say_state(struct path *p, struct session *s, enum srt_km_state state)
{
	uint8_t word[4] = {(uint8_t)state};

	say(p, s, SRT_KMRSP, word, sizeof(word));
}

static void install(struct path *p, struct session *s, const struct key_material *k)
{
	struct secure *x = secure_of(p, s);
	struct srt_km_keys had = x->keys.km;

	if (memcmp(had.salt, k->km.salt, sizeof(had.salt)))
		x->known = 0;
	x->known |= k->km.has;
	x->keys = *k;
	x->keys.km.has |= had.has;
	for (unsigned odd = 0; odd < 2; odd++)
		if (!(k->km.has & secure_slot(odd)))
			memcpy(x->keys.km.sek[odd], had.sek[odd], sizeof(had.sek[odd]));
	explicit_bzero(&had, sizeof(had));
	expand(p, s, &k->km);
	pass_look(p, s->view);
	say(p, s, SRT_KMRSP, k->msg, k->msg_len);
}

static void ask_control(struct path *p, struct session *s, const uint8_t *msg, uint16_t len)
{
	struct secure *x = secure_of(p, s);
	struct event e = {
		.kind = EV_KEYS,
		.key = session_key_get(&p->sessions, s),
		.stream = s->view->stream,
		.peer = s->peer,
		.km = x->refresh.msg,
		.km_len = (uint8_t)len,
	};

	if (x->asking)
		return;
	x->asking = true;
	memcpy(x->refresh.msg, msg, len);
	path_event(p, &e);
}

// The publisher announces a key. Its salt seldom changes, and then our KEK is still the one.
static void kmreq(struct path *p, struct session *s, const uint8_t *msg, uint16_t len)
{
	struct secure *x = secure_of(p, s);
	struct key_material k = {.msg_len = len};
	struct srt_km km;

	if (len == x->keys.msg_len && !memcmp(msg, x->keys.msg, len)) {
		say(p, s, SRT_KMRSP, msg, len);
		return;
	}
	if (srt_km_parse(msg, len, &km)) {
		path_count(p, DP_DROP_MALFORMED, 1);
		return;
	}
	if (srt_suite_of(km.cipher, km.key_len) != s->suite) {
		say_state(p, s, SRT_KM_BAD_CRYPTO);
		return;
	}
	if (memcmp(km.salt, x->keys.km.salt, SRT_KM_SALT)) {
		ask_control(p, s, msg, len);
		return;
	}
	memcpy(k.kek, x->keys.kek, sizeof(k.kek));
	memcpy(k.msg, msg, len);
	if (srt_km_unwrap(&km, k.kek, &k.km))
		say_state(p, s, SRT_KM_BAD_SECRET);
	else
		install(p, s, &k);
	explicit_bzero(&k, sizeof(k));
}

int secure_derived(struct path *p, session_key key, int status, const struct key_material *k)
{
	struct session *s = session_of_key(&p->sessions, key);

	if (!s || !s->suite)
		return -ENOENT;
	secure_of(p, s)->asking = false;
	if (status == -EAGAIN)
		return 0; // it announces the key again
	if (status)
		say_state(p, s, SRT_KM_BAD_SECRET);
	else if (srt_suite_of(k->km.cipher, k->km.key_len) == s->suite)
		install(p, s, k);
	return 0;
}

bool secure_control(struct path *p, struct pkt *k)
{
	struct session *s = k->session;
	struct srt_ctrl c;

	if (srt_pkt_parse_ctrl(k->rx.data, k->rx.len, &c) || c.type != SRT_USER ||
		(c.subtype != SRT_KMREQ && c.subtype != SRT_KMRSP))
		return false;
	if (!s->suite || (s->kind == SESSION_PUB) != (c.subtype == SRT_KMREQ)) {
		path_drop(p, k, DP_DROP_UNEXPECTED);
		return true;
	}
	if (c.cif_len > SRT_KM_MAX) {
		path_drop(p, k, DP_DROP_MALFORMED);
		return true;
	}
	if (c.subtype == SRT_KMREQ)
		kmreq(p, s, c.cif, (uint16_t)c.cif_len);
	else
		rekey_answered(p, s, c.cif, c.cif_len);
	path_absorb(p, k);
	return true;
}
