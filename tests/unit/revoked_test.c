// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// As many revoked tokens as are kept (decisions B9): what they cost those who come in, and where
// they end.

#include "control_rig.h"
#include "ctl/dp/dp_id.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t now_s(void)
{
	return (uint64_t)time(NULL);
}

static struct dp_policy revocation(unsigned i, uint64_t until_s)
{
	char id[DP_USER_MAX];
	struct dp_policy p;

	snprintf(id, sizeof(id), "%012llx", i * 0x9e3779b97f4aull & 0xffffffffffffull);
	p = rig_policy(DP_POLICY_REVOKED, id, 0);
	p.until_s = until_s;
	return p;
}

// What the dataplane says; *why: its sentence.
static int revoke(struct rig *r, const struct dp_policy *p, char why[DP_ERROR_MAX])
{
	char identity[DP_USER_MAX + 16];
	struct dp_obj o = {.kind = DP_POLICY};

	snprintf(identity, sizeof(identity), "token %s", p->name);
	o.id = dp_id(identity);
	o.version = dp_version(p, sizeof(*p));
	return object_set(r->c, &o, p, why, DP_ERROR_MAX);
}

// The i-th ends at until_s(i).
static void fill(struct rig *r, uint64_t first_ends_s)
{
	char why[DP_ERROR_MAX];

	for (unsigned i = 0; i < DP_REVOKED_MAX; i++) {
		struct dp_policy p = revocation(i, i ? now_s() + 3600 : first_ends_s);

		assert_int_equal(revoke(r, &p, why), 0);
	}
	rig_settle(r);
	assert_int_equal(r->c->policies.n_revoked, DP_REVOKED_MAX);
}

static int fresh(void **state)
{
	*state = rig_new();
	return 0;
}

static int leave(void **state)
{
	rig_free(*state);
	return 0;
}

static void one_more_is_refused_in_words(void **state)
{
	struct rig *r = *state;
	struct dp_policy more = revocation(DP_REVOKED_MAX, now_s() + 3600), again;
	char why[DP_ERROR_MAX] = "";

	fill(r, now_s() + 3600);
	assert_int_equal(revoke(r, &more, why), -ENOSPC);
	assert_string_equal(why, "10240 tokens and keys are revoked already");
	again = revocation(7, now_s() + 7200); // that is there, and stays for longer
	assert_int_equal(revoke(r, &again, why), 0);
	assert_int_equal(r->c->policies.n_revoked, DP_REVOKED_MAX);
	assert_null(policy_find(r->c, DP_POLICY_REVOKED, more.name));
}

static void who_has_ended_makes_room(void **state)
{
	struct rig *r = *state;
	struct dp_policy first = revocation(0, 0),
			 more = revocation(DP_REVOKED_MAX, now_s() + 3600);
	char why[DP_ERROR_MAX];

	fill(r, now_s() - 1);
	assert_int_equal(revoke(r, &more, why), 0);
	assert_null(policy_find(r->c, DP_POLICY_REVOKED, first.name));
	assert_non_null(policy_find(r->c, DP_POLICY_REVOKED, more.name));
	more = revocation(DP_REVOKED_MAX + 1, now_s() + 3600);
	assert_int_equal(revoke(r, &more, why), -ENOSPC);
}

static unsigned in_bucket(const struct control *c, unsigned i)
{
	unsigned n = 0;

	for (const struct object *o = c->policies.buckets[i]; o; o = o->next)
		n++;
	return n;
}

// Whoever comes in is looked for in one bucket: 2.4 on average, and no bucket is long.
static void looking_one_up_stays_cheap(void **state)
{
	struct rig *r = *state;
	unsigned longest = 0, all = 0;

	fill(r, now_s() + 3600);
	for (unsigned i = 0; i < POLICY_BUCKETS; i++) {
		unsigned n = in_bucket(r->c, i);

		longest = n > longest ? n : longest;
		all += n;
	}
	assert_int_equal(all, DP_REVOKED_MAX);
	assert_in_range(longest, 3, 16);
	for (unsigned i = 0; i < DP_REVOKED_MAX; i++) {
		struct dp_policy p = revocation(i, 0);

		assert_non_null(policy_find(r->c, DP_POLICY_REVOKED, p.name));
		assert_null(policy_find(r->c, DP_POLICY_USER, p.name));
	}
}

static void all_of_them_can_go_again(void **state)
{
	struct rig *r = *state;

	fill(r, now_s() + 3600);
	for (unsigned i = 0; i < DP_REVOKED_MAX; i++) {
		struct dp_policy p = revocation(i, 0);
		char identity[DP_USER_MAX + 16];

		snprintf(identity, sizeof(identity), "token %s", p.name);
		assert_int_equal(rig_del(r, DP_POLICY, identity), 0);
	}
	assert_int_equal(r->c->policies.n_revoked, 0);
	for (unsigned i = 0; i < POLICY_BUCKETS; i++)
		assert_null(r->c->policies.buckets[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_more_is_refused_in_words),
		TEST(who_has_ended_makes_room),
		TEST(looking_one_up_stays_cheap),
		TEST(all_of_them_can_go_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
