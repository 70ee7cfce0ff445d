// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/first_intent.h"

#include "base/log.h"
#include "base/ts.h"
#include "ctl/daemon/secrets.h"

#include <event2/event.h>

#include <stdio.h>
#include <string.h>

LOG_SUBSYSTEM(first_intent)

#define WAIT_US (30 * TS_S)
#define MARK "/sluice/1/meta/first" // there while the file is being taken in
#define NAMES_MAX 200u		    // bytes of names in a line of the log

// What the loop is turned for.
struct waiting {
	bool done;
	enum store_rc rc;
	store_rev rev, mark; // of the store, of the mark (0: none)
	unsigned left;	     // answers to come
};

static int turn_until_done(struct event_base *base, struct waiting *w, char *err, size_t cap)
{
	ts_us end = ts_now() + WAIT_US;

	while (!w->done && ts_now() < end)
		if (event_base_loop(base, EVLOOP_ONCE))
			break;
	if (w->done && (w->rc == STORE_OK || w->rc == STORE_CAS))
		return 0;
	snprintf(err, cap, "the store: %s", w->done ? store_rc_str(w->rc) : "no answer");
	return -EIO;
}

static void on_rows(
	void *arg, enum store_rc rc, store_rev snapshot, const struct store_kv *kv, size_t n)
{
	struct waiting *w = arg;

	*w = (struct waiting){
		.done = true, .rc = rc, .rev = snapshot, .mark = n ? kv[0].mod_rev : 0};
}

// What is there already stays (STORE_CAS): a crash may have left part of the file.
static void on_put(void *arg, enum store_rc rc, store_rev rev)
{
	struct waiting *w = arg;

	(void)rev;
	if (rc != STORE_OK && rc != STORE_CAS)
		w->rc = rc;
	w->done = !--w->left;
}

// The name an item has in the store: of a stream its own, else its id.
static const char *name_of(const json_t *item, const char *node, uint32_t *kind, char id[])
{
	const json_t *doc = json_object_get(item, "doc");

	*kind = desired_kind(json_string_value(json_object_get(item, "noun")));
	if (*kind == DP_STREAM || *kind == DOC_USER)
		return json_string_value(json_object_get(doc, "name"));
	return desired_id_text(*kind, desired_id(*kind, doc, node), id);
}

// One object and its secrets. Returns 0, or -EIO and one sentence.
static int put_item(struct intent *intent, struct vault *vault, const json_t *item,
	const char *node, struct waiting *w, char *err, size_t cap)
{
	json_t *doc = json_deep_copy(json_object_get(item, "doc"));
	struct intent_op ops[SECRETS_MAX + 1];
	char id[DESIRED_ID_LEN];
	struct secrets s;
	uint32_t kind;
	const char *name = name_of(item, node, &kind, id);
	int n = secrets_take(
		&s, vault, intent, resource_find(desired_noun(kind)), kind, name, doc, err, cap);

	n = n ? n : secrets_ops(&s, vault, intent, ops, err, cap);
	if (n >= 0) {
		ops[n] = (struct intent_op){kind, name, 0, doc};
		intent_write(intent, ops, (size_t)n + 1, on_put, w);
	}
	secrets_ops_free(ops, n);
	secrets_wipe(&s);
	json_decref(doc);
	return n < 0 ? -EIO : 0;
}

static int put_all(struct event_base *base, struct intent *intent, struct vault *vault,
	const json_t *items, const char *node, char *err, size_t cap)
{
	struct waiting w = {.left = (unsigned)json_array_size(items)};
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		if (put_item(intent, vault, item, node, &w, err, cap))
			return -EIO;
	}
	return turn_until_done(base, &w, err, cap);
}

// Set or take away the mark: without it at the end, a crash leaves the file half loaded for good.
static int put_mark(
	struct store *s, struct event_base *base, store_rev rev, bool del, char *err, size_t cap)
{
	const struct store_cmp cmp = {.key = store_str(MARK), .mod_rev = rev};
	const struct store_op op = {.del = del, .key = cmp.key, .val = store_str("{}")};
	struct waiting w = {.left = 1};

	store_txn(s, &cmp, 1, &op, 1, on_put, &w);
	return turn_until_done(base, &w, err, cap);
}

static int find_mark(
	struct store *s, struct event_base *base, struct waiting *w, char *err, size_t cap)
{
	*w = (struct waiting){0};
	store_list(s, store_str(MARK), on_rows, w);
	return turn_until_done(base, w, err, cap);
}

struct difference {
	unsigned n;
	char names[NAMES_MAX];
};

static void note(struct difference *d, uint32_t kind, const char *name)
{
	size_t len = strlen(d->names);

	d->n++;
	snprintf(d->names + len, sizeof(d->names) - len, "%s%s %s", len ? ", " : "",
		desired_noun(kind), name);
}

// As it would be in the store: secrets are references there.
static bool is_same(struct intent *intent, struct vault *vault, uint32_t kind, const char *name,
	const struct intent_item *have, const json_t *item)
{
	json_t *doc = json_deep_copy(json_object_get(item, "doc"));
	struct secrets s;
	char err[256];
	bool same = !secrets_take(&s, vault, intent, resource_find(desired_noun(kind)), kind, name,
			    doc, err, sizeof(err)) &&
		    !secrets_differ(&s) && json_equal(have->doc, doc);

	secrets_wipe(&s);
	json_decref(doc);
	return same;
}

static void compare(
	struct intent *intent, struct vault *vault, const json_t *items, const char *node)
{
	struct difference d = {0};
	char id[DESIRED_ID_LEN];
	uint32_t kind;
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		const char *name = name_of(item, node, &kind, id);
		struct intent_item have;

		if (!intent_get(intent, kind, name, &have) ||
			!is_same(intent, vault, kind, name, &have, item))
			note(&d, kind, name);
	}
	if (d.n)
		log_warn("the file differs from the store in %u of its %zu objects (%s%s); the "
			 "store is kept, the file's intent was for the first start",
			d.n, json_array_size(items), d.names,
			strlen(d.names) == NAMES_MAX - 1 ? ".." : "");
}

int first_intent_load(struct store *s, struct event_base *base, struct intent *intent,
	struct vault *vault, const json_t *items, const char *node, char *err, size_t cap)
{
	struct waiting w;
	int rc;

	if (!json_array_size(items))
		return 0;
	rc = find_mark(s, base, &w, err, cap);
	if (!rc && w.rev && !w.mark) {
		compare(intent, vault, items, node);
		return 0;
	}
	if (!rc && !w.mark)
		rc = put_mark(s, base, 0, false, err, cap);
	rc = rc ? rc : put_all(base, intent, vault, items, node, err, cap);
	rc = rc ? rc : find_mark(s, base, &w, err, cap);
	rc = rc ? rc : put_mark(s, base, w.mark, true, err, cap);
	if (!rc)
		log_info("first start: %zu objects taken from the file", json_array_size(items));
	return rc;
}
