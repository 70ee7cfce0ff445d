// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "test.h"

#include <rte_eal.h>
#include <rte_lcore.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 2048 };

static int start(void **)
{
	cpu_set_t before, after;
	char err[128] = "";

	if (arena_eal_start(1, err, sizeof(err)) != -EINVAL || !*err)
		return -1;
	sched_getaffinity(0, sizeof(before), &before);
	if (arena_eal_start(48, err, sizeof(err))) {
		print_error("%s\n", err);
		return -1;
	}
	sched_getaffinity(0, sizeof(after), &after);
	return CPU_EQUAL(&before, &after) ? 0 : -1;
}

static void frames_are_aligned_chunks_of_one_region(void **)
{
	struct arena *a = arena_new("aligned", FRAMES);
	struct rte_mbuf *m[FRAMES];
	uintptr_t low = UINTPTR_MAX, high = 0;

	assert_non_null(a);
	for (int i = 0; i < FRAMES; i++) {
		uintptr_t at;

		m[i] = rte_pktmbuf_alloc(arena_pool(a));
		assert_non_null(m[i]);
		at = (uintptr_t)m[i]->buf_addr;
		assert_int_equal(at % ARENA_FRAME, 0);
		assert_true(rte_pktmbuf_headroom(m[i]) >= 64);
		assert_int_equal(rte_pktmbuf_tailroom(m[i]), ARENA_ROOM);
		memset(m[i]->buf_addr, i, ARENA_FRAME);
		low = at < low ? at : low;
		high = at > high ? at : high;
	}
	assert_int_equal(high - low, (FRAMES - 1) * ARENA_FRAME);
	assert_null(rte_pktmbuf_alloc(arena_pool(a)));
	rte_pktmbuf_free_bulk(m, FRAMES);
	assert_int_equal(rte_mempool_avail_count(arena_pool(a)), FRAMES);
	arena_free(a);
}

// A history of 100 frames, going on for long, stays within the memory of a few hundred.
static void frames_in_use_stay_close_together(void **)
{
	enum { N = 8192, HELD = 100, CACHE = 256 };
	static bool seen[N + N];
	struct arena *a = arena_new("close", N);
	struct rte_mbuf *held[HELD] = {0};
	uintptr_t base = 0;
	unsigned distinct = 0;

	assert_non_null(a);
	for (unsigned i = 0; i < 20000; i++) {
		uintptr_t at;

		rte_pktmbuf_free(held[i % HELD]);
		held[i % HELD] = rte_pktmbuf_alloc(arena_pool(a));
		assert_non_null(held[i % HELD]);
		at = (uintptr_t)held[i % HELD]->buf_addr / ARENA_FRAME;
		base = base ? base : at - N;
		distinct += !seen[at - base];
		seen[at - base] = true;
	}
	assert_true(distinct <= HELD + 2 * CACHE);
	rte_pktmbuf_free_bulk(held, HELD);
	arena_free(a);
}

static void a_copy_holds_the_bytes(void **)
{
	struct arena *a = arena_new("copies", FRAMES);
	uint8_t data[ARENA_ROOM + 1];
	struct rte_mbuf *m;

	assert_non_null(a);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	m = arena_copy(a, data, ARENA_ROOM);
	assert_non_null(m);
	assert_int_equal(m->data_len, ARENA_ROOM);
	assert_int_equal(m->pkt_len, ARENA_ROOM);
	assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), data, ARENA_ROOM);
	assert_null(arena_copy(a, data, ARENA_ROOM + 1));
	rte_pktmbuf_free(m);
	assert_int_equal(rte_mempool_avail_count(arena_pool(a)), FRAMES);
	arena_free(a);
}

static void a_clone_never_writes_the_original(void **)
{
	struct arena *a = arena_new("clones", FRAMES);
	uint8_t before[sizeof(struct rte_mbuf)], payload[] = "the same bytes";
	struct rte_mbuf *m, *c;

	assert_non_null(a);
	m = arena_copy(a, payload, sizeof(payload));
	assert_non_null(m);
	memcpy(before, m, sizeof(before));
	for (int i = 0; i < 3 * FRAMES; i++) {
		c = arena_clone(a, m);
		assert_non_null(c);
		assert_ptr_equal(rte_pktmbuf_mtod(c, uint8_t *), rte_pktmbuf_mtod(m, uint8_t *));
		assert_int_equal(c->data_len, sizeof(payload));
		assert_int_equal(rte_mbuf_refcnt_read(c), 1);
		rte_mbuf_refcnt_update(c, 100); // as a fan-out does, chunk by chunk
		for (int k = 0; k < 100; k++)
			rte_pktmbuf_free(c);
		assert_memory_equal(m, before, sizeof(before));
		rte_pktmbuf_free(c);
	}
	assert_memory_equal(m, before, sizeof(before));
	assert_int_equal(rte_mempool_avail_count(arena_clone_pool(a)), FRAMES);
	assert_int_equal(rte_mempool_avail_count(arena_pool(a)), FRAMES - 1);
	rte_pktmbuf_free(m);
	arena_free(a);
}

static void *register_and_use(void *arg)
{
	struct arena *a = arg;
	struct rte_mbuf *m;
	bool ok;

	if (rte_thread_register())
		return NULL;
	m = rte_pktmbuf_alloc(arena_pool(a));
	ok = m && rte_lcore_id() != LCORE_ID_ANY && rte_lcore_id() != rte_get_main_lcore();
	rte_pktmbuf_free(m);
	rte_thread_unregister();
	return ok ? a : NULL;
}

static void our_own_threads_can_register(void **)
{
	struct arena *a = arena_new("threads", FRAMES);
	pthread_t t;
	void *ok;

	assert_non_null(a);
	assert_int_equal(pthread_create(&t, NULL, register_and_use, a), 0);
	assert_int_equal(pthread_join(t, &ok), 0);
	assert_ptr_equal(ok, a);
	arena_free(a);
}

static void nothing_is_left_in_the_run_directory(void **)
{
	assert_int_equal(access(rte_eal_get_runtime_dir(), F_OK), -1);
}

static void memory_is_bounded(void **)
{
	unsigned max = arena_frames_max();
	struct arena *a, *more;

	assert_int_equal(max, 20u << 20 >> 11);
	assert_null(arena_new("over", max + 1));
	assert_null(arena_new("none", 0));
	a = arena_new("all", max);
	assert_non_null(a);
	more = arena_new("more", 1);
	assert_null(more);
	arena_free(a);
	assert_int_equal(arena_frames_max(), max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_aligned_chunks_of_one_region),
		cmocka_unit_test(frames_in_use_stay_close_together),
		cmocka_unit_test(a_copy_holds_the_bytes),
		cmocka_unit_test(a_clone_never_writes_the_original),
		cmocka_unit_test(our_own_threads_can_register),
		cmocka_unit_test(nothing_is_left_in_the_run_directory),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
