// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/store/mirror.h"

#include "store_rig.h"

#include <stdio.h>
#include <string.h>

static struct rig r;
static struct mirror *m;
static char seen[4096];
static bool ready;

static void changed(void *, const struct mirror_entry *before, const struct mirror_entry *after)
{
	size_t at = strlen(seen);

	snprintf(seen + at, sizeof(seen) - at, "%s:%s>%s ", after ? after->key : before->key,
		before ? before->val : "", after ? after->val : "");
}

static void caught_up(void *, store_rev rev)
{
	size_t at = strlen(seen);

	snprintf(seen + at, sizeof(seen) - at, "|%d ", (int)rev);
	ready = true;
}

static const struct mirror_ops ops = {.changed = changed, .caught_up = caught_up};

static int open_mirror(void **)
{
	rig_open(&r);
	rig_write(&r, "/i/b", 0, "1");
	rig_write(&r, "/other", 0, "1");
	seen[0] = '\0';
	ready = false;
	m = mirror_new(r.store, r.base, "/i/", &ops, NULL);
	assert_non_null(m);
	assert_false(mirror_ready(m));
	rig_wait(&r, &ready);
	assert_true(mirror_ready(m));
	return 0;
}

static int close_mirror(void **)
{
	mirror_free(m);
	rig_close(&r);
	return 0;
}

static void it_lists_then_follows(void **)
{
	rig_write(&r, "/i/a", 0, "x");
	assert_string_equal(mirror_get(m, "/i/a")->val, "x");
	assert_int_equal(mirror_get(m, "/i/a")->mod_rev, 3);
	rig_write(&r, "/i/b", 1, "2");
	rig_write(&r, "/other", 2, "2");
	rig_write(&r, "/i/a", 3, NULL);
	assert_string_equal(seen, "/i/b:>1 |2 /i/a:>x |3 /i/b:1>2 |4 /i/a:x> |6 ");
	assert_null(mirror_get(m, "/i/a"));
	assert_null(mirror_get(m, "/other"));
	assert_int_equal(mirror_count(m), 1);
	assert_int_equal(mirror_rev(m), 6);
}

static void it_is_walked_in_key_order(void **)
{
	static const char *const keys[] = {"/i/s/c", "/i/s/a", "/i/r", "/i/t", "/i/s/b"};
	char walk[128] = "";

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		rig_write(&r, keys[i], 0, "");
	for (const struct mirror_entry *e = mirror_next(m, "/i/s/", NULL); e;
		e = mirror_next(m, "/i/s/", e->key))
		strcat(walk, e->key);
	assert_string_equal(walk, "/i/s/a/i/s/b/i/s/c");
	assert_string_equal(mirror_next(m, "", NULL)->key, "/i/b");
	assert_string_equal(mirror_next(m, "/i/s/", "/i/s/aa")->key, "/i/s/b");
	assert_null(mirror_next(m, "/i/s/", "/i/s/c"));
	assert_null(mirror_next(m, "/i/x", NULL));
}

static void freed_while_listing_it_is_quiet(void **)
{
	struct mirror *other = mirror_new(r.store, r.base, "/i/", &ops, NULL);

	seen[0] = '\0';
	mirror_free(other);
	rig_write(&r, "/other", 2, "3");
	assert_string_equal(seen, "");
}

// An engine of the test's own: what SQLite does only after 10,000 revisions, or when the disk
// fails.
#include "ctl/store/store_impl.h"

static struct {
	store_rows rows;
	store_events events;
	void *rows_arg, *events_arg;
	store_rev from;
	int watches;
} fake;

static void fake_list(struct store *, struct store_blob, store_rows cb, void *arg)
{
	fake.rows = cb;
	fake.rows_arg = arg;
}

static struct store_watch *fake_watch(
	struct store *s, struct store_blob, store_rev from, store_events cb, void *arg)
{
	static struct store_watch w;

	w.engine = s->engine;
	fake.events = cb;
	fake.events_arg = arg;
	fake.from = from;
	fake.watches++;
	return &w;
}

static void fake_unwatch(struct store_watch *)
{
	fake.watches--;
}

static struct store_kv kv(const char *key, const char *val, store_rev rev)
{
	return (struct store_kv){store_str(key), store_str(val), rev};
}

static void answer(enum store_rc rc, store_rev rev, const struct store_kv *rows, size_t n)
{
	store_rows cb = fake.rows;

	fake.rows = NULL;
	assert_non_null(cb);
	cb(fake.rows_arg, rc, rev, rows, n);
}

static void a_gap_is_bridged_by_the_difference(void **)
{
	static const struct store_engine engine = {
		.list = fake_list, .watch = fake_watch, .unwatch = fake_unwatch};
	struct store s = {&engine};
	struct store_kv before[] = {kv("a", "1", 1), kv("b", "1", 2), kv("c", "1", 3)};
	struct store_kv after[] = {kv("aa", "9", 8), kv("b", "2", 7), kv("c", "1", 3)};
	struct mirror *f = mirror_new(&s, r.base, "", &ops, NULL);

	seen[0] = '\0';
	answer(STORE_OK, 3, before, 3);
	assert_int_equal(fake.from, 4);
	fake.events(fake.events_arg, STORE_COMPACTED, 9, NULL, 0);
	assert_int_equal(fake.watches, 0);
	assert_string_equal(seen, "a:>1 b:>1 c:>1 |3 ");
	seen[0] = '\0';
	answer(STORE_OK, 9, after, 3);
	assert_string_equal(seen, "a:1> aa:>9 b:1>2 |9 ");
	assert_int_equal(fake.from, 10);
	mirror_free(f);
	assert_int_equal(fake.watches, 0);
}

static bool asked_again(void)
{
	return fake.rows;
}

static void it_tries_again_when_the_store_fails(void **)
{
	static const struct store_engine engine = {
		.list = fake_list, .watch = fake_watch, .unwatch = fake_unwatch};
	struct store s = {&engine};
	struct store_kv row = kv("a", "1", 1);
	struct mirror *f = mirror_new(&s, r.base, "", &ops, NULL);

	seen[0] = '\0';
	answer(STORE_UNAVAILABLE, 0, NULL, 0);
	assert_false(mirror_ready(f));
	while (!asked_again())
		event_base_loop(r.base, EVLOOP_ONCE);
	answer(STORE_OK, 1, &row, 1);
	assert_string_equal(seen, "a:>1 |1 ");
	mirror_free(f);
}

#define MIRROR_TEST(f) cmocka_unit_test_setup_teardown(f, open_mirror, close_mirror)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MIRROR_TEST(it_lists_then_follows),
		MIRROR_TEST(it_is_walked_in_key_order),
		MIRROR_TEST(freed_while_listing_it_is_quiet),
		MIRROR_TEST(a_gap_is_bridged_by_the_difference),
		MIRROR_TEST(it_tries_again_when_the_store_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
