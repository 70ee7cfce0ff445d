// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_window.h"

#include "base/rand.h"
#include "test.h"

#include <string.h>

static struct srt_window w;

static int init(void **)
{
	srt_window_init(&w);
	return 0;
}

static void holes_open_and_close(void **)
{
	uint64_t first, last;

	assert_int_equal(srt_window_put(&w, 0), SRT_WINDOW_NEW);
	assert_int_equal(srt_window_put(&w, 3), SRT_WINDOW_NEW);
	assert_int_equal(srt_window_put(&w, 5), SRT_WINDOW_NEW);
	assert_true(w.hole == 1 && w.next == 6 && w.missing == 3);
	assert_true(srt_window_missing(&w, 0, 100, &first, &last));
	assert_true(first == 1 && last == 2);
	assert_true(srt_window_missing(&w, last + 1, 100, &first, &last));
	assert_true(first == 4 && last == 4);
	assert_false(srt_window_missing(&w, last + 1, 100, &first, &last));
	assert_int_equal(srt_window_put(&w, 2), SRT_WINDOW_FILLED);
	assert_int_equal(srt_window_put(&w, 2), SRT_WINDOW_DUPLICATE);
	assert_int_equal(srt_window_put(&w, 1), SRT_WINDOW_FILLED);
	assert_int_equal(w.hole, 4);
	assert_int_equal(srt_window_put(&w, 0), SRT_WINDOW_DUPLICATE);
	assert_int_equal(srt_window_put(&w, 4), SRT_WINDOW_FILLED);
	assert_true(w.hole == 6 && !w.missing);
}

static void what_was_given_up_is_listed_once(void **)
{
	uint64_t first, last;

	srt_window_put(&w, 9);
	srt_window_put(&w, 5);
	assert_int_equal(srt_window_drop(&w, 0, 7), 7);
	assert_int_equal(w.hole, 8);
	assert_int_equal(srt_window_put(&w, 3), SRT_WINDOW_LATE);
	assert_int_equal(srt_window_put(&w, 5), SRT_WINDOW_DUPLICATE);
	assert_true(srt_window_given_up(&w, &first, &last));
	assert_true(first == 0 && last == 4);
	assert_true(srt_window_given_up(&w, &first, &last));
	assert_true(first == 6 && last == 7);
	assert_false(srt_window_given_up(&w, &first, &last));
	srt_window_put(&w, 8);
	assert_false(srt_window_given_up(&w, &first, &last));
}

static void a_dropped_range_waits_for_the_hole_before_it(void **)
{
	uint64_t first, last;

	srt_window_put(&w, 0);
	srt_window_put(&w, 9);
	assert_int_equal(srt_window_drop(&w, 3, 4), 2);
	assert_true(w.hole == 1 && w.missing == 6);
	assert_false(srt_window_given_up(&w, &first, &last));
	assert_int_equal(srt_window_put(&w, 4), SRT_WINDOW_LATE);
	srt_window_put(&w, 1);
	srt_window_put(&w, 2);
	assert_int_equal(w.hole, 5);
	assert_true(srt_window_given_up(&w, &first, &last));
	assert_true(first == 3 && last == 4);
}

static void dropping_what_was_never_seen_moves_the_window(void **)
{
	srt_window_put(&w, 0);
	assert_int_equal(srt_window_drop(&w, 2, 3), 0); // 1 might still come: not ours to judge
	assert_int_equal(srt_window_drop(&w, 1, 4), 4);
	assert_true(w.hole == 5 && w.next == 5);
	assert_int_equal(srt_window_drop(&w, 5, 5 + SRT_WINDOW), 0); // too far
	assert_int_equal(w.next, 5);
}

static void the_window_has_an_end(void **)
{
	srt_window_put(&w, 1);
	assert_int_equal(srt_window_put(&w, SRT_WINDOW), SRT_WINDOW_AHEAD);
	assert_int_equal(srt_window_put(&w, SRT_WINDOW - 1), SRT_WINDOW_NEW);
	assert_int_equal(w.missing, SRT_WINDOW - 2);
	assert_int_equal(srt_window_put(&w, 0), SRT_WINDOW_FILLED);
	assert_int_equal(srt_window_put(&w, SRT_WINDOW), SRT_WINDOW_NEW);
}

static void a_jump_gives_up_what_lies_between(void **)
{
	const uint64_t far = 3 * SRT_WINDOW + 77;
	uint64_t first, last;

	for (uint64_t s = 0; s < 100; s++)
		srt_window_put(&w, s);
	assert_false(srt_window_given_up(&w, &first, &last));
	assert_true(srt_window_jump(&w, far));
	assert_false(srt_window_jump(&w, 2 * far)); // not before the first has been listed
	assert_int_equal(srt_window_put(&w, far), SRT_WINDOW_NEW);
	assert_true(srt_window_given_up(&w, &first, &last));
	assert_true(first == 100 && last == far - 1);
	assert_false(srt_window_given_up(&w, &first, &last));
	assert_int_equal(srt_window_put(&w, far - 1), SRT_WINDOW_LATE);
	assert_int_equal(srt_window_put(&w, 50), SRT_WINDOW_LATE);
	assert_int_equal(srt_window_put(&w, far + 1), SRT_WINDOW_NEW);
}

// --- against a plain model ------------------------------------------------------------------

enum { MODEL = 60000, UNSEEN = 0, HERE, GONE };

struct model {
	uint8_t is[MODEL];
	uint64_t hole, next, listed;
};

static void model_settle(struct model *m)
{
	while (m->hole < m->next && m->is[m->hole] != UNSEEN)
		m->hole++;
}

static enum srt_window_put model_put(struct model *m, uint64_t s)
{
	bool is_new = s >= m->next;

	if (s >= m->hole + SRT_WINDOW)
		return SRT_WINDOW_AHEAD;
	if (s + SRT_WINDOW < m->next)
		return SRT_WINDOW_LATE;
	if (m->is[s] != UNSEEN)
		return m->is[s] == HERE ? SRT_WINDOW_DUPLICATE : SRT_WINDOW_LATE;
	m->is[s] = HERE;
	if (is_new)
		m->next = s + 1;
	model_settle(m);
	return is_new ? SRT_WINDOW_NEW : SRT_WINDOW_FILLED;
}

static void model_drop(struct model *m, uint64_t first, uint64_t last)
{
	if (first > m->next || last < m->hole || last >= m->hole + SRT_WINDOW)
		return;
	for (uint64_t s = first; s <= last; s++)
		if (s >= m->hole && m->is[s] == UNSEEN)
			m->is[s] = GONE;
	if (last >= m->next)
		m->next = last + 1;
	model_settle(m);
}

static void compare(struct model *m)
{
	uint64_t first, last, missing = 0, from = 0;

	assert_true(w.hole == m->hole && w.next == m->next);
	while (srt_window_missing(&w, from, w.next, &first, &last)) {
		assert_true(first >= from && (!first || first == m->hole || m->is[first - 1]));
		for (uint64_t s = first; s <= last; s++)
			assert_int_equal(m->is[s], UNSEEN);
		missing += last - first + 1;
		from = last + 1;
	}
	assert_int_equal(missing, w.missing);
	while (srt_window_given_up(&w, &first, &last)) {
		for (; m->listed < first; m->listed++)
			assert_int_equal(m->is[m->listed], HERE);
		for (; m->listed <= last; m->listed++)
			assert_int_equal(m->is[m->listed], GONE);
	}
	for (; m->listed < m->hole; m->listed++)
		assert_int_equal(m->is[m->listed], HERE);
}

// One step: mostly near the newest packet, sometimes far, sometimes a drop.
static void step(struct model *m, struct rand *r, uint32_t reach)
{
	uint64_t back = rand_below(r, reach), s = m->next + rand_below(r, 4);

	s = s > back ? s - back : 0;
	if (rand_below(r, 50) == 0) {
		uint64_t last = s + rand_below(r, reach);

		srt_window_drop(&w, s, last);
		model_drop(m, s, last);
		return;
	}
	if (rand_below(r, 500) == 0)
		s += rand_below(r, 2 * SRT_WINDOW);
	if (rand_below(r, 4) == 0)
		s = m->hole;
	assert_int_equal(srt_window_put(&w, s), model_put(m, s));
}

static void random_steps_match_a_plain_model(void **)
{
	static const uint32_t reach[] = {2, 40, 700, 9000};
	static struct model m;

	for (uint64_t seed = 0; seed < 40; seed++) {
		struct rand r = {seed};

		srt_window_init(&w);
		memset(&m, 0, sizeof(m));
		for (int i = 0; i < 3000 && m.next < MODEL - 4 * SRT_WINDOW; i++) {
			step(&m, &r, reach[seed % 4]);
			compare(&m);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(holes_open_and_close, init),
		cmocka_unit_test_setup(what_was_given_up_is_listed_once, init),
		cmocka_unit_test_setup(a_dropped_range_waits_for_the_hole_before_it, init),
		cmocka_unit_test_setup(dropping_what_was_never_seen_moves_the_window, init),
		cmocka_unit_test_setup(the_window_has_an_end, init),
		cmocka_unit_test_setup(a_jump_gives_up_what_lies_between, init),
		cmocka_unit_test_setup(random_steps_match_a_plain_model, init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
