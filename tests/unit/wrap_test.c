// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Sequence numbers, message numbers and timestamps wrap while somebody joins: through whole
// workers, clear and encrypted, nothing is missing.

#include "base/seq.h"
#include "test.h"
#include "worker_rig.h"

#include <stdlib.h>

enum { LEN = 1200, JOINS = 6 };

#define TS_WRAP (1ull << 32) // microseconds

static void stream_for(struct rig *r, struct rig_peer *pub, unsigned n, uint32_t *stamp)
{
	while (n--) {
		rig_publish(r, pub, ++*stamp, LEN);
		rig_run(r, 1);
	}
}

static int by_seq(const void *a, const void *b)
{
	const struct rig_got *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

// Everything from the first that it got to the last that was sent, in numbers that follow.
// Returns whether the message numbers and the timestamps have wrapped meanwhile.
static void whole(struct rig_peer *p, uint32_t last, bool *msgno, bool *ts)
{
	qsort(p->got, p->n_got, sizeof(p->got[0]), by_seq);
	assert_true(p->n_got > 0);
	assert_int_equal(p->got[p->n_got - 1].stamp, last);
	assert_int_equal(p->n_clear + p->n_undecryptable, 0);
	assert_int_equal(srt_rcv_given_up(&p->rcv), 0);
	*msgno = *ts = false;
	for (unsigned i = 1; i < p->n_got; i++) {
		const struct rig_got *a = &p->got[i - 1], *b = &p->got[i];

		assert_int_equal(b->seq, a->seq + 1);
		assert_int_equal(b->stamp, a->stamp + 1);
		assert_int_equal(b->msgno, a->msgno == MSGNO_MAX ? 1 : a->msgno + 1);
		assert_true((int32_t)(b->ts - a->ts) > 0);
		*msgno |= b->msgno < a->msgno;
		*ts |= b->ts < a->ts;
	}
}

// A player whose own first number is `before` its wrap.
static struct rig_peer *join(struct rig *r, unsigned i, uint32_t before)
{
	struct rig_peer *p = i & 1 ? rig_call_secure(r, 0, false, i % r->n_workers, SRT_CTR_128)
				   : rig_call(r, 0, false, i % r->n_workers);

	p->caller.isn = SEQ31_MASK - before;
	return p;
}

// The stream's numbers begin shortly before a limit of theirs.
static void stream_from(struct rig *r, uint64_t first)
{
	struct path *p = &r->group->workers[0].path;
	struct stream *s = rig_stream(r, 0, 0);

	view_open(&p->views[0], s, true, p->views[0].history.e, first);
}

// Multiples of 2^26, where message numbers wrap too. Joins from 120 packets before the wrap to 120
// behind it, every 48; each player's own sequence numbers wrap early on, or late.
static void joins_around_a_wrap_of_the_streams_numbers(void **state)
{
	static const uint64_t limits[] = {
		1u << 26, 1u << 31, (1ull << 31) + (1u << 26), 1ull << 32};

	for (unsigned row = 0; row < 4; row++)
		for (unsigned workers = 1; workers <= 2; workers++) {
			struct rig *r = rig_new(workers);
			struct rig_peer *pub, *early, *p[JOINS];
			uint32_t stamp = 0;
			bool msgno, ts;

			stream_from(r, limits[row] - 200);
			early = join(r, 0, 150);
			pub = rig_call_secure(r, 0, true, 0, SRT_CTR_256);
			rig_run(r, 10);
			stream_for(r, pub, 80, &stamp);
			for (unsigned i = 0; i < JOINS; i++) {
				p[i] = join(r, i, 2 + 60 * i);
				stream_for(r, pub, 48, &stamp);
			}
			r->loss_in = r->loss_out = 20;
			stream_for(r, pub, 200, &stamp);
			r->loss_in = r->loss_out = 0;
			stream_for(r, pub, 200, &stamp);
			rig_run(r, 50);
			whole(early, stamp, &msgno, &ts);
			assert_int_equal(early->got[0].stamp, 1);
			assert_true(msgno);
			for (unsigned i = 0; i < JOINS; i++) {
				whole(p[i], stamp, &msgno, &ts);
				assert_true(p[i]->got[0].stamp <= 80 + 48 * (i + 1));
			}
			rig_free(r);
		}
}

// A publisher whose first number is that close to its wrap.
static void a_publisher_begins_before_its_wrap(void **state)
{
	for (uint32_t before = 0; before < 4; before++) {
		struct rig *r = rig_new(2);
		struct rig_peer *pub, *sub;
		uint32_t stamp = 0;
		bool msgno, ts;

		rig_stream(r, 0, 0);
		pub = rig_call(r, 0, true, 1); // lands elsewhere than its stream
		pub->caller.isn = pub->next_seq = SEQ31_MASK - before;
		sub = join(r, 1, before);
		rig_run(r, 20);
		r->loss_in = r->loss_out = 50;
		stream_for(r, pub, 300, &stamp);
		r->loss_in = r->loss_out = 0;
		stream_for(r, pub, 100, &stamp);
		rig_run(r, 50);
		whole(sub, stamp, &msgno, &ts);
		assert_int_equal(sub->n_got, stamp);
		rig_free(r);
	}
}

// 70 minutes of a packet every 0.9 s, until clocks of all that were there at the start are about to
// wrap; then one a millisecond, and joins around it.
static void timestamps_wrap_during_a_session(void **state)
{
	struct rig *r = rig_new(2);
	struct rig_peer *pub, *there[2], *p[JOINS];
	uint32_t stamp = 0;
	bool msgno, ts;

	rig_stream(r, 0, 0);
	pub = rig_call(r, 0, true, 0);
	there[0] = join(r, 0, 5000);
	there[1] = join(r, 1, 5000);
	rig_run(r, 10);
	while (r->now - pub->t0 + 100 * (ts_us)TS_S + 2 * TS_S < TS_WRAP) {
		stream_for(r, pub, 1, &stamp);
		r->now += 900 * TS_MS;
		rig_run(r, 1);
	}
	r->now = pub->t0 + TS_WRAP - 100 * (ts_us)TS_S - 200 * TS_MS;
	rig_run(r, 1);
	stream_for(r, pub, 50, &stamp);
	for (unsigned i = 0; i < JOINS; i++) {
		p[i] = join(r, i, 2 + 60 * i);
		stream_for(r, pub, 50, &stamp);
	}
	r->loss_in = r->loss_out = 20;
	stream_for(r, pub, 200, &stamp);
	r->loss_in = r->loss_out = 0;
	stream_for(r, pub, 200, &stamp);
	rig_run(r, 50);
	assert_int_equal(r->n_down, 0);
	for (unsigned i = 0; i < 2; i++) {
		whole(there[i], stamp, &msgno, &ts);
		assert_int_equal(there[i]->n_got, stamp);
		assert_true(ts);
	}
	for (unsigned i = 0; i < JOINS; i++)
		whole(p[i], stamp, &msgno, &ts);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_around_a_wrap_of_the_streams_numbers),
		cmocka_unit_test(a_publisher_begins_before_its_wrap),
		cmocka_unit_test(timestamps_wrap_during_a_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
