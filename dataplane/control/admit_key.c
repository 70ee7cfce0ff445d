// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Whether the caller knows the passphrase: its key opens with it. That takes a while, elsewhere.

#include "control/control_priv.h"

#include <errno.h>
#include <string.h>

static int submit(struct control *c, struct wish *w)
{
	const struct dp_secret *secret = &w->secret->secret;
	struct kdf_job j = {
		.id = admit_id(c, w->a),
		.passphrase_len = (uint16_t)secret->len,
		.km_len = w->q->req.km_len,
	};
	int rc;

	memcpy(j.source, w->q->peer.ip, sizeof(j.source));
	memcpy(j.passphrase, secret->bytes, secret->len);
	memcpy(j.km, w->q->req.km, j.km_len);
	rc = kdf_submit(c->kdf, &j);
	explicit_bzero(&j, sizeof(j));
	if (rc)
		return admit_say(w, SRT_REJ_BACKLOG, "too many callers wait for their keys");
	w->a->secret = w->secret->id;
	w->a->secret_version = w->secret->version;
	return admit_wait(c, w, ADMIT_FOR_KEY);
}

int admit_key(struct control *c, struct wish *w)
{
	// Another passphrase than the one that was tried: the user or the stream has changed.
	if (!w->secret || (w->a->has_keys && (w->a->secret != w->secret->id ||
						     w->a->secret_version != w->secret->version)))
		w->a->has_keys = false;
	if (!w->secret)
		return ADMIT_NEXT;
	if (!w->a->has_keys)
		return submit(c, w);
	switch (w->a->key_status) {
	case 0:
		return ADMIT_NEXT;
	case -EACCES:
		return admit_say(w, SRT_REJ_BADSECRET, "its passphrase is another");
	default:
		return admit_say(w, SRT_REJ_ROGUE, "its key message is malformed");
	}
}

void admit_key_derived(struct control *c, const struct kdf_result *r)
{
	struct admission *a = admit_find(c, r->id);

	if (!a || a->waits != ADMIT_FOR_KEY)
		return;
	a->has_keys = true;
	a->key_status = r->status;
	a->keys = r->keys;
	admit_again(c, a);
}
