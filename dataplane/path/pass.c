// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "path/path.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <string.h>

// Targets that have the publisher's passphrase get what it has encrypted, untouched, and its
// messages about keys (srt-wire 11.6). They are called with its key and with its numbers: those of
// the stream and a difference, dseq, that is the same for as long as this publisher is there.
//
// A key and its salt may serve one mapping from numbers to payloads, ever. A packet that is not at
// hand as it came (a repair, a start), or came under another slot than the targets' current one, is
// encrypted here under the publisher's key: the same mapping. When the publisher has gone its
// numbers have gone with it: not one packet more goes under its key. At once each target is told of
// a key of our own, and gets nothing until it has answered; then it goes on where it stood, out of
// the history. From there on that is a shared key like others (pushkey.c), with numbers of its own.

static struct secure *secure_of(const struct path *p, const struct session *s)
{
	return &p->secure.all[s->slot];
}

static struct secure_pushkey *passing(struct view *v)
{
	return v->passes ? &v->pushkey[v->passes - 1] : NULL;
}

// --- calls ----------------------------------------------------------------------------------

// A bonded publisher has a key for each link.
static bool may_pass(const struct path *p, const struct view *v, const struct key_material *k)
{
	const struct session *pub = v->in.publisher;
	const struct secure *x;

	if (!pub || pub->kind != SESSION_PUB || v->in.group || !v->in.anchored || !pub->suite ||
		srt_suite_is_gcm(pub->suite) ||
		pub->suite != srt_suite_of(k->km.cipher, k->km.key_len))
		return false;
	x = secure_of(p, pub);
	return x->known & secure_slot(x->current) &&
	       !memcmp(x->keys.km.salt, k->km.salt, sizeof(k->km.salt)) &&
	       !CRYPTO_memcmp(x->keys.kek, k->kek, k->km.key_len);
}

// What the publisher has now. False: those of publishers before it have all places.
static bool follow(const struct path *p, struct view *v)
{
	const struct secure *x = secure_of(p, v->in.publisher);
	unsigned i = SRT_PUSHKEYS_OWN;

	while (i < SRT_PUSHKEYS && pushkey_has_members(v, i))
		i++;
	if (i == SRT_PUSHKEYS)
		return false;
	v->pushkey[i] = (struct secure_pushkey){
		.km = x->keys.km,
		.current = x->current,
		.borrowed = SRT_KM_EVEN | SRT_KM_ODD,
		.dseq = (v->in.host->in->isn - (uint32_t)v->in.anchor) & SEQ31_MASK,
		.rekey_at = SECURE_NEVER,
	};
	v->passes = (uint8_t)(1 + i);
	return true;
}

uint8_t pass_bring(struct path *p, struct session *s, struct key_material *k)
{
	struct view *v = s->view;
	const struct secure_pushkey *h;

	if (!may_pass(p, v, k) || (!v->passes && !follow(p, v)))
		return 0;
	h = passing(v);
	pushkey_slot(h, h->current, &k->km);
	k->msg_len = (uint16_t)srt_km_write(&k->km, k->kek, k->msg);
	if (s->start < v->in.anchor)
		s->start = v->in.anchor;
	s->isn = seq31_add(h->dseq, (uint32_t)s->start & SEQ31_MASK);
	return v->passes;
}

// --- while the publisher is there -----------------------------------------------------------

static bool same_key(const struct secure_pushkey *h, const struct secure *x, unsigned odd)
{
	return x->known & secure_slot(odd) &&
	       !memcmp(h->km.sek[odd], x->keys.km.sek[odd], h->km.key_len);
}

// Packets go under the key that they have, and then under one of our own.
static void unfollow(struct view *v)
{
	unsigned i = v->passes - 1u;

	v->passes = 0;
	if (!v->pushkey[i].switching)
		pushkey_plan(v, i);
}

// The publisher's other key, by its own message.
static void tell(struct path *p, struct view *v, const struct secure *x)
{
	struct secure_pushkey *h = passing(v);
	unsigned next = !h->current;
	bool own = false;
	struct srt_km km;

	memcpy(h->km.sek[next], x->keys.km.sek[next], sizeof(h->km.sek[0]));
	own = srt_km_parse(x->keys.msg, x->keys.msg_len, &km) || !(km.has & secure_slot(next));
	pushkey_tell(p, v, v->passes - 1u, own ? NULL : x->keys.msg, own ? 0 : x->keys.msg_len);
}

void pass_look(struct path *p, struct view *v)
{
	const struct secure_pushkey *h = passing(v);
	const struct secure *x;
	unsigned next;

	if (!h)
		return;
	x = secure_of(p, v->in.publisher);
	next = !h->current;
	if (memcmp(h->km.salt, x->keys.km.salt, sizeof(h->km.salt)) ||
		!same_key(h, x, h->current)) {
		unfollow(v);
		return;
	}
	if (!(x->known & secure_slot(next)) ||
		(same_key(h, x, next) && (h->switching || x->current == h->current)))
		return;
	if (h->switching && pushkey_waits(p, v, v->passes - 1u))
		unfollow(v); // faster than they answer
	else
		tell(p, v, x);
}

bool pass_may_switch(const struct path *p, const struct view *v, unsigned i)
{
	return v->passes != 1 + i ||
	       secure_of(p, v->in.publisher)->current != v->pushkey[i].current;
}

bool pass_wants(const struct session *publisher, unsigned odd)
{
	const struct view *v = publisher->view;

	return v->passes && v->pushkey[v->passes - 1].current == odd &&
	       v->out.shared[v->passes - 1].n;
}

// --- when it has gone -----------------------------------------------------------------------

bool pass_holds(const struct path *p, const struct session *s)
{
	return s->shared && secure_of(p, s)->current != s->view->pushkey[s->shared - 1].current;
}

static struct sublist_place *place_of(struct session *s)
{
	return &s->place;
}

// It has had everything before the history's end: there it will go on.
static void hold(struct path *p, struct session *s)
{
	struct view *v = s->view;

	if (!s->place.chunk)
		return; // it still catches up
	s->more_packets += v->sent_srt.packets - s->base.packets;
	s->more_bytes += v->sent_srt.bytes - s->base.bytes;
	s->base = v->sent_srt;
	sublist_del(s->list, &p->lists, &s->place, place_of);
	join_wait(p, s);
	s->cursor = s->seen_next = v->history.next;
}

void pass_go_on(struct path *p, struct session *s)
{
	rekey_switch(p, s, s->cursor == SESSION_START_UNSET ? s->start : s->cursor);
	p->start_due = true;
}

static void close_all(struct path *p, struct view *v, unsigned i)
{
	struct session *next;

	for (struct session *s = v->sessions; s; s = next) {
		next = s->next_of_view;
		if (s->shared == 1 + i)
			leave_session(p, s, DP_CLOSE_REKEY);
	}
}

static void let_go(struct path *p, struct view *v, unsigned i)
{
	struct secure_pushkey *h = &v->pushkey[i];

	fanout_flush(p, v);
	if (RAND_priv_bytes(h->km.sek[!h->current], h->km.key_len) != 1)
		close_all(p, v, i);
	pushkey_tell(p, v, i, NULL, 0);
	h->current = !h->current;
	h->borrowed = 0;
	h->switching = false;
	pushkey_plan(v, i);
	for (struct session *s = v->sessions; s; s = s->next_of_view)
		if (s->shared == 1 + i)
			hold(p, s);
}

void pass_end(struct path *p, struct view *v)
{
	v->passes = 0;
	for (unsigned i = SRT_PUSHKEYS_OWN; i < SRT_PUSHKEYS; i++) {
		struct secure_pushkey *h = &v->pushkey[i];

		if (!(h->borrowed & secure_slot(h->current)))
			continue;
		if (pushkey_has_members(v, i))
			let_go(p, v, i);
		else
			explicit_bzero(h, sizeof(*h));
	}
}
