// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "io/port_mem.h"
#include "path/path.h"
#include "test.h"

#include <rte_mempool.h>

#include <stdlib.h>

enum { FRAMES = 1000, DESCS = 1 << 14 };

struct bed {
	struct path *p;
	struct path_regions regions;
	struct rte_mbuf *frames[FRAMES], *clones[FRAMES];
};

static int setup(void **state)
{
	static struct arena *arena;
	struct bed *b = calloc(1, sizeof(*b));
	char err[256];

	if (!arena) {
		assert_int_equal(arena_eal_start(48, err, sizeof(err)), 0);
		arena = arena_new("frames", FRAMES);
	}
	b->p = calloc(1, sizeof(*b->p));
	b->p->arena = arena;
	b->p->port = port_mem_open(DESCS);
	port_mem_defer(b->p->port, true);
	assert_true(retire_init(b->p, &b->regions));
	*state = b;
	return 0;
}

static unsigned in_use(const struct bed *b)
{
	return rte_mempool_in_use_count(arena_pool(b->p->arena)) +
	       rte_mempool_in_use_count(arena_clone_pool(b->p->arena));
}

static int teardown(void **state)
{
	struct bed *b = *state;

	assert_int_equal(in_use(b), 0);
	b->p->port->ops->close(b->p->port);
	path_regions_free(&b->regions);
	free(b->p);
	free(b);
	return 0;
}

// All frames there are, and a clone of each: as a worker has that owns one stream and follows
// another worker's.
static void take_all(struct bed *b)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		b->frames[i] = arena_copy(b->p->arena, (const uint8_t *)"media", 6);
		assert_non_null(b->frames[i]);
		b->clones[i] = arena_clone(b->p->arena, b->frames[i]);
		assert_non_null(b->clones[i]);
	}
}

static void send_one(struct bed *b)
{
	static const struct endpoint peer = {.port = 9};
	struct port_payload pl = {.data = (const uint8_t *)"media", .len = 5};
	struct line l;

	line_build_udp(&l, &(struct line_udp){.peer = peer});
	assert_int_equal(port_tx_fanout(b->p->port, LINE_UDP, &pl, 1, &l, 1), 1);
}

static void what_nothing_is_queued_of_goes_back_at_once(void **state)
{
	struct bed *b = *state;

	take_all(b);
	for (unsigned i = 0; i < FRAMES; i++)
		retire_frame(b->p, b->clones[i]);
	retire_frames(b->p, b->frames, FRAMES);
	assert_int_equal(in_use(b), 0);
}

// A port that completes nothing for as long as it likes holds everything there is, twice what the
// arena has of frames, and each stays until what was queued before it has been sent.
static void there_is_a_place_for_every_frame_and_clone(void **state)
{
	struct bed *b = *state;

	take_all(b);
	for (unsigned i = 0; i < FRAMES; i++) {
		send_one(b);
		retire_frame(b->p, b->clones[i]);
		retire_frames(b->p, &b->frames[i], 1);
	}
	retire_done(b->p);
	assert_int_equal(in_use(b), 2 * FRAMES);
	for (unsigned i = 0; i < FRAMES; i++)
		assert_string_equal(rte_pktmbuf_mtod(b->frames[i], const char *), "media");
	for (unsigned left = FRAMES; left;) {
		unsigned n = left < 7 ? left : 7;

		port_mem_complete(b->p->port, n);
		retire_done(b->p);
		left -= n;
		assert_int_equal(in_use(b), 2 * left);
	}
}

// The counters go on: many times around the places, also where 32 bits would have wrapped.
static void places_are_used_again(void **state)
{
	struct bed *b = *state;

	b->p->retired.head = b->p->retired.tail = UINT32_MAX - FRAMES;
	for (unsigned round = 0; round < 5; round++) {
		take_all(b);
		send_one(b);
		retire_frames(b->p, b->frames, FRAMES);
		send_one(b);
		for (unsigned i = 0; i < FRAMES; i++)
			retire_frame(b->p, b->clones[i]);
		port_mem_complete(b->p->port, 1);
		retire_done(b->p);
		assert_int_equal(in_use(b), FRAMES);
		port_mem_complete(b->p->port, 1);
		retire_done(b->p);
		assert_int_equal(in_use(b), 0);
	}
	assert_true(b->p->retired.tail > UINT32_MAX);
}

#define WITH_BED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(what_nothing_is_queued_of_goes_back_at_once),
		WITH_BED(there_is_a_place_for_every_frame_and_clone),
		WITH_BED(places_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
