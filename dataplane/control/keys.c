// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Publishers that announce a key under a new salt: their worker has no KEK for it. And which calls
// of ours have a publisher's passphrase: theirs opens its message.

#include "control/control_priv.h"

#include <errno.h>
#include <string.h>

static const struct object *secret_of(struct control *c, const struct event *e)
{
	const struct ctl_stream *s = ctl_stream_of(e->stream);

	// Any link of a group: they have one passphrase.
	return s->publisher == e->key || s->group.id ? secret_find(c, s->publisher_secret) : NULL;
}

static void answer(struct control *c, session_key key, int status, const struct key_material *k)
{
	struct cmd cmd = {.kind = CMD_KEYS};

	cmd.keys.key = key;
	cmd.keys.status = status;
	if (k)
		cmd.keys.keys = *k;
	post(c, session_key_worker(key), &cmd);
	explicit_bzero(&cmd, sizeof(cmd));
}

void keys_note(struct ctl_stream *s, const uint8_t *km, uint16_t len)
{
	s->publisher_km_len = km ? (uint8_t)len : 0;
	if (km)
		memcpy(s->publisher_km, km, len);
}

void keys_try(const struct ctl_stream *s, struct kdf_job *j, uint8_t key_len)
{
	struct srt_km km;

	if (!s->publisher || s->group.id || j->cipher != SRT_KM_CTR ||
		srt_km_parse(s->publisher_km, s->publisher_km_len, &km) ||
		km.cipher != SRT_KM_CTR || (key_len && key_len != km.key_len))
		return;
	j->km_len = s->publisher_km_len;
	memcpy(j->km, s->publisher_km, j->km_len);
}

void keys_wanted(struct control *c, const struct event *e)
{
	const struct object *secret = secret_of(c, e);
	struct kdf_job j = {.id = e->key, .what = KDF_IN_BAND, .km_len = e->km_len};

	if (!secret) {
		answer(c, e->key, -EACCES, NULL);
		return;
	}
	keys_note(ctl_stream_of(e->stream), e->km, e->km_len);
	memcpy(j.source, e->peer.ip, sizeof(j.source));
	memcpy(j.km, e->km, e->km_len);
	j.passphrase_len = (uint16_t)secret->secret.len;
	memcpy(j.passphrase, secret->secret.bytes, j.passphrase_len);
	// Without an answer it announces the key again.
	if (kdf_submit(c->kdf, &j))
		answer(c, e->key, -EAGAIN, NULL);
	explicit_bzero(&j, sizeof(j));
}

void keys_turn(struct control *c)
{
	struct kdf_result r;

	while (kdf_results(c->kdf, &r, 1)) {
		if (r.what == KDF_IN_BAND)
			answer(c, r.id, r.status, &r.keys);
		else if (r.what == KDF_CALL)
			call_key_made(c, &r);
		else
			admit_key_derived(c, &r);
		explicit_bzero(&r, sizeof(r));
	}
}
