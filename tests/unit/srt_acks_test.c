// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// How often a receiver acknowledges, by the state of the way: a publisher, a path with a round trip
// and a receiver under a virtual clock.

#include "proto/srt_rcv.h"

#include "base/seq.h"
#include "proto/srt_clock.h"

#include "test.h"

#include <string.h>

#define T0 (1000 * (ts_us)TS_S)
#define ISN 0x7ffffff0u

enum { LATENCY = 200 * TS_MS, ANSWERS = 64 };

static struct srt_rcv r;
static ts_us now;
static uint32_t sent;	       // packets
static uint32_t fulls, lights; // ACKs so far
static uint32_t rtt_ms;
static bool silent; // the publisher answers nothing

static struct {
	ts_us at;
	uint32_t number;
} answers[ANSWERS]; // ACKACKs on their way

static void start(bool grouped)
{
	now = T0;
	sent = fulls = lights = 0;
	rtt_ms = 20;
	silent = false;
	memset(answers, 0, sizeof(answers));
	srt_rcv_init(&r, T0,
		&(struct srt_rcv_opts){.own_id = 5,
			.peer_id = 77,
			.isn = ISN,
			.t0 = T0,
			.base_arrival = T0,
			.latency_us = LATENCY,
			.peer_rexmitflg = true,
			.grouped = grouped});
}

static int init(void **)
{
	start(false);
	return 0;
}

static void feed(const uint8_t *d, size_t len)
{
	struct srt_verdict v;

	assert_int_equal(srt_rcv_feed(&r, now, d, len, &v), 0);
}

static void data(uint32_t n)
{
	uint8_t d[SRT_HDR + 188] = {0};

	srt_pkt_write_data(
		d, seq31_add(ISN, n), SRT_WORD1_SINGLE | seq_msgno(n), (uint32_t)(now - T0), 5);
	feed(d, sizeof(d));
}

static void answer(uint32_t number)
{
	uint8_t d[SRT_HDR + 4];
	struct bytes_out b = bytes_out_of(d, sizeof(d));

	srt_pkt_put_bare(&b, SRT_ACKACK, number, (uint32_t)(now - T0), 5);
	feed(d, bytes_out_len(&b));
}

static void said(const uint8_t *d, size_t len)
{
	struct srt_ctrl c;
	struct srt_ack a;

	assert_int_equal(srt_pkt_parse_ctrl(d, len, &c), 0);
	if (c.type != SRT_ACK)
		return;
	assert_int_equal(srt_ack_parse(&c, &a), 0);
	assert_true(seq31_off(seq31_add(ISN, sent), a.next) <= 0); // never ahead of what came
	lights += a.light;
	fulls += !a.light;
	if (a.light || silent)
		return;
	for (unsigned i = 0; i < ANSWERS; i++)
		if (!answers[i].number) {
			answers[i].number = a.number;
			answers[i].at = now + rtt_ms * TS_MS;
			return;
		}
	fail_msg("more ACKs under way than should be");
}

static void listen(void)
{
	uint8_t d[SRT_POLL_MAX];
	ssize_t len;

	for (unsigned i = 0; i < ANSWERS; i++)
		if (answers[i].number && answers[i].at <= now) {
			answer(answers[i].number);
			answers[i].number = 0;
		}
	if (now >= srt_rcv_expiry(&r))
		srt_rcv_on_expiry(&r, now);
	while ((len = srt_rcv_poll(&r, now, d, sizeof(d))) > 0)
		said(d, (size_t)len);
}

// Some time of a stream of that many packets a second. Returns how many full ACKs it had.
static uint32_t play(uint32_t ms, uint32_t rate)
{
	ts_us begin = now, end = now + ms * TS_MS;
	uint32_t before = fulls, n = 0;

	for (; now < end; now += 50) {
		for (; (now - begin) * rate / TS_S >= n; n++)
			data(sent++);
		listen();
	}
	return fulls - before;
}

static void the_first_second_has_one_every_10_ms(void **)
{
	assert_in_range(play(1000, 1000), 95, 101);
}

static void a_calm_way_has_one_in_32_packets(void **)
{
	play(1500, 1000);
	assert_in_range(play(1000, 1000), 30, 33);
	assert_int_equal(lights, 0);
}

static void a_slow_stream_has_one_every_100_ms(void **)
{
	play(1500, 100);
	assert_in_range(play(1000, 100), 9, 11);
	play(1500, 20);
	assert_in_range(play(1000, 20), 9, 11);
}

static void a_fast_stream_has_one_every_10_ms(void **)
{
	play(1500, 18000);
	assert_in_range(play(1000, 18000), 95, 101);
	assert_in_range(lights, 2 * 200, 3 * 260); // one in 64 packets between them
}

static void the_last_packets_of_a_burst_wait_100_ms_at_most(void **)
{
	ts_us end;

	play(1500, 1000);
	for (end = now + 100 * TS_MS; now <= end; now += 50)
		listen();
	assert_int_equal(r.link.acks.acked, sent);
}

static void a_loss_brings_them_back_for_a_second(void **)
{
	play(1500, 1000);
	sent++;					    // never comes
	assert_in_range(play(1000, 1000), 80, 101); // it stands while it waits, then goes on
	assert_true(srt_rcv_given_up(&r) == 1);
	play(500, 1000);
	assert_in_range(play(1000, 1000), 30, 33);
}

static void reordering_does_too(void **)
{
	play(1500, 1000);
	for (unsigned i = 0; i < 10; i++) { // 100 ms each
		data(sent + 1);
		data(sent);
		sent += 2;
		assert_in_range(play(100, 1000), 9, 11);
	}
}

static void an_uneven_round_trip_keeps_them(void **)
{
	uint32_t before;

	play(1500, 100);
	before = fulls;
	for (unsigned i = 0; i < 10; i++) {
		rtt_ms = i % 2 ? 20 : 90;
		play(130, 100);
	}
	assert_in_range(fulls - before, 90, 130);
}

static void a_change_of_the_round_trip_is_noticed(void **)
{
	play(1500, 1000);
	rtt_ms = 80;
	play(1000, 1000);
	assert_in_range(srt_rcv_rtt(&r)->us, 75000, 81000);
}

static void one_without_an_answer_is_followed_by_the_next(void **)
{
	ts_us repeat;

	play(1500, 100);
	silent = true;
	play(300, 100); // what was under way has come
	repeat = srt_rtt_ack_repeat(srt_rcv_rtt(&r));
	assert_true(repeat > SRT_ACK_PERIOD && repeat < SRT_ACK_CALM_PERIOD / 2);
	assert_true(play(1000, 100) >= 1000 * TS_MS / (repeat + 10 * TS_MS));
}

static void a_link_of_a_group_is_never_calm(void **)
{
	start(true);
	play(1500, 1000);
	assert_in_range(play(1000, 1000), 95, 101);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_second_has_one_every_10_ms, init),
		cmocka_unit_test_setup(a_calm_way_has_one_in_32_packets, init),
		cmocka_unit_test_setup(a_slow_stream_has_one_every_100_ms, init),
		cmocka_unit_test_setup(a_fast_stream_has_one_every_10_ms, init),
		cmocka_unit_test_setup(the_last_packets_of_a_burst_wait_100_ms_at_most, init),
		cmocka_unit_test_setup(a_loss_brings_them_back_for_a_second, init),
		cmocka_unit_test_setup(reordering_does_too, init),
		cmocka_unit_test_setup(an_uneven_round_trip_keeps_them, init),
		cmocka_unit_test_setup(a_change_of_the_round_trip_is_noticed, init),
		cmocka_unit_test_setup(one_without_an_answer_is_followed_by_the_next, init),
		cmocka_unit_test_setup(a_link_of_a_group_is_never_calm, init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
