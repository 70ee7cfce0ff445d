// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Bonded publishers through the whole path of a worker (srt-wire 15).

#include "base/seq.h"
#include "test.h"
#include "worker_rig.h"

#include <stdlib.h>

enum { LEN = 1316, GROUP = 5 };

struct bond {
	struct rig *r;
	struct rig_peer *links[2], *sub;
	uint32_t next; // stamp
};

static struct bond begin(unsigned n_workers, enum srt_suite suite)
{
	struct bond b = {.r = rig_new(n_workers), .next = 1};

	rig_stream(b.r, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		struct rig_peer *p = suite ? rig_call_secure(b.r, 0, true, i % n_workers, suite)
					   : rig_call(b.r, 0, true, i % n_workers);

		p->group = (struct srt_hs_group){.id = SRT_GROUP_BIT | GROUP,
			.type = SRT_GROUP_BROADCAST,
			.weight = (uint16_t)(i + 1)};
		b.links[i] = p;
	}
	b.sub = rig_call(b.r, 0, false, n_workers - 1);
	rig_run(b.r, 30);
	assert_true(b.links[0]->up && b.links[1]->up && b.sub->up);
	return b;
}

// A packet a millisecond, the same by each link that `by` names (a bit each).
static void send(struct bond *b, unsigned n, unsigned by)
{
	for (unsigned i = 0; i < n; i++, b->next++) {
		for (unsigned link = 0; link < 2; link++)
			if (by >> link & 1)
				rig_publish(b->r, b->links[link], b->next, LEN);
			else
				b->links[link]->next_seq = seq31_add(b->links[link]->next_seq, 1);
		rig_run(b->r, 1);
	}
}

static int by_seq(const void *x, const void *y)
{
	const struct rig_got *a = x, *b = y;

	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

// Everything from the first stamp on, once each, on a clock that never steps back.
static void whole(struct bond *b)
{
	struct rig_peer *p = b->sub;

	rig_run(b->r, 200);
	qsort(p->got, p->n_got, sizeof(p->got[0]), by_seq);
	assert_int_equal(p->n_got, b->next - 1);
	for (unsigned i = 0; i < p->n_got; i++) {
		assert_int_equal(p->got[i].stamp, i + 1);
		assert_true(!i || (int32_t)(p->got[i].ts - p->got[i - 1].ts) > 0);
	}
}

static const struct dp_stats_stream *stats(const struct bond *b)
{
	return (const void *)((const uint8_t *)b->r->stats + b->r->stats->off_streams);
}

static void both_links_are_one_publisher(void **)
{
	struct bond b = begin(1, SRT_CLEAR);

	assert_int_equal(b.links[0]->mirror.id, b.links[1]->mirror.id);
	assert_true(b.links[0]->mirror.id & SRT_GROUP_BIT);
	assert_int_not_equal(b.links[0]->mirror.id, b.links[0]->group.id);
	assert_int_equal(b.links[1]->mirror.weight, 2);
	assert_int_equal(b.links[1]->mirror.type, SRT_GROUP_BROADCAST);
	send(&b, 500, 3);
	whole(&b);
	assert_int_equal(stats(&b)->rx_packets, 500);
	assert_int_equal(stats(&b)->lost_packets, 0);
	assert_int_equal(rig_drops(b.r, DP_DROP_DUPLICATE), 0); // copies are what a group is for
	rig_free(b.r);
}

static void losses_of_either_do_not_show(void **)
{
	struct bond b = begin(1, SRT_CLEAR);

	send(&b, 100, 3);
	b.r->loss_in = b.r->loss_out = 100;
	send(&b, 2000, 3);
	b.r->loss_in = b.r->loss_out = 0;
	send(&b, 100, 3);
	whole(&b);
	assert_int_equal(stats(&b)->lost_packets, 0);
	rig_free(b.r);
}

static void a_link_that_dies_leaves_the_publisher(void **)
{
	for (unsigned dies = 0; dies < 2; dies++) {
		struct bond b = begin(1, SRT_CLEAR);

		send(&b, 200, 3);
		b.links[dies]->gone = true;
		send(&b, 6000, 3);
		assert_int_equal(b.r->n_down, 1);
		assert_int_equal(b.r->down_reason, DP_CLOSE_TIMEOUT);
		assert_int_not_equal(stats(&b)->publisher, 0);
		assert_int_equal(stats(&b)->publisher, b.r->publisher[0]);
		assert_int_equal(stats(&b)->state, DP_STREAM_LIVE);
		whole(&b);
		srt_conn_close(&b.links[!dies]->conn);
		rig_run(b.r, 5);
		assert_int_equal(b.r->n_down, 2);
		assert_int_equal(stats(&b)->publisher, 0);
		assert_int_equal(stats(&b)->state, DP_STREAM_IDLE);
		rig_free(b.r);
	}
}

// The links take turns, as a backup group's; whoever is active says goodbye at last.
static void the_active_link_changes(void **)
{
	struct bond b = begin(1, SRT_CLEAR);

	send(&b, 300, 1);
	send(&b, 300, 2);
	send(&b, 300, 1);
	srt_conn_close(&b.links[0]->conn);
	send(&b, 300, 2);
	whole(&b);
	assert_int_equal(stats(&b)->lost_packets, 0);
	rig_free(b.r);
}

static void a_link_comes_back(void **)
{
	struct bond b = begin(1, SRT_CLEAR);
	uint32_t mirror = b.links[0]->mirror.id;

	send(&b, 100, 3);
	srt_conn_close(&b.links[0]->conn);
	send(&b, 100, 2);
	assert_int_equal(b.r->n_down, 1);
	b.links[0] = rig_call_link(b.r, 0, 0, GROUP);
	b.links[0]->t0 = b.links[1]->t0;
	srt_caller_init(
		&b.links[0]->caller, b.r->now, 77, b.links[1]->next_seq, RIG_LATENCY_MS, 0, "p0");
	b.links[0]->next_seq = b.links[1]->next_seq;
	send(&b, 20, 2); // what is sent meanwhile does not come by the new one
	assert_true(b.links[0]->up);
	assert_int_equal(b.links[0]->mirror.id, mirror);
	send(&b, 100, 3);
	srt_conn_close(&b.links[1]->conn);
	send(&b, 300, 1);
	whole(&b);
	assert_int_equal(stats(&b)->lost_packets, 0);
	rig_free(b.r);
}

static void each_link_has_its_key(void **)
{
	static const enum srt_suite suites[] = {SRT_CTR_128, SRT_GCM_256};

	for (unsigned i = 0; i < 2; i++) {
		struct bond b = begin(1, suites[i]);

		assert_memory_not_equal(b.links[0]->keys.sek[0], b.links[1]->keys.sek[0], 16);
		send(&b, 100, 3);
		send(&b, 100, 1);
		send(&b, 100, 2);
		whole(&b);
		assert_int_equal(rig_drops(b.r, DP_DROP_UNDECRYPTABLE), 0);
		rig_free(b.r);
	}
}

static void links_may_land_on_several_workers(void **)
{
	struct bond b = begin(2, SRT_CLEAR);

	b.r->loss_in = 50;
	send(&b, 1000, 3);
	b.r->loss_in = 0;
	b.links[0]->gone = true;
	send(&b, 500, 3);
	whole(&b);
	assert_int_equal(stats(&b)->lost_packets, 0);
	rig_free(b.r);
}

static void links_are_not_without_number(void **)
{
	struct bond b = begin(1, SRT_CLEAR);
	struct rig_peer *more[8];

	for (unsigned i = 0; i < 8; i++)
		more[i] = rig_call_link(b.r, 0, 0, GROUP);
	rig_run(b.r, 30);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(more[i]->up, i < 6);
	send(&b, 100, 3);
	whole(&b);
	rig_free(b.r);
}

static void a_kick_ends_all_links(void **)
{
	struct bond b = begin(1, SRT_CLEAR);
	struct cmd kick = {.kind = CMD_KICK, .kick = {.reason = DP_CLOSE_KICKED}};

	send(&b, 10, 3);
	kick.kick.key = stats(&b)->publisher;
	assert_int_equal(rig_command(b.r, 0, &kick), 0);
	rig_run(b.r, 5);
	assert_int_equal(b.r->n_down, 2);
	assert_true(b.links[0]->closed && b.links[1]->closed);
	assert_int_equal(stats(&b)->publisher, 0);
	rig_free(b.r);
}

static void another_publisher_replaces_all_links(void **)
{
	struct bond b = begin(1, SRT_CLEAR);
	struct rig_peer *other;

	send(&b, 100, 3);
	other = rig_call(b.r, 0, true, 0);
	rig_run(b.r, 10);
	assert_true(other->up && b.links[0]->closed && b.links[1]->closed);
	assert_int_equal(b.r->n_down, 2);
	for (unsigned i = 0; i < 100; i++) {
		rig_publish(b.r, other, b.next++, LEN);
		rig_run(b.r, 1);
	}
	whole(&b);
	rig_free(b.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_links_are_one_publisher),
		cmocka_unit_test(losses_of_either_do_not_show),
		cmocka_unit_test(a_link_that_dies_leaves_the_publisher),
		cmocka_unit_test(the_active_link_changes),
		cmocka_unit_test(a_link_comes_back),
		cmocka_unit_test(each_link_has_its_key),
		cmocka_unit_test(links_may_land_on_several_workers),
		cmocka_unit_test(links_are_not_without_number),
		cmocka_unit_test(a_kick_ends_all_links),
		cmocka_unit_test(another_publisher_replaces_all_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
