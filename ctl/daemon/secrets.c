// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/secrets.h"

#include <openssl/crypto.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *ref_of(const json_t *value)
{
	return json_string_value(json_object_get(value, "ref"));
}

static int take_field(struct secrets *s, struct vault *v, struct intent *in,
	const struct resource_field *f, json_t *doc, char *err, size_t cap)
{
	const json_t *value = json_object_get(doc, f->name);
	const char *text = json_string_value(value), *id = s->all[s->n].id;
	struct intent_item old = {0};
	bool has = intent_get(in, DP_SECRET, id, &old);

	s->all[s->n].rev = old.rev;
	if (json_is_null(value) || !value) {
		s->all[s->n].action = has ? SECRET_REMOVE : SECRET_KEEP;
		return 0;
	}
	if (text && (!has || !vault_holds(v, &old, text, strlen(text)))) {
		s->all[s->n].action = SECRET_SET;
		snprintf(s->all[s->n].plain, sizeof(s->all[s->n].plain), "%s", text);
	} else if (!text && (!has || (strcmp(ref_of(value), id) && strcmp(ref_of(value), "***")))) {
		snprintf(err, cap, "%s: no secret %.32s is kept for it", f->name, ref_of(value));
		return -EINVAL;
	}
	return json_object_set_new(doc, f->name, json_pack("{s:s}", "ref", id)) ? -ENOMEM : 0;
}

int secrets_take(struct secrets *s, struct vault *v, struct intent *in, const struct resource *res,
	uint32_t kind, const char *name, json_t *doc, char *err, size_t cap)
{
	*s = (struct secrets){0};
	for (size_t i = 0; i < res->n_fields; i++) {
		const struct resource_field *f = &res->fields[i];
		int rc;

		if (!(f->flags & RESOURCE_SECRET))
			continue;
		assert(s->n < SECRETS_MAX);
		desired_id_text(DP_SECRET, desired_secret_id(kind, name, f->name), s->all[s->n].id);
		rc = take_field(s, v, in, f, doc, err, cap);
		if (rc)
			return rc;
		s->n++;
	}
	return 0;
}

void secrets_drop(struct secrets *s, struct intent *in, const struct resource *res, uint32_t kind,
	const char *name)
{
	*s = (struct secrets){0};
	for (size_t i = 0; i < res->n_fields; i++) {
		const struct resource_field *f = &res->fields[i];
		struct intent_item old;

		if (!(f->flags & RESOURCE_SECRET))
			continue;
		assert(s->n < SECRETS_MAX);
		desired_id_text(DP_SECRET, desired_secret_id(kind, name, f->name), s->all[s->n].id);
		if (!intent_get(in, DP_SECRET, s->all[s->n].id, &old))
			continue;
		s->all[s->n].action = SECRET_REMOVE;
		s->all[s->n++].rev = old.rev;
	}
}

bool secrets_differ(const struct secrets *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->all[i].action != SECRET_KEEP)
			return true;
	return false;
}

int secrets_ops(const struct secrets *s, struct vault *v, struct intent *in, struct intent_op *ops,
	char *err, size_t cap)
{
	int n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const char *id = s->all[i].id, *plain = s->all[i].plain;
		json_t *doc = NULL;

		if (s->all[i].action == SECRET_KEEP)
			continue;
		if (s->all[i].action == SECRET_SET) {
			doc = vault_seal(v, in, id, plain, strlen(plain), err, cap);
			if (!doc) {
				secrets_ops_free(ops, n);
				return -EIO;
			}
		}
		ops[n++] = (struct intent_op){DP_SECRET, id, s->all[i].rev, doc};
	}
	return n;
}

void secrets_ops_free(struct intent_op *ops, int n)
{
	for (int i = 0; i < n; i++)
		json_decref((json_t *)ops[i].doc);
}

void secrets_wipe(struct secrets *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}
