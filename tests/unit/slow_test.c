// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Subscribers that cannot take their stream beside one that can, and what is answered to those that
// ask for packets the relay itself lacks (decisions A9).

#include "worker_rig.h"

#include "base/seq.h"
#include "test.h"

#include <string.h>

enum { LEN = 1316, RTT = 10000 };

// What the workers sent to a peer that is played by hand.
struct heard {
	unsigned media, again, dropreqs, shutdowns;
	uint32_t first, last; // of the last DROPREQ
};

static struct heard heard;
static struct rig_peer *pub, *good, *bad;

static void hear(struct rig *, const struct port_mem_desc *d)
{
	struct srt_ctrl c;

	if (d->kind == LINE_SRT) {
		heard.media++;
		heard.again += (be32_get(d->header + WIRE_MEDIA + 4) & SRT_WORD1_R) != 0;
		return;
	}
	if (srt_pkt_parse_ctrl(d->payload, d->payload_len, &c))
		return;
	heard.shutdowns += c.type == SRT_SHUTDOWN;
	if (c.type == SRT_DROPREQ) {
		heard.dropreqs++;
		assert_int_equal(srt_dropreq_parse(&c, &heard.first, &heard.last), 0);
	}
}

static void say(struct rig *r, enum srt_type type, uint32_t info, const uint32_t *words, unsigned n)
{
	uint8_t d[64];
	struct bytes_out b = bytes_out_of(d, sizeof(d));

	srt_pkt_put_ctrl(&b, type, info, 0, bad->caller.peer_id);
	for (unsigned i = 0; i < n; i++)
		bytes_put_u32(&b, words[i]);
	rig_inject(r, bad, d, bytes_out_len(&b));
}

static void keepalive(struct rig *r)
{
	say(r, SRT_KEEPALIVE, 0, (uint32_t[]){0}, 1);
}

static void ack(struct rig *r, uint32_t number, uint32_t packets)
{
	uint32_t next = seq31_add(bad->caller.isn, packets);

	say(r, SRT_ACK, number, (uint32_t[]){next, RTT, 0, 8000}, 4);
}

static void nak(struct rig *r, uint32_t first, uint32_t last)
{
	uint32_t isn = bad->caller.isn;

	say(r, SRT_NAK, 0, (uint32_t[]){seq31_add(isn, first) | 0x80000000u, seq31_add(isn, last)},
		2);
}

// A publisher, a subscriber as it should be, and one that from now on does only what it is told.
static struct rig *begin(void)
{
	struct rig *r = rig_new(1);

	memset(&heard, 0, sizeof(heard));
	r->on_push = hear;
	rig_stream(r, 0, 0)->cfg.slow_us = 2 * TS_S;
	pub = rig_call(r, 0, true, 0);
	good = rig_call(r, 0, false, 0);
	bad = rig_call(r, 0, false, 0);
	rig_run(r, 20);
	assert_int_equal(r->n_up, 3);
	r->n_peers = 2;
	ack(r, 40, 0); // beyond those that count as reports where they stand
	return r;
}

static void end(struct rig *r)
{
	r->n_peers = 3;
	rig_free(r);
}

// One packet in 10 ms. Of all of them nothing may be missing where it should not.
static uint32_t n_sent;

static void play(struct rig *r, unsigned seconds, void (*each)(struct rig *))
{
	for (unsigned i = 0; i < 100 * seconds; i++) {
		rig_publish(r, pub, ++n_sent, LEN);
		rig_run(r, 10);
		if (i % 50 == 0)
			each(r);
	}
}

static void good_has_all(const struct rig *r)
{
	assert_false(good->closed);
	assert_int_equal(good->n_got, n_sent);
	assert_int_equal(srt_rcv_stats(&good->rcv)->missed, 0);
	assert_int_equal(srt_rcv_stats(&good->rcv)->duplicate, 0);
	assert_int_equal(rig_drops(r, DP_DROP_TX_FULL), 0);
}

static int forget(void **)
{
	n_sent = 0;
	return 0;
}

static void one_that_acknowledges_nothing_is_closed(void **)
{
	struct rig *r = begin();

	play(r, 1, keepalive);
	assert_int_equal(r->n_down, 0);
	play(r, 3, keepalive);
	assert_int_equal(r->n_down, 1);
	assert_int_equal(r->down_reason, DP_CLOSE_STUCK);
	assert_int_equal(heard.shutdowns, 1);
	assert_int_equal(rig_drops(r, DP_DROP_CLOSED_STUCK), 1);
	good_has_all(r);
	end(r);
}

static void ack_all(struct rig *r)
{
	ack(r, 40 + n_sent, n_sent);
}

static void one_that_does_is_not_and_a_pause_is_none_of_its_doing(void **)
{
	struct rig *r = begin();

	play(r, 5, ack_all);
	ack_all(r);
	for (unsigned i = 0; i < 50; i++) {
		rig_run(r, 100);
		keepalive(r);
	}
	play(r, 2, ack_all);
	assert_int_equal(r->n_down, 0);
	good_has_all(r);
	end(r);
}

static void nothing(struct rig *)
{
}

static void one_that_says_nothing_is_closed_after_five_seconds(void **)
{
	struct rig *r = begin();

	rig_run(r, 1);
	r->streams[0].cfg.slow_us = 60 * TS_S;
	play(r, 4, nothing);
	assert_int_equal(r->n_down, 0);
	play(r, 2, nothing);
	assert_int_equal(r->n_down, 1);
	assert_int_equal(r->down_reason, DP_CLOSE_TIMEOUT);
	assert_int_equal(rig_drops(r, DP_DROP_CLOSED_SILENT), 1);
	good_has_all(r);
	end(r);
}

static void want_all(struct rig *r)
{
	ack(r, 40 + n_sent, n_sent > 90 ? n_sent - 90 : 0);
	for (unsigned i = 0; i < 20; i++) { // more than any budget
		rig_run(r, 1);
		nak(r, n_sent > 100 ? n_sent - 100 : 0, n_sent);
	}
}

static void one_that_wants_everything_again_is_closed(void **)
{
	struct rig *r = begin();

	play(r, 3, want_all);
	assert_true(heard.again > 0 && rig_drops(r, DP_DROP_NAK_BUDGET) > 0);
	assert_int_equal(r->n_down, 0);
	play(r, 8, want_all);
	assert_int_equal(r->n_down, 1);
	assert_int_equal(r->down_reason, DP_CLOSE_GREEDY);
	assert_int_equal(rig_drops(r, DP_DROP_CLOSED_GREEDY), 1);
	good_has_all(r);
	end(r);
}

// --- what the relay itself lacks -------------------------------------------------------------

static void lose_one(struct rig *r)
{
	r->loss_in = 1000;
	rig_publish(r, pub, ++n_sent, LEN);
	r->loss_in = 0;
}

static void play_ms(struct rig *r, unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		rig_publish(r, pub, ++n_sent, LEN);
		rig_run(r, 1);
	}
}

static void a_hole_that_may_still_be_filled_is_waited_for(void **)
{
	struct rig *r = begin();
	uint32_t seq;

	play_ms(r, 50);
	seq = pub->next_seq;
	lose_one(r);	    // it is packet 50
	r->loss_out = 1000; // nobody hears that it is missing, so nobody sends it again
	play_ms(r, 5);
	nak(r, 50, 50);
	nak(r, 50, 50);
	rig_run(r, 1);
	assert_int_equal(rig_drops(r, DP_DROP_NAK_PENDING), 2);
	assert_int_equal(heard.dropreqs + heard.again, 0);
	assert_int_equal(heard.media, 55);
	r->loss_out = 0;
	rig_send_again(r, pub, seq);
	rig_run(r, 2);
	assert_int_equal(heard.media, 56); // once, as a first copy
	assert_int_equal(heard.again, 0);
	rig_run(r, 2 * RTT / 1000);
	nak(r, 50, 50);
	rig_run(r, 1);
	assert_int_equal(heard.again, 1); // from now on it is like any other
	end(r);
}

static void one_that_will_never_come_is_said_so(void **)
{
	struct rig *r = begin();
	uint64_t pending;

	play_ms(r, 50);
	lose_one(r);
	be32_put(pub->history[(pub->next_seq - 1) % 4096] + 12, 99); // its repairs go astray
	play_ms(r, RIG_LATENCY_MS + 10);
	assert_int_equal(heard.dropreqs, 1); // unasked, to everybody
	assert_int_equal(heard.first, seq31_add(bad->caller.isn, 50));
	assert_int_equal(heard.last, heard.first);
	assert_int_equal(srt_rcv_given_up(&good->rcv), 1);
	pending = rig_drops(r, DP_DROP_NAK_PENDING); // the other one's
	assert_true(pending > 0);
	nak(r, 50, 50);
	rig_run(r, 1);
	assert_int_equal(heard.dropreqs, 2); // and whenever somebody asks
	assert_int_equal(heard.last, seq31_add(bad->caller.isn, 50));
	assert_int_equal(rig_drops(r, DP_DROP_NAK_PENDING), pending);
	end(r);
}

static void what_is_too_old_is_dropped_by_one_request(void **)
{
	struct rig *r = begin();

	play_ms(r, 500);
	nak(r, 3, 12);
	rig_run(r, 1);
	assert_int_equal(heard.dropreqs, 1);
	assert_int_equal(heard.first, seq31_add(bad->caller.isn, 3));
	assert_int_equal(heard.last, seq31_add(bad->caller.isn, 12));
	assert_int_equal(heard.again, 0);
	end(r);
}

static void what_was_not_sent_yet_is_not_answered(void **)
{
	struct rig *r = begin();

	play_ms(r, 50);
	nak(r, 50, 5000);
	rig_run(r, 1);
	assert_int_equal(heard.dropreqs + heard.again, 0);
	assert_int_equal(heard.media, 50);
	end(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_that_acknowledges_nothing_is_closed, forget),
		cmocka_unit_test_setup(
			one_that_does_is_not_and_a_pause_is_none_of_its_doing, forget),
		cmocka_unit_test_setup(one_that_says_nothing_is_closed_after_five_seconds, forget),
		cmocka_unit_test_setup(one_that_wants_everything_again_is_closed, forget),
		cmocka_unit_test_setup(a_hole_that_may_still_be_filled_is_waited_for, forget),
		cmocka_unit_test_setup(one_that_will_never_come_is_said_so, forget),
		cmocka_unit_test_setup(what_is_too_old_is_dropped_by_one_request, forget),
		cmocka_unit_test_setup(what_was_not_sent_yet_is_not_answered, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
