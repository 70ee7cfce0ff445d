// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Who may come in, of documents: rules of addresses, ways of admission, users, keys, revocations,
// and the secrets that others name.

#include "ctl/core/desired_priv.h"

#include "base/cidr.h"
#include "ctl/dp/dp_id.h"
#include "proto/streamid.h"
#include "proto/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

uint64_t desired_ref(const json_t *doc, const char *field)
{
	const char *ref = json_string_value(json_object_get(json_object_get(doc, field), "ref"));

	return ref ? desired_id_parse(DP_SECRET, ref) : 0;
}

void desired_access(const json_t *doc, struct dp_acl *acl)
{
	const json_t *rules = json_object_get(doc, "acl");
	const json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule)
	{
		const char *text = json_string_value(rule);
		struct dp_acl_rule *r = &acl->rules[acl->n];
		const char *range = text ? strchr(text, ' ') : NULL;
		struct cidr c;

		if (acl->n == DP_ACL_MAX || !range || cidr_parse(range + 1, &c))
			continue; // did not come through the checks
		memcpy(r->ip, c.ip, sizeof(r->ip));
		r->bits = c.bits;
		r->deny = *text == 'd';
		acl->n++;
	}
}

uint32_t desired_dialects(const json_t *doc)
{
	const json_t *names = json_object_get(doc, "dialects");
	const json_t *name;
	uint32_t bits = 0;
	size_t i;

	json_array_foreach(names, i, name)
	{
		int n = streamid_dialect_find(json_string_value(name));

		bits |= n >= 0 ? 1u << n : 0;
	}
	return bits ? bits | 1u << STREAMID_SLUICE : 0; // ours hold everywhere
}

// The place of a word among those of an enum that counts in the same order.
static uint8_t word_of(const json_t *doc, const char *field, const char *const *words)
{
	const char *text = text_of(doc, field);

	for (uint8_t i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	return 0;
}

void desired_stream_access(const json_t *doc, struct dp_stream *s)
{
	static const char *const auth[] = {"none", "token", "hook", NULL};
	static const char *const failure[] = {"closed", "open", NULL};
	static const char *const cipher[] = {"auto", "ctr", "gcm", NULL};

	s->publish_secret = desired_ref(doc, "publish_passphrase");
	s->play_secret = desired_ref(doc, "play_passphrase");
	s->publish_auth = word_of(doc, "publish_auth", auth);
	s->play_auth = word_of(doc, "play_auth", auth);
	s->hook_failure = word_of(doc, "hook_failure", failure);
	s->cipher = word_of(doc, "cryptomode", cipher);
	s->km_refresh = number_of(doc, "km_refresh_packets");
	desired_access(doc, &s->acl);
}

static void make_user(const json_t *doc, struct dp_policy *p)
{
	p->type = DP_POLICY_USER;
	p->secret = desired_ref(doc, "passphrase");
	p->publish = !strcmp(text_of(doc, "mode"), "publish");
	p->play = !p->publish;
	snprintf(p->name, sizeof(p->name), "%s", text_of(doc, "name"));
	snprintf(p->prefix, sizeof(p->prefix), "%s", text_of(doc, "prefix"));
}

static void make_key(const json_t *doc, struct dp_policy *p)
{
	p->type = DP_POLICY_KEY;
	p->secret = desired_ref(doc, "secret");
	snprintf(p->name, sizeof(p->name), "%s", text_of(doc, "kid"));
	snprintf(p->prefix, sizeof(p->prefix), "%s", text_of(doc, "prefix"));
}

static void make_revoked(const json_t *doc, struct dp_policy *p)
{
	p->type = DP_POLICY_REVOKED;
	p->until_s = (uint64_t)json_integer_value(json_object_get(doc, "until_s"));
	snprintf(p->name, sizeof(p->name), "%s", text_of(doc, "id"));
}

void desired_policy(uint32_t kind, const json_t *doc, struct dp_policy *p)
{
	p->size = sizeof(*p);
	if (kind == DOC_USER)
		make_user(doc, p);
	else if (kind == DOC_KEY)
		make_key(doc, p);
	else
		make_revoked(doc, p);
}

uint64_t desired_secret_id(uint32_t kind, const char *name, const char *field)
{
	char identity[DP_STREAM_NAME + 128];

	snprintf(identity, sizeof(identity), "secret %s %s %s", desired_noun(kind), name, field);
	return dp_id(identity);
}

void desired_make_secret(
	uint64_t id, const void *bytes, size_t len, uint64_t version, struct desired *out)
{
	*out = (struct desired){.kind = DP_SECRET, .id = id, .version = version};
	out->body.secret.size = sizeof(out->body.secret);
	out->body.secret.len = (uint32_t)len;
	memcpy(out->body.secret.bytes, bytes, len);
}

int desired_spell_passphrase(const struct url *u, json_t *doc, char *err, size_t cap)
{
	const char *text = url_param(u, URL_PASSPHRASE);
	json_t *beside = json_object_get(doc, "passphrase");
	bool is_given = beside && !json_is_null(beside);

	if (is_given && u->scheme != URL_SRT) {
		snprintf(err, cap, "a passphrase means something to srt:// URLs only");
		return -EINVAL;
	}
	if (!text)
		return 0;
	if (strcmp(text, URL_HIDDEN) && is_given) {
		snprintf(err, cap, "the passphrase is given twice, in the URL and beside it");
		return -EINVAL;
	}
	if (!is_given)
		json_object_set_new(doc, "passphrase",
			strcmp(text, URL_HIDDEN) ? json_string(text)
						 : json_pack("{s:s}", "ref", URL_HIDDEN));
	if (json_is_null(json_object_get(doc, "passphrase"))) {
		snprintf(err, cap, "the passphrase is not valid UTF-8");
		return -EINVAL;
	}
	return 0;
}

// Rules in their one spelling.
int desired_spell_access(json_t *doc, char *err, size_t cap)
{
	json_t *rules = json_object_get(doc, "acl"), *rule;
	size_t i;

	json_array_foreach(rules, i, rule)
	{
		const char *text = json_string_value(rule), *range = strchr(text, ' ') + 1;
		char spelled[CIDR_STRLEN + 8], at[CIDR_STRLEN];
		struct cidr c;

		if (cidr_parse(range, &c)) {
			snprintf(err, cap, "acl: %.64s is no range of addresses", range);
			return -EINVAL;
		}
		snprintf(spelled, sizeof(spelled), "%.*s%s", (int)(range - text), text,
			cidr_str(&c, at, sizeof(at)));
		json_array_set_new(rules, i, json_string(spelled));
	}
	return 0;
}
