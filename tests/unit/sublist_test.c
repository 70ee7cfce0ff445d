// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/sublist.h"

#include "base/rand.h"
#include "test.h"

#include <errno.h>

#include <string.h>

#define CHUNKS 8u
#define MEMBERS (CHUNKS * SUBLIST_CHUNK)

struct session {
	struct sublist_place place;
	uint8_t name[8];
};

static struct sublist_chunk chunks[CHUNKS];
static struct session members[MEMBERS];

static struct sublist_place *place_of(struct session *s)
{
	return &s->place;
}

static struct line line_of(const struct session *s)
{
	struct line l = {0};

	memcpy(l.b, &s, sizeof(s));
	return l;
}

static int add(struct sublist *l, struct sublist_pool *p, struct session *s)
{
	struct line line = line_of(s);

	return sublist_add(l, p, &line, s, &s->place);
}

// Every member stands where it says, with its own line; nobody else stands there.
static void check(const struct sublist *l)
{
	uint32_t n = 0;

	for (const struct sublist_chunk *c = l->head; c; c = c->next)
		for (uint32_t i = 0; i < c->n; i++, n++) {
			struct line line = line_of(c->who[i]);

			assert_ptr_equal(c->who[i]->place.chunk, c);
			assert_int_equal(c->who[i]->place.at, i);
			assert_memory_equal(&c->lines[i], &line, sizeof(line));
			assert_true(c->n == SUBLIST_CHUNK || c == l->tail);
		}
	assert_int_equal(n, l->n);
}

static void a_pool_that_is_used_up_says_so(void **state)
{
	struct sublist_pool p;
	struct sublist l = {0};

	sublist_pool_init(&p, chunks, 1);
	for (unsigned i = 0; i < SUBLIST_CHUNK; i++)
		assert_int_equal(add(&l, &p, &members[i]), 0);
	assert_int_equal(add(&l, &p, &members[SUBLIST_CHUNK]), -ENOSPC);
	check(&l);
	for (unsigned i = 0; i < SUBLIST_CHUNK; i++)
		sublist_del(&l, &p, &members[i].place, place_of);
	assert_null(l.head);
	assert_int_equal(add(&l, &p, &members[0]), 0);
}

static void any_order_of_joins_and_leaves_keeps_every_line(void **state)
{
	struct rand r = {.state = 1};
	struct sublist_pool p;
	struct sublist l = {0};

	memset(members, 0, sizeof(members));
	sublist_pool_init(&p, chunks, CHUNKS);
	for (unsigned round = 0; round < 20000; round++) {
		struct session *s = &members[rand_below(&r, MEMBERS)];

		if (s->place.chunk)
			sublist_del(&l, &p, &s->place, place_of);
		else
			assert_int_equal(add(&l, &p, s), 0);
		if (round % 64 == 0)
			check(&l);
	}
	check(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_that_is_used_up_says_so),
		cmocka_unit_test(any_order_of_joins_and_leaves_keeps_every_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
