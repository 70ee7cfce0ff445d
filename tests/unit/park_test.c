// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/park.h"

#include "test.h"

#include <string.h>

static struct park_entry entries[PARK_CAP];
static struct park park;

// Each caller from a network of its own.
static struct parked from(uint32_t caller_id, ts_us arrival)
{
	struct parked q = {.peer = endpoint_of_v4(caller_id << 8, 5000), .arrival = arrival};

	q.req.caller_id = caller_id;
	return q;
}

static int fresh(void **state)
{
	memset(entries, 0, sizeof(entries));
	park_init(&park, entries, 7);
	return 0;
}

static void a_repeat_finds_the_first(void **state)
{
	struct parked q = from(7, 1000);
	struct park_entry *e = park_add(&park, 1000, &q);
	struct endpoint other = q.peer;

	other.port++;
	assert_ptr_equal(park_find(&park, &q.peer, 7), e);
	assert_null(park_find(&park, &q.peer, 8));
	assert_null(park_find(&park, &other, 7));
}

static void a_full_pool_refuses_until_the_oldest_is_not_needed(void **state)
{
	struct parked q;
	struct park_entry *first = NULL;
	struct endpoint peer;

	for (uint32_t i = 0; i < PARK_CAP; i++) {
		q = from(i + 1, 1000);
		first = first ? first : park_add(&park, 1000, &q);
		if (i)
			assert_non_null(park_add(&park, 1000, &q));
	}
	q = from(99999, 2000);
	assert_null(park_add(&park, 2000, &q));
	park_refuse(&park, first, 2404);
	peer = first->p.peer;
	assert_null(park_add(&park, 1000 + PARK_KEEP_US - 1, &q));
	assert_ptr_equal(park_find(&park, &peer, 1), first);
	assert_ptr_equal(park_add(&park, 1000 + PARK_KEEP_US, &q), first);
	assert_null(park_find(&park, &peer, 1));
	assert_ptr_equal(park_find(&park, &q.peer, 99999), first);
}

// Conclusions of one address that were not admitted: half of the places stay for others, and its
// own come back as they grow old.
static void a_flood_from_one_address_keeps_nobody_else_out(void **state)
{
	struct parked q = from(1, 1000), other = from(2, 1000);
	struct park_entry *e;
	unsigned n = 0;

	while ((e = park_add(&park, 1000, &q))) {
		if (n++ % 2)
			park_refuse(&park, e, 2404);
		q.req.caller_id++;
	}
	assert_int_equal(n, PARK_CAP / 2);
	for (uint32_t i = 0; i < PARK_CAP / 2; i++) {
		other = from(1000 + i, 1000);
		e = park_add(&park, 1000, &other);
		assert_non_null(e);
		park_refuse(&park, e, 2404);
	}
	for (n = 0; n < PARK_CAP; n++)
		if (entries[n].state == PARK_WAITING)
			park_refuse(&park, &entries[n], 2404);
	for (n = 0; (e = park_add(&park, 1000 + PARK_KEEP_US, &q)); n++)
		q.req.caller_id++;
	assert_int_equal(n, PARK_CAP / 2);
	assert_non_null(park_find(&park, &q.peer, q.req.caller_id - 1));
}

static void who_is_admitted_counts_against_nobody(void **state)
{
	struct parked q = from(1, 1000);
	struct park_entry *e;

	for (unsigned i = 0; i < 3 * PARK_CAP; i++, q.req.caller_id++) {
		e = park_add(&park, 1000, &q);
		assert_non_null(e);
		park_leave(&park, e);
	}
	assert_null(park_find(&park, &q.peer, 7));
	assert_int_equal(share_held(&park.share, q.peer.ip), 0);
	assert_non_null(park_add(&park, 1000, &q));
	assert_int_equal(share_held(&park.share, q.peer.ip), 1);
}

static void an_answer_to_an_older_tenant_is_recognised(void **state)
{
	struct parked q = from(1, 0);
	struct park_entry *e = park_add(&park, 0, &q);
	uint32_t index = park_index(&park, e), generation = e->p.generation;

	assert_ptr_equal(park_waiting(&park, index, generation), e);
	assert_null(park_waiting(&park, index, generation + 1));
	park_refuse(&park, e, 2404);
	assert_null(park_waiting(&park, index, generation));
}

// Some wait for a hook, which takes as long as it likes: the others' places come back meanwhile.
static void one_that_waits_holds_back_nobody(void **state)
{
	struct parked q = from(1, 1000);
	struct park_entry *slow = park_add(&park, 1000, &q), *e;

	for (uint32_t i = 0; i < 2 * PARK_CAP; i++) {
		q = from(2 + i, 1000);
		e = park_add(&park, 1000, &q);
		assert_non_null(e);
		park_leave(&park, e);
	}
	assert_ptr_equal(park_find(&park, &slow->p.peer, 1), slow);
	assert_int_equal(slow->state, PARK_WAITING);
	assert_int_equal(park.used, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_repeat_finds_the_first, fresh),
		cmocka_unit_test_setup(a_full_pool_refuses_until_the_oldest_is_not_needed, fresh),
		cmocka_unit_test_setup(a_flood_from_one_address_keeps_nobody_else_out, fresh),
		cmocka_unit_test_setup(who_is_admitted_counts_against_nobody, fresh),
		cmocka_unit_test_setup(an_answer_to_an_older_tenant_is_recognised, fresh),
		cmocka_unit_test_setup(one_that_waits_holds_back_nobody, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
