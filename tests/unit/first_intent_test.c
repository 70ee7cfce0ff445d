// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/core/desired.h"
#include "ctl/daemon/first_intent.h"
#include "ctl/daemon/intent.h"
#include "ctl/daemon/vault.h"
#include "store_rig.h"

#include <stdio.h>
#include <string.h>

#define KEY "/sluice/1/intent/stream/"

struct place {
	struct rig rig;
	struct intent *intent;
};

static void on_changed(void *, const struct intent_item *, const struct intent_item *)
{
}

static void on_caught_up(void *)
{
}

static void on_failed(void *, enum store_rc rc)
{
	fail_msg("%s", store_rc_str(rc));
}

static const struct intent_ops ops = {on_changed, on_caught_up, on_failed};

static void open_place(struct place *p)
{
	rig_open(&p->rig);
	p->intent = NULL;
}

// As a daemon does that starts now.
static void start(struct place *p, const json_t *items)
{
	struct vault *vault;
	char err[256];

	p->intent = intent_new(p->rig.store, p->rig.base, &ops, p);
	assert_non_null(p->intent);
	while (!intent_ready(p->intent))
		assert_true(event_base_loop(p->rig.base, EVLOOP_ONCE) >= 0);
	vault = vault_new("/nowhere/master.key"); // none of these has a secret
	if (first_intent_load(
		    p->rig.store, p->rig.base, p->intent, vault, items, "box", err, sizeof(err)))
		fail_msg("%s", err);
	vault_free(vault);
}

static void stop(struct place *p)
{
	intent_free(p->intent);
	p->intent = NULL;
}

static void close_place(struct place *p)
{
	intent_free(p->intent);
	rig_close(&p->rig);
}

static json_t *streams(unsigned from, unsigned n)
{
	json_t *items = json_array();
	char name[32];

	for (unsigned i = from; i < from + n; i++) {
		snprintf(name, sizeof(name), "s%03u", i);
		json_array_append_new(
			items, json_pack("{s:s, s:{s:s}}", "noun", "stream", "doc", "name", name));
	}
	return items;
}

static unsigned count(struct place *p)
{
	struct intent_item item = {0};
	const char *after = NULL;
	unsigned n = 0;

	for (; intent_next(p->intent, DP_STREAM, after, &item); after = item.name)
		n++;
	return n;
}

static void an_empty_store_takes_all_of_it(void **)
{
	json_t *items = streams(0, 250); // more than a transaction holds
	struct place p;

	open_place(&p);
	start(&p, items);
	assert_int_equal(count(&p), 250);
	assert_string_equal(rig_list(&p.rig, "/sluice/1/meta/"), "");
	json_decref(items);
	close_place(&p);
}

static void a_route_has_the_node_in_its_name(void **)
{
	json_t *doc = json_pack("{s:s, s:s}", "stream", "a", "url", "udp://10.0.0.1:5000");
	json_t *items = json_pack("[{s:s, s:O}]", "noun", "route", "doc", doc);
	struct intent_item item;
	char id[DESIRED_ID_LEN];
	struct place p;

	open_place(&p);
	start(&p, items);
	desired_id_text(DP_ROUTE, desired_id(DP_ROUTE, doc, "box"), id);
	assert_true(intent_get(p.intent, DP_ROUTE, id, &item));
	assert_true(json_equal(item.doc, doc));
	json_decref(items);
	json_decref(doc);
	close_place(&p);
}

static void a_store_that_held_intent_is_left_alone(void **)
{
	json_t *first = streams(0, 1), *items = streams(1, 3);
	struct place p;

	open_place(&p);
	start(&p, first);
	stop(&p);
	// Even when all of it has been deleted since.
	assert_int_equal(rig_write(&p.rig, KEY "s000", 2, NULL), STORE_OK);
	start(&p, items);
	assert_int_equal(count(&p), 0);
	json_decref(first);
	json_decref(items);
	close_place(&p);
}

static void a_crash_in_the_middle_is_made_good(void **)
{
	json_t *items = streams(0, 5);
	struct place p;

	open_place(&p);
	// What is in the store when the daemon was killed after the mark and one object.
	assert_int_equal(rig_write(&p.rig, "/sluice/1/meta/first", 0, "{}"), STORE_OK);
	assert_int_equal(rig_write(&p.rig, KEY "s003", 0, "{\"name\":\"s003\"}"), STORE_OK);
	start(&p, items);
	assert_int_equal(count(&p), 5);
	assert_string_equal(rig_list(&p.rig, "/sluice/1/meta/"), "");
	json_decref(items);
	close_place(&p);
}

static void no_file_leaves_the_store_as_new(void **)
{
	json_t *none = json_array(), *items = streams(0, 2);
	struct place p;

	open_place(&p);
	start(&p, none);
	stop(&p);
	start(&p, items); // the next start may still have one
	assert_int_equal(count(&p), 2);
	json_decref(none);
	json_decref(items);
	close_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_store_takes_all_of_it),
		cmocka_unit_test(a_route_has_the_node_in_its_name),
		cmocka_unit_test(a_store_that_held_intent_is_left_alone),
		cmocka_unit_test(a_crash_in_the_middle_is_made_good),
		cmocka_unit_test(no_file_leaves_the_store_as_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
