// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_snd.h"

#include "base/seq.h"
#include "pcap.h"
#include "proto/srt_clock.h"

#include <errno.h>

#define T0 (1000 * (ts_us)TS_S)

enum { LATENCY = 120 * TS_MS, PEER = 77, ISN = 1000, LEN = 1316, RATE = 1316000 };

static struct srt_snd s;
static struct srt_verdict v;

static void start(uint32_t latency_us, uint8_t repair_percent, uint32_t flags)
{
	srt_snd_init(&s, T0,
		&(struct srt_snd_opts){.peer_id = PEER,
			.isn = ISN,
			.t0 = T0,
			.latency_us = latency_us,
			.peer_flags = flags,
			.repair_percent = repair_percent});
}

static int init(void **)
{
	start(LATENCY, 0, SRT_F_OURS);
	return 0;
}

static int control(ts_us now, enum srt_type type, uint32_t info, const void *cif, size_t len)
{
	uint8_t d[64];
	struct bytes_out b = bytes_out_of(d, sizeof(d));

	srt_pkt_put_ctrl(&b, type, info, 0, 5);
	bytes_put(&b, cif, len);
	return srt_snd_feed(&s, now, d, bytes_out_len(&b), &v);
}

static void ack(ts_us now, uint32_t number, uint32_t next, uint32_t rtt, uint32_t var)
{
	uint8_t d[64];
	struct bytes_out b = bytes_out_of(d, sizeof(d));
	struct srt_ack a = {.number = number,
		.next = next,
		.rtt_us = rtt,
		.rtt_var_us = var,
		.free_packets = 8000,
		.light = !number};

	srt_ack_put(&b, &a, 0, 5);
	assert_int_equal(srt_snd_feed(&s, now, d, bytes_out_len(&b), &v), 0);
	assert_int_equal(v.action, SRT_ABSORB);
}

// The next packet the sender has to say at `now`; its type, or -1.
static struct srt_ctrl said;

static int poll(ts_us now)
{
	static uint8_t d[SRT_POLL_MAX];
	ssize_t n = srt_snd_poll(&s, now, d, sizeof(d));

	if (!n)
		return -1;
	assert_int_equal(srt_pkt_parse_ctrl(d, (size_t)n, &said), 0);
	assert_int_equal(said.dst, PEER);
	assert_int_equal(said.ts, srt_clock_at(T0, now));
	return said.type;
}

static void acks_are_answered_but_light_ones(void **)
{
	ack(T0 + 5, 7, ISN + 3, 20000, 1000);
	assert_int_equal(srt_snd_expiry(&s), 0);
	assert_int_equal(poll(T0 + 5), SRT_ACKACK);
	assert_int_equal(said.info, 7);
	assert_int_equal(poll(T0 + 5), -1);
	assert_true(s.rtt.us == 20000 && s.rtt.var_us == 1000);
	assert_int_equal(s.acked, ISN + 3);
	assert_int_equal(s.free_packets, 8000);
	ack(T0 + 6, 0, ISN + 9, 0, 0);
	assert_int_equal(poll(T0 + 6), -1);
	assert_int_equal(s.acked, ISN + 9);
	ack(T0 + 7, 8, ISN + 2, 100000, 50000); // an old one, before its first sample
	assert_int_equal(s.acked, ISN + 9);
	assert_int_equal(s.rtt.us, 20000);
}

static void a_loss_report_is_handed_on(void **)
{
	static const uint8_t list[] = {0x80, 0, 4, 0, 0, 0, 4, 9, 0, 0, 5, 0};

	assert_int_equal(control(T0, SRT_NAK, 0, list, sizeof(list)), 0);
	assert_int_equal(v.action, SRT_RESEND);
	assert_int_equal(v.off, SRT_HDR);
	assert_int_equal(v.len, sizeof(list));
	assert_int_equal(control(T0, SRT_NAK, 0, list, 3), -EBADMSG);
	assert_int_equal(v.action, SRT_DROP);
}

static enum srt_resend resend(ts_us now, uint32_t seq)
{
	return srt_snd_resend(&s, now, seq, now - 10 * TS_MS, LEN);
}

static void a_repeated_request_waits_for_the_repair(void **)
{
	ts_us now = T0;

	ack(now, 1, ISN, 40000, 2000); // suppressed for 20 + 8 ms
	assert_int_equal(resend(now, 5), SRT_RESEND_NOW);
	assert_int_equal(resend(now + 1, 5), SRT_RESEND_REPEATED);
	assert_int_equal(resend(now + 27 * TS_MS, 5), SRT_RESEND_REPEATED);
	assert_int_equal(resend(now + 27 * TS_MS, 6), SRT_RESEND_NOW);
	assert_int_equal(resend(now + 28 * TS_MS, 5), SRT_RESEND_NOW);
	assert_int_equal(resend(now + 30 * TS_MS, 5), SRT_RESEND_REPEATED);
	assert_int_equal(resend(now + 70 * TS_S, 5), SRT_RESEND_NOW);
}

// Its repair was lost too, and its time runs out.
static void a_second_repair_goes_twice(void **)
{
	ack(T0, 32, ISN, 20000, 1000); // past the start
	assert_int_equal(resend(T0, 5), SRT_RESEND_NOW);
	assert_int_equal(srt_snd_copies(&s), 1);
	assert_int_equal(resend(T0 + 20 * TS_MS, 5), SRT_RESEND_NOW);
	assert_int_equal(srt_snd_copies(&s), 1); // the request and the repair may have crossed
	assert_int_equal(resend(T0 + 43 * TS_MS, 5), SRT_RESEND_NOW);
	assert_int_equal(srt_snd_copies(&s), 2);
	assert_int_equal(resend(T0 + 43 * TS_MS, 6), SRT_RESEND_NOW);
	assert_int_equal(srt_snd_copies(&s), 1);
}

// One in five is asked for: at a short latency each is sent twice, while half of the budget is
// left.
static void first_repairs_go_twice_at_heavy_losses(void **)
{
	const uint32_t half = RATE / 1000 * (LATENCY / TS_MS) / 2;
	unsigned copies = 0;

	ack(T0, 32, ISN, 20000, 1000); // past the start
	srt_snd_set_rate(&s, RATE);
	for (uint32_t i = 5; i <= 500; i += 5) {
		assert_int_equal(resend(T0 + i * TS_MS, ISN + i), SRT_RESEND_NOW);
		copies += srt_snd_copies(&s);
		assert_true(srt_snd_copies(&s) == 1 || s.repair.budget + 2 * LEN + 200 >= half);
	}
	assert_in_range(copies, 51 + 2 * 45, 200);  // after the first 256 packets
	for (uint32_t i = 600; i <= 2600; i += 100) // one in a hundred
		assert_int_equal(resend(T0 + i * TS_MS, ISN + i), SRT_RESEND_NOW);
	assert_int_equal(srt_snd_copies(&s), 1);
}

// A burst of any length is one entry of the memory; so are bursts that wrap.
static void bursts_are_remembered_whole(void **)
{
	ts_us now = T0;

	srt_snd_set_rate(&s, 10000000);
	for (uint32_t i = 0; i < 400; i++)
		assert_int_equal(resend(now, seq31_add(SEQ31_MASK - 200, i)), SRT_RESEND_NOW);
	for (uint32_t i = 0; i < 400; i++)
		assert_int_equal(
			resend(now + TS_MS, seq31_add(SEQ31_MASK - 200, i)), SRT_RESEND_REPEATED);
	// As many other bursts, and it is forgotten.
	for (uint32_t i = 0; i < SRT_REPAIR_SPANS; i++)
		resend(now + TS_MS, 5000 - 2 * i);
	assert_int_equal(resend(now + TS_MS, 0), SRT_RESEND_NOW);
	assert_int_equal(resend(now + TS_MS, 4998), SRT_RESEND_REPEATED);
}

static void nak(ts_us now)
{
	control(now, SRT_NAK, 0, "\0\0\0\0", 4);
}

// So are the scattered losses of one report; but not those of two, nor around one that was refused.
static void a_report_is_remembered_whole(void **)
{
	ts_us now = T0;

	srt_snd_set_rate(&s, 10000000);
	nak(now);
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(resend(now, 1000 + 7 * i), SRT_RESEND_NOW);
	nak(now + 5 * TS_MS);
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(resend(now + 5 * TS_MS, 1000 + 7 * i), SRT_RESEND_REPEATED);
	assert_int_equal(resend(now + 5 * TS_MS, 8000), SRT_RESEND_NOW);
	nak(now + 5 * TS_MS);
	assert_int_equal(resend(now + 5 * TS_MS, 8010), SRT_RESEND_NOW);
	assert_int_equal(resend(now + 5 * TS_MS, 8005), SRT_RESEND_NOW); // of neither report
	nak(now + 30 * TS_MS);
	assert_int_equal(resend(now + 24 * TS_MS, 7990), SRT_RESEND_NOW);
	assert_int_equal(resend(now + 24 * TS_MS, 8000), SRT_RESEND_REPEATED);
	assert_int_equal(resend(now + 24 * TS_MS, 8020), SRT_RESEND_NOW);
	assert_int_equal(resend(now + 40 * TS_MS, 8000), SRT_RESEND_NOW); // its own time counts
}

static void requests_that_crossed_the_packet_are_told(void **)
{
	assert_false(srt_snd_fresh(&s, T0, T0));
	ack(T0, 1, ISN, 40000, 2000);
	assert_true(srt_snd_fresh(&s, T0 + 35 * TS_MS, T0));
	assert_false(srt_snd_fresh(&s, T0 + 36 * TS_MS, T0));
	ack(T0, 1, ISN, 40000, 30000);
	assert_false(srt_snd_fresh(&s, T0 + 20 * TS_MS, T0));
}

static bool stands_at(ts_us now, uint32_t seq)
{
	uint8_t list[4];
	struct srt_loss l;
	uint32_t first, last;

	srt_snd_on_expiry(&s, now);
	if (!srt_snd_standing(&s, list))
		return false;
	l = srt_loss_of(list, sizeof(list));
	assert_true(srt_loss_next(&l, &first, &last));
	assert_true(first == seq && last == seq);
	assert_false(srt_snd_standing(&s, list));
	return true;
}

// srt_interop subscribe --loss 5: 5 of 24 sessions of libsrt 1.5.1 lacked packets without this.
static void a_number_the_acks_stand_at_is_asked_for(void **)
{
	ts_us now = T0 + 20 * TS_MS;

	assert_int_equal(srt_snd_expiry(&s), now);
	assert_true(stands_at(now, ISN)); // not one ACK: the very first may be what is missing
	ack(now + 10 * TS_MS, 1, ISN + 4, 20000, 1000);
	poll(now + 10 * TS_MS);
	assert_false(stands_at(now + 10 * TS_MS, 0)); // how long it takes was not known before
	ack(now + 20 * TS_MS, 2, ISN + 8, 20000, 1000);
	poll(now + 20 * TS_MS);
	assert_true(stands_at(now + 20 * TS_MS, ISN + 8)); // at once, where it moved to ...
	assert_false(stands_at(now + 39 * TS_MS, 0));	   // ... and when it stays there
	assert_true(stands_at(now + 40 * TS_MS, ISN + 8));
	assert_false(stands_at(now + 79 * TS_MS, 0)); // its answer needs a round trip
	assert_true(stands_at(now + 80 * TS_MS, ISN + 8));
	assert_int_equal(resend(now + 80 * TS_MS, 8), SRT_RESEND_NOW);
	assert_int_equal(srt_snd_copies(&s), 2);
	ack(now + 110 * TS_MS, 32, ISN + 30, 20000, 1000); // from here on they are thinned out
	assert_false(stands_at(now + TS_S, 0));
	assert_int_equal(resend(now + TS_S, 99), SRT_RESEND_NOW);
	assert_int_equal(srt_snd_copies(&s), 1);
}

// An ACK tells of what was sent a round trip before it came. Until the first sample that is what a
// report took at most; what we ask ourselves says nothing.
static void an_ack_does_not_tell_of_what_is_under_way(void **)
{
	assert_true(srt_snd_told(&s, T0, T0));
	srt_snd_bound(&s, T0 + TS_MS, T0);
	assert_true(srt_snd_told(&s, T0, T0));
	nak(T0);
	srt_snd_bound(&s, T0 + 60 * TS_MS, T0);
	srt_snd_bound(&s, T0 + 50 * TS_MS, T0);
	srt_snd_bound(&s, T0 + 70 * TS_MS, T0);
	assert_false(srt_snd_told(&s, T0 + 51 * TS_MS - 1, T0));
	assert_true(srt_snd_told(&s, T0 + 51 * TS_MS, T0));
	ack(T0, 1, ISN, 20000, 1000);
	assert_false(srt_snd_told(&s, T0 + 23 * TS_MS - 1, T0));
	assert_true(srt_snd_told(&s, T0 + 23 * TS_MS, T0));
}

static bool probe(ts_us now, uint32_t seq)
{
	return srt_snd_probe(&s, now, seq, now - 10 * TS_MS, LEN);
}

// At heavy losses, once each, out of the larger part of the budget.
static void what_follows_is_sent_unasked(void **)
{
	unsigned n = 0;

	srt_snd_set_rate(&s, RATE);
	nak(T0);
	srt_snd_bound(&s, T0, T0 - 20 * TS_MS);
	for (uint32_t i = 0; i < 3; i++)
		resend(T0, ISN + 5 * i);
	assert_false(probe(T0, ISN + 20)); // too few to tell
	resend(T0, ISN + 15);
	assert_true(probe(T0, ISN + 20));
	assert_false(probe(T0, ISN + 20));
	assert_false(probe(T0, ISN + 15)); // asked for, and sent
	for (uint32_t i = 0; i < 1000; i++)
		n += probe(T0, ISN + 21 + i);
	assert_int_equal(n, 3 * 4 - 1); // three for each that was asked for
	s.repair.budget = RATE / 1000 * (LATENCY / TS_MS) / 4;
	for (uint32_t i = 0; i < 4; i++)
		resend(T0, ISN + 2000 + i);
	assert_false(probe(T0, ISN + 3000)); // the rest is for requests
}

// Once a report asks again for what was sent again, it is a periodic one: ACKs are not needed.
static void periodic_reports_end_the_hurry(void **)
{
	ack(T0, 1, ISN, 20000, 1000);
	nak(T0);
	resend(T0, ISN + 5);
	assert_int_equal(srt_snd_copies(&s), 2);
	nak(T0 + 30 * TS_MS);
	resend(T0 + 30 * TS_MS, ISN + 5);
	nak(T0 + 31 * TS_MS);
	resend(T0 + 31 * TS_MS, ISN + 9);
	assert_int_equal(srt_snd_copies(&s), 1);
	assert_false(stands_at(T0 + TS_S, 0));
}

static void a_silent_peer_is_not_watched_for_ever(void **)
{
	unsigned n = 0;

	for (ts_us now = T0; now < T0 + 4 * TS_S; now += TS_MS)
		n += stands_at(now, ISN);
	assert_in_range(n, 90, 100);
}

static void what_the_peer_has_passed_is_not_sent(void **)
{
	ts_us play = T0 + TS_S;

	ack(T0, 1, ISN, 40000, 2000);
	assert_int_equal(
		srt_snd_resend(&s, play + LATENCY + 20 * TS_MS - 1, 5, play, LEN), SRT_RESEND_NOW);
	assert_int_equal(
		srt_snd_resend(&s, play + LATENCY + 20 * TS_MS, 6, play, LEN), SRT_RESEND_LATE);
	// The stream's time is the play time at the relay, which lies ahead of now (decisions A5).
	assert_int_equal(srt_snd_resend(&s, play - 110 * TS_MS, 7, play, LEN), SRT_RESEND_NOW);
}

// Ask for n different packets at `now`; returns how many were granted.
static uint32_t granted(ts_us now, uint32_t from, uint32_t n)
{
	uint32_t yes = 0;

	for (uint32_t i = 0; i < n; i++)
		yes += resend(now, from + i) == SRT_RESEND_NOW;
	return yes;
}

static void repairs_are_bounded_by_the_streams_rate(void **)
{
	const uint32_t rate = 1250000, cost = LEN + 58; // 10 Mb/s
	const ts_us second = T0 + TS_S;
	uint32_t burst = rate / 1000 * 120 / cost, n;

	ack(T0, 32, ISN, 40000, 2000); // no hurry: one copy each
	srt_snd_set_rate(&s, rate);
	assert_in_range(granted(second, 0, 5000), burst, burst + 1);
	assert_int_equal(resend(second, 9999), SRT_RESEND_BUDGET);
	n = 0;
	for (uint32_t ms = 1; ms <= 1000; ms++)
		n += granted(second + ms * TS_MS, 10000 + 20 * ms, 20);
	assert_in_range(n, rate / 2 / cost - 1, rate / 2 / cost + 1);
}

static void the_share_is_the_streams_choice(void **)
{
	start(LATENCY, 10, 0);
	ack(T0, 32, ISN, 40000, 2000);
	srt_snd_set_rate(&s, 1250000);
	granted(T0, 0, 5000);
	assert_in_range(granted(T0 + TS_S, 10000, 5000), 89, 92);
}

// A repair that goes out twice costs twice.
static void a_hurry_spends_the_same_budget(void **)
{
	const uint32_t rate = 1250000, cost = LEN + 58;
	uint32_t burst = rate / 1000 * 120 / cost, sent = 0;

	srt_snd_set_rate(&s, rate);
	for (uint32_t i = 0; i < 5000; i++)
		if (resend(T0 + TS_S, i) == SRT_RESEND_NOW)
			sent += srt_snd_copies(&s);
	assert_in_range(sent, burst, burst + 1);
}

// Before anybody has said how fast the stream is, and for a very slow one, an outage is repaired.
static void a_slow_stream_may_lose_a_burst_too(void **)
{
	ack(T0, 32, ISN, 40000, 2000);
	assert_int_equal(granted(T0, 0, 60), 60);
	init(NULL);
	ack(T0, 32, ISN, 40000, 2000);
	srt_snd_set_rate(&s, 1000);
	assert_int_equal(granted(T0, 0, 60), 60);
}

static void dropreq_names_the_peers_numbers(void **)
{
	uint8_t d[SRT_DROPREQ_LEN];
	uint32_t first, last;
	struct srt_ctrl c;

	assert_int_equal(srt_snd_dropreq(&s, T0 + 9, 3, 8, d), sizeof(d));
	assert_int_equal(srt_pkt_parse_ctrl(d, sizeof(d), &c), 0);
	assert_true(c.type == SRT_DROPREQ && c.dst == PEER && c.ts == srt_clock_at(T0, T0 + 9));
	assert_int_equal(srt_dropreq_parse(&c, &first, &last), 0);
	assert_true(first == 3 && last == 8);
}

// Let the watch over a standing ACK run out.
static void pass_the_start(void)
{
	ack(T0, 32, ISN, 0, 0);
	assert_int_equal(poll(T0), SRT_ACKACK);
}

static void keepalives_go_only_while_nothing_else_does(void **)
{
	pass_the_start();
	srt_snd_note_sent(&s, T0 + 400 * TS_MS); // told when the timer fires, not at each packet
	assert_int_equal(srt_snd_expiry(&s), T0 + 1400 * TS_MS);
	srt_snd_note_sent(&s, T0 + 300 * TS_MS);
	srt_snd_on_expiry(&s, T0 + TS_S);
	assert_int_equal(poll(T0 + TS_S), -1);
	srt_snd_on_expiry(&s, T0 + 1400 * TS_MS);
	assert_int_equal(poll(T0 + 1400 * TS_MS), SRT_KEEPALIVE);
	assert_int_equal(poll(T0 + 1400 * TS_MS), -1);
	assert_int_equal(srt_snd_expiry(&s), T0 + 2400 * TS_MS);
}

static void five_seconds_of_silence_are_the_end(void **)
{
	pass_the_start();
	srt_snd_note_sent(&s, T0 + 5 * TS_S);
	assert_int_equal(srt_snd_expiry(&s), T0 + 5 * TS_S);
	assert_false(srt_snd_dead(&s, T0 + 5 * TS_S - 1));
	assert_true(srt_snd_dead(&s, T0 + 5 * TS_S));
	control(T0 + 4 * TS_S, SRT_KEEPALIVE, 0, "\0\0\0\0", 4);
	assert_int_equal(v.action, SRT_ABSORB);
	assert_false(srt_snd_dead(&s, T0 + 5 * TS_S));
}

// Of what a far peer says one in 32 is heard, for nothing else comes while its stream rests.
static void a_far_peer_may_be_silent_for_longer(void **)
{
	pass_the_start();
	ack(T0, 40, ISN, 20000, 1000);
	assert_false(srt_snd_dead(&s, T0 + 5 * TS_S - 1));
	assert_true(srt_snd_dead(&s, T0 + 5 * TS_S));
	ack(T0, 72, ISN, 300000, 10000); // repeats take 340 ms each
	poll(T0);
	srt_snd_note_sent(&s, T0 + 20 * TS_S);
	assert_int_equal(srt_snd_expiry(&s), T0 + 33 * 340 * TS_MS);
	assert_false(srt_snd_dead(&s, T0 + 33 * 340 * TS_MS - 1));
	assert_true(srt_snd_dead(&s, T0 + 33 * 340 * TS_MS));
	ack(T0, 104, ISN, 60000000, 1000000); // whatever it says
	assert_true(srt_snd_dead(&s, T0 + 30 * TS_S));
}

static void shutdown_ends_it_both_ways(void **)
{
	srt_snd_close(&s);
	assert_int_equal(srt_snd_expiry(&s), 0);
	assert_int_equal(poll(T0), SRT_SHUTDOWN);
	assert_int_equal(poll(T0 + TS_S), -1);
	assert_true(srt_snd_dead(&s, T0));
	init(NULL);
	control(T0, SRT_SHUTDOWN, 0, "\0\0\0\0", 4);
	assert_int_equal(v.action, SRT_CLOSE);
	assert_true(srt_snd_dead(&s, T0));
	control(T0, SRT_KEEPALIVE, 0, "\0\0\0\0", 4);
	assert_int_equal(v.action, SRT_DROP);
}

static void what_has_no_place_here_is_named(void **)
{
	uint8_t d[SRT_HDR + 188] = {0};

	assert_int_equal(
		srt_snd_feed(&s, T0, d, sizeof(d), &v), 0); // a subscriber that sends media
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_UNEXPECTED);
	assert_int_equal(srt_snd_feed(&s, T0, d, SRT_HDR - 1, &v), -EBADMSG);
	control(T0, SRT_ACKACK, 1, "\0\0\0\0", 4);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_UNEXPECTED);
	control(T0, SRT_DROPREQ, 1, "\0\0\0\0\0\0\0\0", 8);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_UNEXPECTED);
	control(T0, SRT_USER, 0, "\0\0\0\0", 4);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_CRYPTO);
	control(T0, 0x55, 0, "\0\0\0\0", 4);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_UNKNOWN);
	assert_int_equal(control(T0, SRT_ACK, 1, "\0\0", 2), -EBADMSG);
	assert_int_equal(poll(T0), -1);
}

static void r_is_set_only_for_those_who_know_it(void **)
{
	assert_int_equal(srt_snd_rexmit_bit(&s), SRT_WORD1_R);
	start(LATENCY, 0, SRT_F_OURS & ~SRT_F_REXMITFLG);
	assert_int_equal(srt_snd_rexmit_bit(&s), 0);
}

// Given what a libsrt sender was given, ours answers the same ACKs and ends with the same RTT.
static void a_captured_session_is_sent_as_by_libsrt(void **)
{
	uint16_t listener = 0;
	unsigned acks = 0, answers = 0;
	struct pcap_pkt p;
	struct pcap f;

	pcap_open(&f, "srt_media.pcap");
	while (pcap_next(&f, &p)) {
		if (!listener)
			listener = p.to;
		if (p.from != listener || be32_get(p.data) == 0x80000000u)
			continue;
		acks += p.data[1] == SRT_ACK;
		assert_int_equal(srt_snd_feed(&s, T0, p.data, p.len, &v), 0);
		assert_int_equal(v.action, p.data[1] == SRT_NAK	       ? SRT_RESEND
					   : p.data[1] == SRT_SHUTDOWN ? SRT_CLOSE
								       : SRT_ABSORB);
		while (srt_snd_poll(&s, T0, p.data, sizeof(p.data)) > 0)
			answers++;
	}
	assert_int_equal(acks, 127);
	assert_int_equal(answers, acks);
	assert_true(s.closed);
	assert_int_equal(s.rtt.us, 13990);
	assert_int_equal(s.acked, 468064218);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(acks_are_answered_but_light_ones, init),
		cmocka_unit_test_setup(a_loss_report_is_handed_on, init),
		cmocka_unit_test_setup(a_repeated_request_waits_for_the_repair, init),
		cmocka_unit_test_setup(a_second_repair_goes_twice, init),
		cmocka_unit_test_setup(first_repairs_go_twice_at_heavy_losses, init),
		cmocka_unit_test_setup(bursts_are_remembered_whole, init),
		cmocka_unit_test_setup(a_report_is_remembered_whole, init),
		cmocka_unit_test_setup(requests_that_crossed_the_packet_are_told, init),
		cmocka_unit_test_setup(a_number_the_acks_stand_at_is_asked_for, init),
		cmocka_unit_test_setup(a_silent_peer_is_not_watched_for_ever, init),
		cmocka_unit_test_setup(what_the_peer_has_passed_is_not_sent, init),
		cmocka_unit_test_setup(a_hurry_spends_the_same_budget, init),
		cmocka_unit_test_setup(an_ack_does_not_tell_of_what_is_under_way, init),
		cmocka_unit_test_setup(what_follows_is_sent_unasked, init),
		cmocka_unit_test_setup(periodic_reports_end_the_hurry, init),
		cmocka_unit_test_setup(repairs_are_bounded_by_the_streams_rate, init),
		cmocka_unit_test_setup(the_share_is_the_streams_choice, init),
		cmocka_unit_test_setup(a_slow_stream_may_lose_a_burst_too, init),
		cmocka_unit_test_setup(dropreq_names_the_peers_numbers, init),
		cmocka_unit_test_setup(keepalives_go_only_while_nothing_else_does, init),
		cmocka_unit_test_setup(five_seconds_of_silence_are_the_end, init),
		cmocka_unit_test_setup(a_far_peer_may_be_silent_for_longer, init),
		cmocka_unit_test_setup(shutdown_ends_it_both_ways, init),
		cmocka_unit_test_setup(what_has_no_place_here_is_named, init),
		cmocka_unit_test_setup(r_is_set_only_for_those_who_know_it, init),
		cmocka_unit_test_setup(a_captured_session_is_sent_as_by_libsrt, init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
