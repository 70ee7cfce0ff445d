// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/rand.h"
#include "ctl/core/reconcile.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#define MOST 200

static struct desired_set want;
static struct applied have[MOST];
static struct reconcile_op ops[2 * MOST];
static size_t n_have;

static void wish(uint32_t kind, uint64_t id, uint64_t version)
{
	struct desired d = {.kind = kind, .id = id, .version = version};

	if (desired_set_find(&want, kind, id))
		return;
	assert_int_equal(desired_set_put(&want, &d), 0);
	desired_set_sort(&want);
}

static int by_kind_and_id(const void *a, const void *b)
{
	const struct applied *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

// Carry the operations out on what is there.
static void carry_out(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = 0;

		while (at < n_have && (have[at].kind != ops[i].kind || have[at].id != ops[i].id))
			at++;
		if (ops[i].del) {
			assert_true(at < n_have);
			have[at] = have[--n_have];
		} else {
			n_have = at == n_have ? n_have + 1 : n_have;
			have[at] = (struct applied){ops[i].kind, ops[i].id, ops[i].object->version};
		}
	}
	qsort(have, n_have, sizeof(*have), by_kind_and_id);
}

static int setup(void **state)
{
	(void)state;
	desired_set_free(&want);
	n_have = 0;
	return 0;
}

static void equal_needs_nothing(void **state)
{
	struct dp_hello_r report = {0};

	(void)state;
	assert_int_equal(reconcile(&want, have, 0, ops), 0);
	assert_true(reconcile_is_equal(&want, &report));
	wish(DP_STREAM, 5, 1);
	have[n_have++] = (struct applied){DP_STREAM, 5, 1};
	assert_int_equal(reconcile(&want, have, n_have, ops), 0);
	assert_false(reconcile_is_equal(&want, &report));
	report.digest[DP_STREAM] = dp_mix(5, 1);
	report.count[DP_STREAM] = 1;
	assert_true(reconcile_is_equal(&want, &report));
	report.digest[DP_STREAM] = dp_mix(5, 2);
	assert_false(reconcile_is_equal(&want, &report));
}

// A source that moves to another stream needs its port back first; a stream is there before what
// uses it and callers come last.
static void order_is_safe(void **state)
{
	static const struct {
		bool del;
		uint32_t kind;
	} order[] = {{true, DP_LISTENER}, {true, DP_SOURCE}, {true, DP_ROUTE}, {true, DP_STREAM},
		{false, DP_STREAM}, {false, DP_SOURCE}, {false, DP_ROUTE}, {false, DP_LISTENER}};

	(void)state;
	for (uint32_t k = DP_LISTENER; k <= DP_SOURCE; k++) {
		have[n_have++] = (struct applied){k, 1, 1};
		wish(k, 2, 1);
	}
	assert_int_equal(reconcile(&want, have, n_have, ops), 8);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(ops[i].del, order[i].del);
		assert_int_equal(ops[i].kind, order[i].kind);
	}
}

// Any two states: carrying the operations out leads from one to the other, and then rests.
static void leads_from_any_to_any(void **state)
{
	struct rand r = {20261123};

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t n;

		desired_set_free(&want);
		for (uint32_t i = 0, m = rand_below(&r, MOST); i < m; i++)
			wish(1 + rand_below(&r, 4), 1 + rand_below(&r, 30), 1 + rand_below(&r, 3));
		n = reconcile(&want, have, n_have, ops);
		carry_out(n);
		assert_int_equal(n_have, want.n);
		for (size_t i = 0; i < n_have; i++) {
			const struct desired *d = desired_set_find(&want, have[i].kind, have[i].id);

			assert_non_null(d);
			assert_int_equal(d->version, have[i].version);
		}
		assert_int_equal(reconcile(&want, have, n_have, ops), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(equal_needs_nothing, setup),
		cmocka_unit_test_setup(order_is_safe, setup),
		cmocka_unit_test_setup(leads_from_any_to_any, setup),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	desired_set_free(&want);
	return rc;
}
