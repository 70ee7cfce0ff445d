// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/intent.h"

#include "base/log.h"
#include "ctl/core/desired.h"
#include "ctl/store/mirror.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

LOG_SUBSYSTEM(intent)

#define PREFIX "/sluice/1/intent/"

struct intent {
	struct store *store;
	struct mirror *mirror;
	json_t *docs; // by key: what the mirror holds, parsed
	size_t n[DOC_KINDS];
	const struct intent_ops *ops;
	void *arg;
};

static void key_of(char key[STORE_KEY_MAX + 1], uint32_t kind, const char *name)
{
	snprintf(key, STORE_KEY_MAX + 1, PREFIX "%s/%s", desired_noun(kind), name);
}

// The kind and name of a key; false for what a newer version keeps here too.
static bool key_parse(const char *key, uint32_t *kind, const char **name)
{
	const char *noun = key + strlen(PREFIX), *slash = strchr(noun, '/');
	char text[32];

	if (!slash || (size_t)(slash - noun) >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(slash - noun), noun);
	*kind = desired_kind(text);
	*name = slash + 1;
	return *kind;
}

static void on_changed(
	void *arg, const struct mirror_entry *before, const struct mirror_entry *after)
{
	struct intent *in = arg;
	const struct mirror_entry *e = after ? after : before;
	struct intent_item old = {0}, now = {0};
	json_t *was, *doc;

	if (!key_parse(e->key, &now.kind, &now.name))
		return;
	was = json_incref(json_object_get(in->docs, e->key));
	doc = after ? json_loadb(after->val, after->len, 0, NULL) : NULL;
	if (after && !doc)
		log_error("the store holds no JSON at %s: passed over", e->key);
	old = (struct intent_item){now.kind, now.name, was, before ? before->mod_rev : 0};
	now.doc = doc;
	now.rev = e->mod_rev;
	if (doc)
		json_object_set_new(in->docs, e->key, doc);
	else
		json_object_del(in->docs, e->key);
	in->n[now.kind] += !was && doc;
	in->n[now.kind] -= was && !doc;
	if (was || doc)
		in->ops->changed(in->arg, was ? &old : NULL, doc ? &now : NULL);
	json_decref(was);
}

static void on_caught_up(void *arg, store_rev rev)
{
	struct intent *in = arg;

	(void)rev;
	in->ops->caught_up(in->arg);
}

static void on_failed(void *arg, enum store_rc rc)
{
	struct intent *in = arg;

	in->ops->failed(in->arg, rc);
}

static const struct mirror_ops mirror_callbacks = {on_changed, on_caught_up, on_failed};

struct intent *intent_new(
	struct store *s, struct event_base *base, const struct intent_ops *ops, void *arg)
{
	struct intent *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	*in = (struct intent){.store = s, .ops = ops, .arg = arg, .docs = json_object()};
	in->mirror = mirror_new(s, base, PREFIX, &mirror_callbacks, in);
	if (in->docs && in->mirror)
		return in;
	intent_free(in);
	return NULL;
}

void intent_free(struct intent *in)
{
	if (!in)
		return;
	if (in->mirror)
		mirror_free(in->mirror);
	json_decref(in->docs);
	free(in);
}

bool intent_ready(const struct intent *in)
{
	return mirror_ready(in->mirror);
}

static bool item_of(struct intent *in, const struct mirror_entry *e, struct intent_item *out)
{
	out->doc = e ? json_object_get(in->docs, e->key) : NULL;
	if (!out->doc || !key_parse(e->key, &out->kind, &out->name))
		return false;
	out->rev = e->mod_rev;
	return true;
}

bool intent_get(struct intent *in, uint32_t kind, const char *name, struct intent_item *out)
{
	char key[STORE_KEY_MAX + 1];

	key_of(key, kind, name);
	return item_of(in, mirror_get(in->mirror, key), out);
}

size_t intent_count(const struct intent *in, uint32_t kind)
{
	return in->n[kind];
}

bool intent_next(struct intent *in, uint32_t kind, const char *after, struct intent_item *out)
{
	char prefix[64], key[STORE_KEY_MAX + 1];
	const struct mirror_entry *e;

	snprintf(prefix, sizeof(prefix), PREFIX "%s/", desired_noun(kind));
	if (after)
		key_of(key, kind, after);
	e = mirror_next(in->mirror, prefix, after ? key : NULL);
	while (e && !item_of(in, e, out)) // what could not be read was said when it came
		e = mirror_next(in->mirror, prefix, e->key);
	return e;
}

void intent_write(
	struct intent *in, const struct intent_op *ops, size_t n, intent_done done, void *arg)
{
	struct {
		char key[STORE_KEY_MAX + 1];
		char *text;
	} kept[INTENT_OPS_MAX];
	struct store_cmp cmp[INTENT_OPS_MAX] = {0};
	struct store_op op[INTENT_OPS_MAX] = {0};

	assert(n && n <= INTENT_OPS_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *doc = ops[i].doc;

		key_of(kept[i].key, ops[i].kind, ops[i].name);
		kept[i].text = doc ? json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
		cmp[i] = (struct store_cmp){store_str(kept[i].key), ops[i].rev};
		op[i] = (struct store_op){.del = !doc,
			.key = cmp[i].key,
			.val = store_str(kept[i].text ? kept[i].text : "")};
	}
	store_txn(in->store, cmp, n, op, n, done, arg);
	for (size_t i = 0; i < n; i++)
		free(kept[i].text);
}
