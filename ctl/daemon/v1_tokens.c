// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Tokens (decisions B9): POST /v1/tokens signs one and stores nothing, DELETE /v1/tokens/ID (or the
// token itself) keeps the id until the token would have ended, GET /v1/tokens lists those.

#include "ctl/daemon/daemon_priv.h"

#include "ctl/api/resource_check.h"
#include "ctl/dp/token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ID_BYTES 6u   // of a token: 12 hex digits
#define PURGE_MAX 64u // transactions under way at a time

static const char *text_of(const json_t *doc, const char *field)
{
	const char *s = json_string_value(json_object_get(doc, field));

	return s ? s : "";
}

static json_int_t number_of(const json_t *doc, const char *field)
{
	return json_integer_value(json_object_get(doc, field));
}

json_t *token_json(const struct intent_item *item)
{
	char until[40], revoked[40];

	return json_pack("{s:s, s:s, s:s}", "id", item->name, "until",
		unix_time_text(number_of(item->doc, "until_s"), until), "revoked",
		unix_time_text(number_of(item->doc, "revoked_s"), revoked));
}

json_t *revocation_doc(const char *id, int64_t until_s)
{
	return json_pack("{s:s, s:I, s:I}", "id", id, "until_s", (json_int_t)until_s, "revoked_s",
		(json_int_t)time(NULL));
}

struct making {
	char id[TOKEN_ID_MAX + 1], token[TOKEN_MAX + 1];
	char from[CIDR_STRLEN]; // in its one spelling; empty: anywhere
	uint64_t until_s;
	enum dp_mode mode;
};

static int sign(
	struct daemon *d, const struct intent_item *key, const json_t *doc, struct making *m)
{
	const char *ip = json_string_value(json_object_get(doc, "ip"));
	uint8_t bytes[DP_SECRET_MAX], raw[ID_BYTES];
	struct cidr from;
	int n = key_open(d, key, bytes), rc;

	if (n < 0 || RAND_bytes(raw, sizeof(raw)) != 1)
		return -ENOKEY;
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(m->id + 2 * i, 3, "%02x", raw[i]);
	m->until_s = (uint64_t)time(NULL) + (uint64_t)number_of(doc, "ttl_s");
	m->mode = strcmp(text_of(doc, "mode"), "publish") ? DP_MODE_PLAY : DP_MODE_PUBLISH;
	if (ip && cidr_parse(ip, &from))
		return -EINVAL;
	if (ip)
		cidr_str(&from, m->from, sizeof(m->from));
	rc = token_sign(key->name, m->id, m->until_s, ip ? &from : NULL, bytes, (size_t)n, m->mode,
		text_of(doc, "stream"), m->token);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return rc;
}

static void reply_token(struct http_request *r, const struct intent_item *key, const json_t *doc,
	const struct making *m)
{
	char until[40];
	json_t *out = json_pack("{s:s, s:s, s:s}", "id", m->id, "kid", key->name, "until",
		unix_time_text((int64_t)m->until_s, until));

	json_object_update(out, (json_t *)doc);
	if (*m->from)
		json_object_set_new(out, "ip", json_string(m->from));
	json_object_set_new(out, "token", json_string(m->token));
	json_object_set_new(out, "stream_id",
		json_sprintf("#!::r=%s,m=%s,sluice_token=%s", text_of(doc, "stream"),
			text_of(doc, "mode"), m->token));
	http_reply_header(r, "Cache-Control", "no-store");
	http_reply_json(r, 201, out);
}

static void create(struct http_request *r, struct daemon *d, const json_t *doc)
{
	struct making m = {0};
	struct intent_item key;

	if (!key_for_stream(d, text_of(doc, "stream"), &key))
		http_reply_problem(r, 404, "no_key",
			"no signing key is for %.128s, make one: sluicectl key rotate",
			text_of(doc, "stream"));
	else if (sign(d, &key, doc, &m))
		http_reply_problem(r, 503, "secrets_unavailable", "%s",
			vault_said(d->vault) ? vault_said(d->vault) : "the key cannot be read");
	else
		reply_token(r, &key, doc, &m);
}

static void on_create(struct http_request *r, void *arg)
{
	const struct resource *res = resource_find("token");
	char err[512];
	json_t *doc;

	if (!http_body(r)) {
		http_reply_problem(r, 400, NULL, "the body must be a JSON object");
		return;
	}
	if (resource_validate(res, http_body(r), RESOURCE_ADD, err, sizeof(err))) {
		http_reply_problem(r, 400, "invalid", "%s", err);
		return;
	}
	doc = resource_intent(res, http_body(r));
	create(r, arg, doc);
	json_decref(doc);
}

// As we make them.
static bool is_our_id(const char *text)
{
	return strlen(text) == 2 * ID_BYTES && strspn(text, "0123456789abcdef") == 2 * ID_BYTES;
}

// The id and the end of what is to be revoked. Of an id alone the end is not known: that of a token
// made now which lives longest. Who signs gives ids of its own form, and says that it does: a slip
// would revoke nothing.
static bool read_target(const char *text, bool own_id, char id[TOKEN_ID_MAX + 1], int64_t *until_s)
{
	struct token t;

	*until_s = (int64_t)time(NULL) + RESOURCE_TTL_S_MAX;
	if (!token_parse(text, &t)) {
		snprintf(id, TOKEN_ID_MAX + 1, "%s", t.id);
		*until_s = (int64_t)t.until_s;
		return true;
	}
	if (own_id ? !token_word_ok(text, TOKEN_ID_MAX) : !is_our_id(text))
		return false;
	snprintf(id, TOKEN_ID_MAX + 1, "%s", text);
	return true;
}

static void on_revoke(struct http_request *r, void *arg)
{
	struct daemon *d = arg;
	char id[TOKEN_ID_MAX + 1];
	const char *own = http_query(r, "own_id");
	struct intent_item item;
	int64_t until_s;

	if (!read_target(http_param(r, "name"), own && !strcmp(own, "true"), id, &until_s)) {
		http_reply_problem(r, 400, "invalid",
			"that is neither a token nor a token's id, which is 12 hex digits");
	} else if (intent_get(d->intent, DOC_KEY, id, &item)) {
		http_reply_problem(r, 400, "invalid",
			"%s is a signing key, not a token: sluicectl key revoke %s", id, id);
	} else if (intent_get(d->intent, DOC_REVOKED, id, &item)) {
		http_reply_json(r, 200, token_json(&item));
	} else if (intent_count(d->intent, DOC_REVOKED) >= REVOKED_TOKENS_MAX) {
		http_reply_problem(r, 409, "full",
			"%u tokens are revoked and have not ended; revoke their key in place of "
			"more tokens",
			REVOKED_TOKENS_MAX);
	} else {
		change_start(d, r, resource_find("token"), id, 0, revocation_doc(id, until_s), NULL,
			200);
	}
}

static void on_purged(void *arg, enum store_rc rc, store_rev rev)
{
	(void)arg;
	(void)rc; // the next look finds what is left
	(void)rev;
}

void tokens_purge(struct daemon *d)
{
	struct intent_op ops[INTENT_OPS_MAX];
	struct intent_item item = {0};
	const char *after = NULL;
	int64_t now = time(NULL);
	size_t n = 0, txns = 0;

	for (; txns < PURGE_MAX && intent_next(d->intent, DOC_REVOKED, after, &item);
		after = item.name) {
		if (number_of(item.doc, "until_s") > now)
			continue;
		ops[n++] = (struct intent_op){DOC_REVOKED, item.name, item.rev, NULL};
		if (n < INTENT_OPS_MAX)
			continue;
		intent_write(d->intent, ops, n, on_purged, NULL);
		n = 0;
		txns++;
	}
	if (n)
		intent_write(d->intent, ops, n, on_purged, NULL);
}

int v1_token_routes(struct daemon *d)
{
	int rc = http_route(d->http, "POST", "/v1/tokens", HTTP_ROLE_ADMIN, on_create, d);

	return rc ? rc
		  : http_route(d->http, "DELETE", "/v1/tokens/{name...}", HTTP_ROLE_ADMIN,
			    on_revoke, d);
}
