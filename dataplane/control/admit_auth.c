// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Who it says it is: a user, the holder of a token (decisions B9, B10).

#include "control/control_priv.h"
#include "ctl/dp/token.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum dp_auth admit_auth(const struct wish *w)
{
	const struct object *o = w->stream->declared;

	if (!o)
		return DP_AUTH_NONE;
	return w->publishes ? o->stream.publish_auth : o->stream.play_auth;
}

static bool has_passphrase(const struct wish *w)
{
	const struct object *o = w->stream->declared;

	return o && (w->publishes ? o->stream.publish_secret : o->stream.play_secret);
}

// A name that is not known here may be one of the hook's, or mean nothing to a stream that asks for
// nothing. Where a passphrase decides it is refused, for it says whose passphrase that would be.
static int unknown_user(struct wish *w)
{
	return admit_auth(w) == DP_AUTH_NONE && has_passphrase(w)
		       ? admit_say(w, SRT_REJX_UNAUTHORIZED, "it names a user that is not known")
		       : ADMIT_NEXT;
}

int admit_user(struct control *c, struct wish *w)
{
	const struct dp_policy *user;

	w->a->user[0] = '\0';
	if (!w->id.user[0])
		return ADMIT_NEXT;
	if (strlen(w->id.user) >= DP_USER_MAX)
		return admit_say(w, SRT_REJX_BAD_REQUEST, "it names a user of over 63 bytes");
	user = policy_find(c, DP_POLICY_USER, w->id.user);
	if (!user)
		return unknown_user(w);
	if (!policy_covers(user, w->id.name))
		return admit_say(w, SRT_REJX_FORBIDDEN, "its user is not for streams of that name");
	if (!(w->publishes ? user->publish : user->play))
		return admit_say(w, SRT_REJX_FORBIDDEN,
			w->publishes ? "its user may not publish" : "its user may not play");
	w->user = user;
	snprintf(w->a->user, sizeof(w->a->user), "%s", w->id.user);
	return ADMIT_NEXT;
}

static enum token_verdict check_as(
	const struct wish *w, const struct token *t, const struct dp_secret *key, bool publishes)
{
	return token_check(t, key->bytes, key->len, publishes ? DP_MODE_PUBLISH : DP_MODE_PLAY,
		w->id.name, w->q->peer.ip, (uint64_t)time(NULL));
}

static int judge(struct wish *w, const struct token *t, const struct dp_secret *key)
{
	enum token_verdict v = check_as(w, t, key, w->publishes);

	if (v == TOKEN_GOOD)
		return ADMIT_NEXT;
	if (v == TOKEN_OTHER_ADDRESS)
		return admit_say(w, SRT_REJX_FORBIDDEN, token_verdict_str(v));
	if (v == TOKEN_FORGED && check_as(w, t, key, !w->publishes) == TOKEN_GOOD)
		return admit_say(w, SRT_REJX_FORBIDDEN,
			w->publishes ? "the token is for playing" : "the token is for publishing");
	return admit_say(w, SRT_REJX_UNAUTHORIZED, token_verdict_str(v));
}

static int check(struct control *c, struct wish *w, const struct token *t)
{
	const struct dp_policy *p = policy_find(c, DP_POLICY_KEY, t->kid);
	const struct object *key = p ? secret_find(c, p->secret) : NULL;
	int code;

	if (!p)
		return admit_say(w, SRT_REJX_UNAUTHORIZED, "the token's signing key is not known");
	if (!policy_covers(p, w->id.name))
		return admit_say(w, SRT_REJX_FORBIDDEN,
			"the token's signing key is not for streams of that name");
	if (!key)
		return admit_say(
			w, SRT_REJ_RESOURCE, "the token's signing key has not been handed over");
	code = judge(w, t, &key->secret);
	if (code)
		return code;
	if (policy_find(c, DP_POLICY_REVOKED, t->id))
		return admit_say(w, SRT_REJX_UNAUTHORIZED, "the token was revoked");
	if (policy_find(c, DP_POLICY_REVOKED, t->kid))
		return admit_say(w, SRT_REJX_UNAUTHORIZED, "the token's signing key was revoked");
	snprintf(w->a->token, sizeof(w->a->token), "%s", t->id);
	snprintf(w->a->kid, sizeof(w->a->kid), "%s", t->kid);
	return ADMIT_NEXT;
}

int admit_token(struct control *c, struct wish *w)
{
	struct token t;

	w->a->token[0] = w->a->kid[0] = '\0';
	if (admit_auth(w) != DP_AUTH_TOKEN)
		return ADMIT_NEXT;
	if (!w->id.token[0])
		return admit_say(
			w, SRT_REJX_UNAUTHORIZED, "the stream asks for a token and it has none");
	if (token_parse(w->id.token, &t))
		return admit_say(w, SRT_REJX_UNAUTHORIZED, "its token is not of the right form");
	return check(c, w, &t);
}
