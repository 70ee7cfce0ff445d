// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Which passphrase the caller has to know, and whether it may encrypt as it does.

#include "control/control_priv.h"

// That of the user it names stands in for the stream's.
static uint64_t secret_wanted(const struct wish *w)
{
	const struct object *o = w->stream->declared;

	if (w->user)
		return w->user->secret;
	return !o ? 0 : w->publishes ? o->stream.publish_secret : o->stream.play_secret;
}

// GCM of libsrt before 1.5.4 repeats nonces (srt-wire 11.7).
static int check_cipher(struct wish *w)
{
	const struct srt_hs_req *r = &w->q->req;
	const struct object *o = w->stream->declared;
	unsigned wanted = o ? o->stream.cipher : DP_CIPHER_AUTO;
	struct srt_km km;

	if (srt_km_parse(r->km, r->km_len, &km))
		return admit_say(w, SRT_REJ_ROGUE, "its key message is malformed");
	if (km.cipher == SRT_KM_GCM && r->version < SRT_VERSION_GCM)
		return admit_say(
			w, SRT_REJ_CRYPTO, "it encrypts by AES-GCM and is older than 1.5.4");
	if ((wanted == DP_CIPHER_CTR && km.cipher != SRT_KM_CTR) ||
		(wanted == DP_CIPHER_GCM && km.cipher != SRT_KM_GCM))
		return admit_say(w, SRT_REJ_CRYPTO, "it encrypts by another cipher");
	return ADMIT_NEXT;
}

// Both sides have a passphrase or neither, as with a listener of libsrt that keeps its defaults: a
// caller that would go on in the clear (enforcedencryption off) is told 1011 too. Else a publisher
// would send what nobody here can read, and a player would take for secured what is not.
int admit_secret(struct control *c, struct wish *w)
{
	uint64_t id = secret_wanted(w);

	if (!id && w->q->req.encrypted)
		return admit_say(
			w, SRT_REJ_UNSECURE, "it encrypts and the stream has no passphrase");
	if (!id)
		return ADMIT_NEXT;
	if (!w->q->req.encrypted)
		return admit_say(
			w, SRT_REJ_UNSECURE, "there is a passphrase and it does not encrypt");
	w->secret = secret_find(c, id);
	if (!w->secret)
		return admit_say(
			w, SRT_REJ_RESOURCE, "its passphrase has not been handed over yet");
	return check_cipher(w);
}
