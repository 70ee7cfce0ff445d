// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

#include <openssl/rand.h>

#include <string.h>

// Targets that we call and send a stream to have one numbering, the stream's, and so they can have
// one key: a packet is encrypted once for all of them (srt-wire 11.6). What differs is the KEK that
// the key travels under, for each has a passphrase of its own.
//
// Counter mode only. GCM's tag covers time stamp and socket id, which differ from target to target;
// two tags over one packet under one key would give away the key that tags are made with (NIST SP
// 800-38D, appendix A), so with GCM each target keeps a key of its own.

#define PUSHKEY_PERIOD (1ull << 24) // packets; libsrt's

static struct secure_pushkey *pushkey_of(struct view *v, enum srt_suite suite)
{
	return &v->pushkey[suite - SRT_CTR_128];
}

static bool may_share(enum srt_suite suite)
{
	return suite >= SRT_CTR_128 && suite < SRT_CTR_128 + SRT_PUSHKEYS;
}

static void plan(const struct view *v, struct secure_pushkey *h)
{
	uint32_t wanted = v->stream->cfg.km_refresh;

	h->rekey_at = v->history.next + (wanted ? wanted : PUSHKEY_PERIOD);
}

// The first key, or the one after a time in which nobody was there to be told of a new one.
static bool make(const struct view *v, struct secure_pushkey *h, const struct srt_km_keys *k)
{
	h->km = (struct srt_km_keys){
		.has = SRT_KM_EVEN, .cipher = k->cipher, .key_len = k->key_len};
	memcpy(h->km.salt, k->salt, sizeof(h->km.salt));
	h->current = 0;
	h->turning = false;
	plan(v, h);
	return RAND_priv_bytes(h->km.sek[0], h->km.key_len) == 1;
}

static bool has_members(const struct view *v, enum srt_suite suite)
{
	for (const struct session *s = v->sessions; s; s = s->next_of_view)
		if (s->shared && s->suite == suite)
			return true;
	return false;
}

// One slot of the shared key, in place of a call's own.
static void one_slot(const struct secure_pushkey *h, unsigned slot, struct srt_km_keys *out)
{
	*out = h->km;
	out->has = slot ? SRT_KM_ODD : SRT_KM_EVEN;
	explicit_bzero(out->sek[!slot], sizeof(out->sek[0]));
}

void pushkey_bring(struct view *v, struct session_keys *k)
{
	enum srt_suite suite = srt_suite_of(k->km.cipher, k->km.key_len);
	struct secure_pushkey *h;

	if (!may_share(suite))
		return;
	h = pushkey_of(v, suite);
	if (!h->km.key_len || (v->history.next >= h->rekey_at && !has_members(v, suite)))
		if (!make(v, h, &k->km))
			return;
	if (memcmp(h->km.salt, k->km.salt, sizeof(h->km.salt)))
		return; // its KEK is good for its own salt only
	one_slot(h, h->current, &k->km);
	k->msg_len = (uint16_t)srt_km_write(&k->km, k->kek, k->msg);
}

void pushkey_join(struct path *p, struct session *s, const struct session_keys *k)
{
	struct secure_pushkey *h;
	struct srt_km_keys next;

	if (!may_share(s->suite))
		return;
	h = pushkey_of(s->view, s->suite);
	// While it answered the others may have gone on to another key: then it keeps the one it
	// has.
	s->shared = k->km.has == (h->current ? SRT_KM_ODD : SRT_KM_EVEN) &&
		    !memcmp(k->km.sek[h->current], h->km.sek[h->current], h->km.key_len) &&
		    !memcmp(k->km.salt, h->km.salt, sizeof(h->km.salt));
	if (!s->shared || !h->turning)
		return;
	one_slot(h, !h->current, &next);
	rekey_announce(p, s, &next);
	explicit_bzero(&next, sizeof(next));
}

// --- new keys -------------------------------------------------------------------------------

static void begin(struct path *p, struct view *v, enum srt_suite suite)
{
	struct secure_pushkey *h = pushkey_of(v, suite);
	struct srt_km_keys next;

	if (RAND_priv_bytes(h->km.sek[!h->current], h->km.key_len) != 1)
		return; // at the next look
	h->turning = true;
	h->rekey_at = SECURE_NEVER;
	one_slot(h, !h->current, &next);
	for (struct session *s = v->sessions; s; s = s->next_of_view)
		if (s->shared && s->suite == suite)
			rekey_announce(p, s, &next);
	explicit_bzero(&next, sizeof(next));
}

// All at once, when everybody has the key or is gone: one ciphertext is for all.
static void turn(struct path *p, struct view *v, enum srt_suite suite)
{
	struct secure_pushkey *h = pushkey_of(v, suite);

	for (struct session *s = v->sessions; s; s = s->next_of_view)
		if (s->shared && s->suite == suite && rekey_pending(p, s))
			return;
	h->current = !h->current;
	h->turning = false;
	plan(v, h);
	for (struct session *s = v->sessions; s; s = s->next_of_view)
		if (s->shared && s->suite == suite)
			rekey_turn(p, s);
}

void pushkey_view(struct path *p, struct view *v)
{
	for (enum srt_suite suite = SRT_CTR_128; may_share(suite); suite++) {
		struct secure_pushkey *h = pushkey_of(v, suite);

		if (h->turning)
			turn(p, v, suite);
		else if (h->km.key_len && v->history.next >= h->rekey_at && has_members(v, suite))
			begin(p, v, suite);
	}
}
