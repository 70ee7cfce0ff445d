// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <openssl/rand.h>

#include <string.h>

// Targets that we call and send a stream to have one numbering, the stream's, and so they can have
// one key: a packet is encrypted once for all of them (srt-wire 11.6). What differs is the KEK that
// the key travels under, for each has a passphrase of its own. Those that have the publisher's are
// under its key, as long as they can be (pass.c).
//
// Counter mode only. GCM's tag covers time stamp and socket id, which differ from target to target;
// two tags over one packet under one key would give away the key that tags are made with (NIST SP
// 800-38D, appendix A), so with GCM each target keeps a key of its own.

#define PUSHKEY_PERIOD (1ull << 24) // packets; libsrt's

void pushkey_plan(struct view *v, unsigned i)
{
	struct secure_pushkey *h = &v->pushkey[i];
	uint32_t wanted = v->stream->cfg.km_refresh;

	if (v->passes == 1 + i)
		h->rekey_at = SECURE_NEVER; // when its publisher wants to
	else if (h->borrowed & secure_slot(h->current))
		h->rekey_at = v->history.next;
	else
		h->rekey_at = v->history.next + (wanted ? wanted : PUSHKEY_PERIOD);
}

// The first key, or the one after a time in which nobody was there to be told of a new one.
static bool make(struct view *v, unsigned i, const struct srt_km_keys *k)
{
	struct secure_pushkey *h = &v->pushkey[i];

	h->km = (struct srt_km_keys){
		.has = SRT_KM_EVEN, .cipher = k->cipher, .key_len = k->key_len};
	memcpy(h->km.salt, k->salt, sizeof(h->km.salt));
	h->current = 0;
	h->switching = false;
	pushkey_plan(v, i);
	return RAND_priv_bytes(h->km.sek[0], h->km.key_len) == 1;
}

bool pushkey_has_members(const struct view *v, unsigned i)
{
	for (const struct session *s = v->sessions; s; s = s->next_of_view)
		if (s->shared == 1 + i)
			return true;
	return false;
}

// One slot of the shared key, in place of a call's own.
void pushkey_slot(const struct secure_pushkey *h, unsigned slot, struct srt_km_keys *out)
{
	*out = h->km;
	out->has = secure_slot(slot);
	explicit_bzero(out->sek[!slot], sizeof(out->sek[0]));
}

uint8_t pushkey_bring(struct view *v, struct key_material *k)
{
	enum srt_suite suite = srt_suite_of(k->km.cipher, k->km.key_len);
	unsigned i = suite - SRT_CTR_128;
	struct secure_pushkey *h;

	if (suite < SRT_CTR_128 || i >= SRT_PUSHKEYS_OWN)
		return 0;
	h = &v->pushkey[i];
	if (!h->km.key_len || (v->history.next >= h->rekey_at && !pushkey_has_members(v, i)))
		if (!make(v, i, &k->km))
			return 0;
	if (memcmp(h->km.salt, k->km.salt, sizeof(h->km.salt)))
		return 0; // its KEK is good for its own salt only
	pushkey_slot(h, h->current, &k->km);
	k->msg_len = (uint16_t)srt_km_write(&k->km, k->kek, k->msg);
	return (uint8_t)(1 + i);
}

static bool is_current(
	const struct secure_pushkey *h, const struct session *s, const struct srt_km_keys *k)
{
	return k->key_len == h->km.key_len && k->has == secure_slot(h->current) &&
	       ((s->isn - (uint32_t)s->start) & SEQ31_MASK) == h->dseq &&
	       !memcmp(k->sek[h->current], h->km.sek[h->current], h->km.key_len) &&
	       !memcmp(k->salt, h->km.salt, sizeof(h->km.salt));
}

bool pushkey_join(struct path *p, struct session *s, const struct key_material *k, uint8_t shared)
{
	struct secure_pushkey *h = shared ? &s->view->pushkey[shared - 1] : NULL;
	struct srt_km_keys next;

	if (!h || !is_current(h, s, &k->km))
		return false;
	s->shared = shared;
	if (!h->switching)
		return true;
	pushkey_slot(h, !h->current, &next);
	rekey_announce(p, s, &next, NULL, 0);
	explicit_bzero(&next, sizeof(next));
	return true;
}

// --- new keys -------------------------------------------------------------------------------

// The other slot's key.
void pushkey_tell(struct path *p, struct view *v, unsigned i, const uint8_t *msg, uint16_t len)
{
	struct secure_pushkey *h = &v->pushkey[i];
	struct srt_km_keys next;

	h->switching = true;
	h->rekey_at = SECURE_NEVER;
	pushkey_slot(h, !h->current, &next);
	for (struct session *s = v->sessions; s; s = s->next_of_view)
		if (s->shared == 1 + i)
			rekey_announce(p, s, &next, msg, len);
	explicit_bzero(&next, sizeof(next));
}

static void begin(struct path *p, struct view *v, unsigned i)
{
	struct secure_pushkey *h = &v->pushkey[i];

	if (RAND_priv_bytes(h->km.sek[!h->current], h->km.key_len) != 1)
		return; // at the next look
	h->borrowed &= secure_slot(h->current);
	pushkey_tell(p, v, i, NULL, 0);
}

bool pushkey_waits(const struct path *p, const struct view *v, unsigned i)
{
	for (const struct session *s = v->sessions; s; s = s->next_of_view)
		if (s->shared == 1 + i && rekey_pending(p, s))
			return true;
	return false;
}

// All at once, when everybody has the key or is gone: one ciphertext is for all.
static void switch_all(struct path *p, struct view *v, unsigned i)
{
	struct secure_pushkey *h = &v->pushkey[i];

	h->current = !h->current;
	h->switching = false;
	pushkey_plan(v, i);
	for (struct session *s = v->sessions; s; s = s->next_of_view)
		if (s->shared == 1 + i)
			rekey_switch(p, s, v->history.next);
}

// Else until the others have it too.
void pushkey_answered(struct path *p, struct session *s)
{
	if (pass_holds(p, s))
		pass_go_on(p, s);
}

void pushkey_view(struct path *p, struct view *v)
{
	pass_look(p, v);
	for (unsigned i = 0; i < SRT_PUSHKEYS; i++) {
		struct secure_pushkey *h = &v->pushkey[i];

		if (!h->km.key_len)
			continue;
		if (h->switching && pass_may_switch(p, v, i) && !pushkey_waits(p, v, i))
			switch_all(p, v, i);
		else if (!h->switching && v->history.next >= h->rekey_at &&
			 pushkey_has_members(v, i) && !pushkey_waits(p, v, i))
			begin(p, v, i);
	}
}
