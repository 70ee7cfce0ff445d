// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Subscribers that report everything as lost, for ever, on a stream that somebody else watches.

#include "worker_rig.h"

#include "test.h"

#include <string.h>

enum { NAGS = 300, LEN = 1300, PACKETS = 3000, NAG_EVERY = 10, HEADERS = 58 };

// A NAK of all from the first packet on, and beyond the newest: 2^30 of them.
static void nag(struct rig *r, struct rig_peer *p)
{
	uint8_t d[SRT_HDR + 8] = {0x80, 0x03};

	be32_put(d + 12, p->caller.peer_id);
	be32_put(d + SRT_HDR, (p->caller.isn & SEQ31_MASK) | 0x80000000u);
	be32_put(d + SRT_HDR + 4, seq31_add(p->caller.isn, (1u << 30) - 1));
	rig_inject(r, p, d, sizeof(d));
}

static void nag_all(struct rig *r, struct rig_peer **nags)
{
	for (unsigned i = 0; i < NAGS; i++)
		nag(r, nags[i]);
}

// What one subscriber may be sent again: half of the stream, and a latency's worth at once.
static uint64_t budget(void)
{
	uint64_t stream = (uint64_t)PACKETS * (LEN + HEADERS);
	uint64_t burst = 1000ull * (LEN + HEADERS) * RIG_LATENCY_MS / 1000;

	return stream / 2 + burst + 64 * 1500;
}

static void nags_get_their_budget_and_others_all(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub, *quiet, *nags[NAGS];
	struct path *p = &r->group->workers[0].path;
	uint64_t again;

	rig_stream(r, 0, 0);
	pub = rig_call(r, 0, true, 0);
	rig_run(r, 5);
	for (unsigned i = 0; i < NAGS; i++)
		nags[i] = rig_call(r, 0, false, 0);
	quiet = rig_call(r, 0, false, 0);
	rig_run(r, 30);
	for (unsigned i = 0; i < PACKETS; i++) {
		rig_publish(r, pub, 1 + i, LEN);
		rig_run(r, 1);
		if (i % NAG_EVERY == 0)
			nag_all(r, nags);
	}
	rig_run(r, 50);
	again = p->views[0].tx->retransmitted_packets * (LEN + HEADERS);
	assert_true(again > NAGS * budget() / 10); // they were served ...
	assert_true(again <= NAGS * budget());	   // ... so far
	assert_true(rig_drops(r, DP_DROP_NAK_BUDGET) + rig_drops(r, DP_DROP_NAK_REPEATED) > 0);
	assert_int_equal(quiet->n_got, PACKETS);
	assert_int_equal(srt_rcv_stats(&quiet->rcv)->missed, 0);
	assert_int_equal(srt_rcv_stats(&quiet->rcv)->duplicate, 0);
	assert_int_equal(r->n_down, 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nags_get_their_budget_and_others_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
