// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Signing keys of tokens (decisions B9): POST /v1/keys makes the next one of a prefix, the one
// before it stays valid, an older one goes. GET /v1/keys/KID shows the key itself, so that a
// platform can sign; lists never do.

#include "ctl/daemon/daemon_priv.h"

#include "ctl/api/resource_check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define KEY_BYTES 32u
#define KEY_LEN 43u    // characters of the key, and bytes of what signs
#define OLD_MAX 2u     // keys that a rotation may take away
#define FIELD "secret" // of the document, where the reference stands

static const char *text_of(const json_t *doc, const char *field)
{
	const char *s = json_string_value(json_object_get(doc, field));

	return s ? s : "";
}

static json_int_t made_of(const json_t *doc)
{
	return json_integer_value(json_object_get(doc, "made_ms"));
}

// The newest key of exactly this prefix.
static bool newest_of(struct daemon *d, const char *prefix, struct intent_item *out)
{
	struct intent_item item = {0};
	const char *after = NULL;
	bool found = false;

	for (; intent_next(d->intent, DOC_KEY, after, &item); after = item.name) {
		if (strcmp(text_of(item.doc, "prefix"), prefix) != 0)
			continue;
		if (found && made_of(item.doc) < made_of(out->doc))
			continue;
		*out = item;
		found = true;
	}
	return found;
}

json_t *key_json(struct daemon *d, const struct intent_item *item)
{
	const char *prefix = text_of(item->doc, "prefix");
	struct intent_item newest;
	bool signs = newest_of(d, prefix, &newest) && !strcmp(newest.name, item->name);
	char since[40];

	return json_pack("{s:s, s:s?, s:s, s:s, s:o}", "kid", item->name, "prefix",
		*prefix ? prefix : NULL, "state", signs ? "signing" : "valid", "since",
		unix_time_text(made_of(item->doc) / 1000, since), "error", key_error_json(d, item));
}

// The key that signs for a stream: the newest of the longest prefix.
bool key_for_stream(struct daemon *d, const char *stream, struct intent_item *out)
{
	struct intent_item item = {0};
	const char *after = NULL;
	size_t best = 0;
	bool found = false;

	for (; intent_next(d->intent, DOC_KEY, after, &item); after = item.name) {
		const char *prefix = text_of(item.doc, "prefix");
		size_t len = strlen(prefix);

		if (strncmp(stream, prefix, len) != 0 || (found && len < best))
			continue;
		if (found && len == best && made_of(item.doc) < made_of(out->doc))
			continue;
		*out = item;
		best = len;
		found = true;
	}
	return found;
}

int key_open(struct daemon *d, const struct intent_item *key, uint8_t bytes[DP_SECRET_MAX])
{
	const char *ref = text_of(json_object_get(key->doc, FIELD), "ref");
	struct intent_item secret;

	return intent_get(d->intent, DP_SECRET, ref, &secret) ? vault_open(d->vault, &secret, bytes)
							      : -ENOENT;
}

static bool random_key(char out[KEY_LEN + 1])
{
	uint8_t raw[KEY_BYTES];
	char text[4 * ((KEY_BYTES + 2) / 3) + 1];
	bool good = RAND_bytes(raw, sizeof(raw)) == 1;

	EVP_EncodeBlock((uint8_t *)text, raw, sizeof(raw));
	for (size_t i = 0; i < KEY_LEN; i++)
		out[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	out[KEY_LEN] = '\0';
	OPENSSL_cleanse(raw, sizeof(raw));
	OPENSSL_cleanse(text, sizeof(text));
	return good;
}

static void set_secret(struct daemon *d, struct secrets *s, const char *kid)
{
	struct intent_item old = {0};
	size_t i = s->n++;

	desired_id_text(DP_SECRET, desired_secret_id(DOC_KEY, kid, FIELD), s->all[i].id);
	intent_get(d->intent, DP_SECRET, s->all[i].id, &old);
	s->all[i].rev = old.rev;
	s->all[i].action = old.rev ? SECRET_REMOVE : SECRET_SET;
}

// What a rotation takes away: all of the prefix but the newest, with their secrets.
static size_t old_ones(
	struct daemon *d, const char *prefix, struct intent_op ops[2 * OLD_MAX], char ids[][16])
{
	struct intent_item item = {0}, newest = {0}, secret;
	const char *after = NULL;
	size_t n = 0;

	newest_of(d, prefix, &newest);
	for (; n < 2 * OLD_MAX && intent_next(d->intent, DOC_KEY, after, &item);
		after = item.name) {
		const char *ref = text_of(json_object_get(item.doc, FIELD), "ref");

		if (strcmp(text_of(item.doc, "prefix"), prefix) || item.rev == newest.rev)
			continue;
		snprintf(ids[n], 16, "%s", item.name);
		ops[n] = (struct intent_op){DOC_KEY, ids[n], item.rev, NULL};
		n++;
		if (!intent_get(d->intent, DP_SECRET, ref, &secret))
			continue;
		snprintf(ids[n], 16, "%s", ref);
		ops[n] = (struct intent_op){DP_SECRET, ids[n], secret.rev, NULL};
		n++;
	}
	return n;
}

// Later than every other of the prefix, whatever the clock says.
static json_int_t made_now(struct daemon *d, const char *prefix)
{
	struct intent_item newest = {0};
	struct timespec t;
	json_int_t ms;

	clock_gettime(CLOCK_REALTIME, &t);
	ms = (json_int_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	if (newest_of(d, prefix, &newest) && made_of(newest.doc) >= ms)
		ms = made_of(newest.doc) + 1;
	return ms;
}

static void rotate(struct http_request *r, struct daemon *d, const char *prefix)
{
	struct intent_op old[2 * OLD_MAX];
	char ids[2 * OLD_MAX][16], kid[DP_KID_MAX];
	struct secrets s = {0};
	uint8_t raw[4];
	json_t *doc;

	if (RAND_bytes(raw, sizeof(raw)) != 1) {
		http_reply_problem(r, 500, NULL, "no random numbers");
		return;
	}
	snprintf(kid, sizeof(kid), "k%02x%02x%02x%02x", raw[0], raw[1], raw[2], raw[3]);
	set_secret(d, &s, kid);
	if (s.all[0].action != SECRET_SET || !random_key(s.all[0].plain)) {
		http_reply_problem(r, 503, NULL, "no new key could be drawn, try again");
		return;
	}
	doc = json_pack("{s:s, s:s, s:I, s:{s:s}}", "kid", kid, "prefix", prefix, "made_ms",
		made_now(d, prefix), FIELD, "ref", s.all[0].id);
	change_start_with(d, r, resource_find("key"), kid, 0, doc, &s, 201, old,
		old_ones(d, prefix, old, ids));
	secrets_wipe(&s);
}

static void on_rotate(struct http_request *r, void *arg)
{
	const json_t *body = http_body(r);
	json_t *nothing = json_object();
	const struct resource *res = resource_find("key");
	char err[512];

	if (resource_validate(res, body ? body : nothing, RESOURCE_ADD, err, sizeof(err)))
		http_reply_problem(r, 400, "invalid", "%s", err);
	else
		rotate(r, arg, text_of(body, "prefix"));
	json_decref(nothing);
}

static bool find_key(struct http_request *r, struct daemon *d, struct intent_item *item)
{
	if (intent_get(d->intent, DOC_KEY, http_param(r, "name"), item))
		return true;
	http_reply_problem(r, 404, NULL, "there is no key %.64s", http_param(r, "name"));
	return false;
}

static void on_show(struct http_request *r, void *arg)
{
	struct daemon *d = arg;
	uint8_t bytes[DP_SECRET_MAX];
	struct intent_item item;
	json_t *out;
	int n;

	if (!find_key(r, d, &item))
		return;
	n = key_open(d, &item, bytes);
	if (n < 0) {
		http_reply_problem(r, 503, "secrets_unavailable", "%s",
			vault_said(d->vault) ? vault_said(d->vault) : "the key cannot be read");
		return;
	}
	out = key_json(d, &item);
	json_object_set_new(out, "key", json_stringn((const char *)bytes, (size_t)n));
	OPENSSL_cleanse(bytes, sizeof(bytes));
	http_reply_header(r, "Cache-Control", "no-store");
	http_reply_json(r, 200, out);
}

// Its sessions end as those of a revoked token do, which a rotation does not want.
static void on_revoke(struct http_request *r, void *arg)
{
	struct daemon *d = arg;
	struct intent_item item, before = {0};
	struct intent_op revoked;
	struct secrets s = {0};

	if (!find_key(r, d, &item))
		return;
	if (intent_count(d->intent, DOC_REVOKED) >= DP_REVOKED_MAX) {
		http_reply_problem(r, 409, "full", "too many keys and tokens are revoked");
		return;
	}
	set_secret(d, &s, item.name);
	if (s.all[0].action == SECRET_SET)
		s.n = 0; // it had none
	intent_get(d->intent, DOC_REVOKED, item.name, &before);
	revoked = (struct intent_op){DOC_REVOKED, item.name, before.rev,
		revocation_doc(item.name, (int64_t)time(NULL) + RESOURCE_TTL_S_MAX)};
	change_start_with(
		d, r, resource_find("key"), item.name, item.rev, NULL, &s, 204, &revoked, 1);
	json_decref((json_t *)revoked.doc);
}

int v1_key_routes(struct daemon *d)
{
	struct http_server *h = d->http;
	int rc = http_route(h, "POST", "/v1/keys", HTTP_ROLE_ADMIN, on_rotate, d);

	rc = rc ? rc : http_route(h, "GET", "/v1/keys/{name}", HTTP_ROLE_ADMIN, on_show, d);
	return rc ? rc : http_route(h, "DELETE", "/v1/keys/{name}", HTTP_ROLE_ADMIN, on_revoke, d);
}
