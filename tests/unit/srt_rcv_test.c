// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_rcv.h"

#include "base/seq.h"
#include "pcap.h"
#include "proto/srt_clock.h"

#include <errno.h>

#define T0 (1000 * (ts_us)TS_S)
#define ISN 0x7ffffff0u // wraps after 16 packets

enum { LATENCY = 120 * TS_MS, PEER = 77, PERIOD = TS_MS };

static struct srt_rcv r;
static struct srt_verdict v;

static void start(uint32_t isn, uint32_t base_ts, bool rexmitflg)
{
	srt_rcv_init(&r, T0,
		&(struct srt_rcv_opts){.own_id = 5,
			.peer_id = PEER,
			.isn = isn,
			.t0 = T0,
			.base_arrival = T0,
			.base_ts = base_ts,
			.latency_us = LATENCY,
			.peer_rexmitflg = rexmitflg});
}

static int init(void **)
{
	start(ISN, 0, true);
	return 0;
}

// Packet n of a stream of one packet per PERIOD.
static int media_at(ts_us now, uint32_t n, uint32_t word1)
{
	uint8_t d[SRT_HDR + 188] = {0};

	srt_pkt_write_data(d, ISN + n, word1, n * PERIOD, 5);
	return srt_rcv_feed(&r, now, d, sizeof(d), &v);
}

static ts_us due(uint32_t n)
{
	return T0 + n * (ts_us)PERIOD;
}

static enum srt_action media(uint32_t n)
{
	assert_int_equal(media_at(due(n), n, SRT_WORD1_SINGLE | seq_msgno(n)), 0);
	return v.action;
}

static int control(ts_us now, enum srt_type type, uint32_t info, const void *cif, size_t len)
{
	uint8_t d[64];
	struct bytes_out b = bytes_out_of(d, sizeof(d));

	srt_pkt_put_ctrl(&b, type, info, (uint32_t)(now - T0), 5);
	bytes_put(&b, cif, len);
	return srt_rcv_feed(&r, now, d, bytes_out_len(&b), &v);
}

// The next packet the receiver has to say at `now`; its type, or -1.
static struct srt_ctrl said;
static uint8_t said_bytes[SRT_POLL_MAX];

static int poll(ts_us now)
{
	ssize_t n = srt_rcv_poll(&r, now, said_bytes, sizeof(said_bytes));

	if (!n)
		return -1;
	assert_int_equal(srt_pkt_parse_ctrl(said_bytes, (size_t)n, &said), 0);
	assert_int_equal(said.dst, PEER);
	assert_int_equal(said.ts, srt_clock_at(T0, now));
	return said.type;
}

static void said_loss_is(uint32_t first_n, uint32_t last_n)
{
	struct srt_loss l = srt_loss_of(said.cif, said.cif_len);
	uint32_t first, last;

	assert_int_equal(said.type, SRT_NAK);
	assert_true(srt_loss_next(&l, &first, &last));
	assert_int_equal(first, seq31_add(ISN, first_n));
	assert_int_equal(last, seq31_add(ISN, last_n));
	assert_false(srt_loss_next(&l, &first, &last));
}

static uint32_t said_next(void)
{
	struct srt_ack a;

	assert_int_equal(said.type, SRT_ACK);
	assert_int_equal(srt_ack_parse(&said, &a), 0);
	return (uint32_t)seq31_off(ISN, a.next);
}

// --- media ----------------------------------------------------------------------------------

static void media_is_delivered_with_number_and_play_time(void **)
{
	for (uint32_t n = 0; n < 40; n++) {
		assert_int_equal(media(n), SRT_DELIVER);
		assert_int_equal(v.seq, n);
		assert_int_equal(v.off, SRT_HDR);
		assert_int_equal(v.len, 188);
		assert_int_equal(v.play, due(n) + LATENCY);
		assert_false(v.retransmitted || v.recovered);
	}
	assert_int_equal(srt_rcv_first_hole(&r), 40);
	assert_int_equal(srt_rcv_last_data(&r), due(39));
	assert_int_equal(srt_rcv_stats(&r)->unique, 40);
	assert_int_equal(srt_rcv_stats(&r)->bytes, 40 * 188);
}

static void a_hole_is_reported_filled_and_told(void **)
{
	media(0);
	media(1);
	media(5);
	assert_int_equal(v.seq, 5);
	assert_int_equal(poll(due(5)), SRT_NAK);
	said_loss_is(2, 4);
	assert_int_equal(poll(due(5)), SRT_ACK);
	assert_int_equal(said_next(), 2); // the hole, never what lies behind it
	assert_int_equal(poll(due(5)), -1);
	media_at(due(9), 3, SRT_WORD1_SINGLE | SRT_WORD1_R | 4);
	assert_true(v.action == SRT_DELIVER && v.seq == 3 && v.retransmitted && v.recovered);
	assert_int_equal(v.play, due(3) + LATENCY);
	media_at(due(9), 3, SRT_WORD1_SINGLE | SRT_WORD1_R | 4);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_DUPLICATE);
	media_at(due(10), 2, SRT_WORD1_SINGLE | SRT_WORD1_R | 4);
	media_at(due(10), 4, SRT_WORD1_SINGLE | SRT_WORD1_R | 4);
	assert_int_equal(srt_rcv_first_hole(&r), 6);
	assert_int_equal(srt_rcv_stats(&r)->missed, 3);
	assert_int_equal(srt_rcv_stats(&r)->recovered, 3);
	assert_int_equal(srt_rcv_stats(&r)->duplicate, 1);
}

static void holes_of_a_batch_are_one_report(void **)
{
	struct srt_loss l;
	uint32_t first, last;

	media(0);
	media(2);
	media(4);
	media(9);
	media_at(due(9), 6, SRT_WORD1_SINGLE);
	assert_int_equal(poll(due(9)), SRT_NAK);
	l = srt_loss_of(said.cif, said.cif_len);
	for (int i = 0; i < 4; i++) {
		static const uint32_t want[4][2] = {{1, 1}, {3, 3}, {5, 5}, {7, 8}};

		assert_true(srt_loss_next(&l, &first, &last));
		assert_int_equal(first, seq31_add(ISN, want[i][0]));
		assert_int_equal(last, seq31_add(ISN, want[i][1]));
	}
	assert_int_equal(said.cif_len, 20);
}

static void the_report_is_repeated_until_too_late(void **)
{
	uint64_t first, last;
	unsigned naks = 0;
	ts_us now;

	media(0);
	media(2);
	for (now = due(2); srt_rcv_first_hole(&r) == 1; now = srt_rcv_expiry(&r)) {
		int type;

		assert_true(now <= due(2) + LATENCY);
		srt_rcv_on_expiry(&r, now);
		while ((type = poll(now)) >= 0)
			naks += type == SRT_NAK;
	}
	assert_int_equal(said_next(), 3); // the last word: it goes on
	assert_int_equal(naks, 3);	  // at once, then every 40 ms without a round trip known
	assert_true(srt_rcv_gave_up(&r, &first, &last));
	assert_true(first == 1 && last == 1);
	assert_false(srt_rcv_gave_up(&r, &first, &last));
	media_at(due(2) + LATENCY, 1, SRT_WORD1_SINGLE | SRT_WORD1_R);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_LATE);
	assert_int_equal(srt_rcv_given_up(&r), 1);
}

static void reports_come_twice_as_often_when_time_runs_out(void **)
{
	static const int want_ms[] = {2, 22, 42, 62, 72, 82, 92, 102, 112};
	unsigned n = 0;

	media(0);
	poll(due(0));
	control(due(1), SRT_ACKACK, 1, "\0\0\0\0", 4);
	media(2);
	for (uint32_t ms = 2; ms < 122; ms++) {
		int type;

		srt_rcv_on_expiry(&r, due(ms));
		while ((type = poll(due(ms))) >= 0) {
			if (type != SRT_NAK)
				continue;
			assert_true(n < sizeof(want_ms) / sizeof(*want_ms));
			assert_int_equal(ms, want_ms[n++]);
		}
	}
	assert_int_equal(n, sizeof(want_ms) / sizeof(*want_ms));
}

// One packet in so many is lost and does not come by repair either: how many reports in the last
// 100 ms.
static uint32_t reports_at_loss(uint32_t one_in)
{
	uint32_t naks = 0;
	int type;

	media(0);
	poll(due(0));
	control(due(20), SRT_ACKACK, 1, "\0\0\0\0", 4);
	for (uint32_t n = 20; n < 1100; n++) {
		srt_rcv_on_expiry(&r, due(n));
		if (n % one_in)
			media(n);
		while ((type = poll(due(n))) >= 0)
			naks += n >= 1000 && type == SRT_NAK;
	}
	return naks;
}

static void heavy_losses_are_reported_more_often(void **)
{
	uint32_t heavy, light;

	light = reports_at_loss(50);
	init(NULL);
	heavy = reports_at_loss(5);
	assert_in_range(light, 2, 8);		  // each at once, all of them every 20 to 40 ms
	assert_in_range(heavy, 20 + 10, 20 + 20); // ... every 7.5 ms, at half of the latency sooner
}

static void a_sample_hurries_the_report(void **)
{
	media(0);
	media(2);
	assert_int_equal(poll(due(2)), SRT_NAK);
	assert_int_equal(poll(due(2)), SRT_ACK);
	control(due(4), SRT_ACKACK, 1, "\0\0\0\0", 4); // 2 ms
	assert_int_equal(srt_rcv_rtt(&r)->us, 2000);
	assert_int_equal(poll(due(23)), -1);
	assert_int_equal(poll(due(24)), SRT_NAK);
}

static void the_r_bit_is_a_number_to_old_peers(void **)
{
	start(ISN, 0, false);
	media_at(due(0), 0, SRT_WORD1_SINGLE | SRT_WORD1_R | 1);
	assert_true(v.action == SRT_DELIVER && !v.retransmitted);
}

static void before_the_first_and_beyond_the_window(void **)
{
	media_at(T0, (uint32_t)-1, SRT_WORD1_SINGLE);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_LATE);
	media(0);
	media_at(T0, (uint32_t)-1, SRT_WORD1_SINGLE);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_LATE);
	media_at(T0, SRT_RCV_WINDOW + 1, SRT_WORD1_SINGLE);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_AHEAD);
	assert_int_equal(poll(T0 + 1), SRT_ACK); // a stray changes nothing
	assert_int_equal(said_next(), 1);
	assert_int_equal(poll(T0 + 1), -1);
	assert_int_equal(media(1), SRT_DELIVER);
}

// An outage longer than the window: the sender goes on beyond it and the receiver follows.
static void the_window_follows_a_sender_that_went_on(void **)
{
	const uint32_t far = 3 * SRT_RCV_WINDOW;
	uint64_t first, last;

	media(0);
	media(2);
	assert_int_equal(media(far), SRT_DROP);
	assert_int_equal(media(far + 1), SRT_DROP); // gives up 1, which has to be listed first
	assert_true(srt_rcv_gave_up(&r, &first, &last));
	assert_true(first == 1 && last == 1);
	assert_false(srt_rcv_gave_up(&r, &first, &last));
	assert_int_equal(media(far + 2), SRT_DELIVER);
	assert_int_equal(v.seq, far + 2);
	assert_true(srt_rcv_gave_up(&r, &first, &last));
	assert_true(first == 3 && last == far + 1);
	assert_false(srt_rcv_gave_up(&r, &first, &last));
	assert_int_equal(poll(due(far + 2)), SRT_ACK);
	assert_int_equal(said_next(), far + 3);
	assert_int_equal(srt_rcv_stats(&r)->missed, srt_rcv_given_up(&r));
}

// --- ACK ------------------------------------------------------------------------------------

static void full_acks_come_every_10_ms(void **)
{
	struct srt_ack a;
	uint32_t acks = 0;

	for (uint32_t n = 0; n < 1000; n++) {
		media(n);
		while (poll(due(n)) >= 0) {
			assert_int_equal(srt_ack_parse(&said, &a), 0);
			assert_int_equal(a.number, ++acks);
			assert_int_equal(said_next(), n + 1);
			assert_int_equal(a.free_packets, SRT_RCV_WINDOW);
			assert_int_equal(said.cif_len, 16);
		}
	}
	assert_int_equal(acks, 100);
}

static void light_acks_come_every_64_packets_between(void **)
{
	uint32_t full = 0, light = 0;

	for (uint32_t n = 0; n < 2000; n++) { // 20 a millisecond
		ts_us now = T0 + n * 50;

		media_at(now, n, SRT_WORD1_SINGLE);
		while (poll(now) >= 0) {
			full += said.cif_len == 16;
			light += said.cif_len == 4;
			assert_int_equal(said.info != 0, said.cif_len == 16);
			assert_int_equal(said_next(), n + 1);
		}
	}
	assert_int_equal(full, 10);
	assert_int_equal(light, 30);
}

static void an_unanswered_ack_is_repeated(void **)
{
	ts_us again = due(0) + SRT_RTT_INITIAL + 4 * SRT_RTT_VAR_INITIAL;

	media(0);
	assert_int_equal(poll(due(0)), SRT_ACK);
	assert_int_equal(srt_rcv_expiry(&r), again);
	assert_int_equal(poll(again - 1), -1);
	assert_int_equal(poll(again), SRT_ACK);
	assert_int_equal(said.info, 2);
	control(again + 500, SRT_ACKACK, 2, "\0\0\0\0", 4);
	assert_int_equal(v.action, SRT_ABSORB);
	assert_int_equal(srt_rcv_rtt(&r)->us, 500);
	assert_int_equal(srt_rcv_expiry(&r), again + SRT_KEEPALIVE_AFTER);
}

// Without it a session whose first packet is lost has no ACK, hence no round trip, until it comes.
static void even_the_first_hole_is_acknowledged_up_to(void **)
{
	media(1);
	assert_int_equal(poll(due(1)), SRT_NAK);
	assert_int_equal(poll(due(1)), SRT_ACK);
	assert_int_equal(said_next(), 0);
	assert_int_equal(poll(due(1)), -1);
	control(due(3), SRT_ACKACK, 1, "\0\0\0\0", 4);
	assert_int_equal(srt_rcv_rtt(&r)->us, 2000);
}

static void only_our_own_acks_are_samples(void **)
{
	media(0);
	poll(due(0));
	control(due(1), SRT_ACKACK, 0, "\0\0\0\0", 4);
	control(due(1), SRT_ACKACK, 2, "\0\0\0\0", 4);
	control(due(1), SRT_ACKACK, 0x80000001, "\0\0\0\0", 4);
	assert_false(srt_rtt_known(srt_rcv_rtt(&r)));
	control(due(1), SRT_ACKACK, 1, "\0\0\0\0", 4);
	control(due(900), SRT_ACKACK, 1, "\0\0\0\0", 4); // a copy
	assert_int_equal(srt_rcv_rtt(&r)->us, PERIOD);
}

// --- the rest of control --------------------------------------------------------------------

static void dropped_packets_are_waited_for_no_longer(void **)
{
	uint8_t d[SRT_DROPREQ_LEN];
	uint64_t first, last;

	media(0);
	media(20);
	srt_dropreq_write(d, ISN + 1, seq31_add(ISN, 19), 0, 5);
	assert_int_equal(srt_rcv_feed(&r, due(20), d, sizeof(d), &v), 0);
	assert_int_equal(v.action, SRT_ABSORB);
	assert_int_equal(srt_rcv_first_hole(&r), 21);
	assert_true(srt_rcv_gave_up(&r, &first, &last));
	assert_true(first == 1 && last == 19);
	assert_int_equal(poll(due(20)), SRT_ACK); // no report of what is dropped
	assert_int_equal(said_next(), 21);
	// A range that we have not come to yet is passed too.
	srt_dropreq_write(d, seq31_add(ISN, 21), seq31_add(ISN, 30), 0, 5);
	srt_rcv_feed(&r, due(21), d, sizeof(d), &v);
	assert_int_equal(srt_rcv_first_hole(&r), 31);
	assert_int_equal(srt_rcv_stats(&r)->missed, srt_rcv_given_up(&r));
	// One that claims half the number space is not.
	srt_dropreq_write(d, seq31_add(ISN, 31), seq31_add(ISN, 0x3fffffff), 0, 5);
	srt_rcv_feed(&r, due(21), d, sizeof(d), &v);
	assert_int_equal(srt_rcv_first_hole(&r), 31);
}

static void silence_is_broken_and_bounded(void **)
{
	assert_int_equal(srt_rcv_expiry(&r), T0 + TS_S);
	assert_int_equal(poll(T0 + TS_S - 1), -1);
	assert_int_equal(poll(T0 + TS_S), SRT_KEEPALIVE);
	assert_int_equal(said.cif_len, 4);
	assert_int_equal(srt_rcv_expiry(&r), T0 + 2 * TS_S);
	control(T0 + 2 * TS_S, SRT_KEEPALIVE, 0, "\0\0\0\0", 4);
	assert_int_equal(v.action, SRT_ABSORB);
	assert_false(srt_rcv_dead(&r, T0 + 7 * TS_S - 1));
	assert_true(srt_rcv_dead(&r, T0 + 7 * TS_S));
}

static void shutdown_ends_it_both_ways(void **)
{
	srt_rcv_close(&r);
	assert_int_equal(srt_rcv_expiry(&r), 0);
	assert_int_equal(poll(T0), SRT_SHUTDOWN);
	assert_int_equal(poll(T0 + 10 * TS_S), -1);
	assert_true(srt_rcv_dead(&r, T0));
	init(NULL);
	control(T0, SRT_SHUTDOWN, 0, "\0\0\0\0", 4);
	assert_int_equal(v.action, SRT_CLOSE);
	assert_true(srt_rcv_dead(&r, T0));
	assert_int_equal(media(0), SRT_DROP);
	assert_int_equal(poll(T0 + 10 * TS_S), -1);
	assert_int_equal(srt_rcv_expiry(&r), TS_NEVER);
}

static void what_has_no_place_here_is_named(void **)
{
	uint8_t d[SRT_HDR + 4] = {0x80, 9};

	assert_int_equal(srt_rcv_feed(&r, T0, d, SRT_HDR, &v), 0);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_UNKNOWN);
	assert_int_equal(srt_rcv_feed(&r, T0, d, SRT_HDR - 1, &v), -EBADMSG);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_MALFORMED);
	d[0] = 0;
	assert_int_equal(srt_rcv_feed(&r, T0, d, SRT_HDR, &v), -EBADMSG); // media without media
	control(T0, SRT_ACK, 1, "\0\0\0\0", 4);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_UNEXPECTED);
	control(T0, SRT_NAK, 0, "\0\0\0\0", 4);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_UNEXPECTED);
	media_at(T0, 0, SRT_WORD1_SINGLE | 0x08000000);
	assert_true(v.action == SRT_DROP && v.why == SRT_WHY_CRYPTO);
	assert_int_equal(control(T0, SRT_DROPREQ, 0, "\0\0\0\0", 4), -EBADMSG);
	assert_int_equal(poll(T0), -1);
}

// --- against libsrt -------------------------------------------------------------------------

// The report of the first loss got lost, and libsrt repeats its first one only after 300 ms.
enum { CAPTURED = 400, NEVER_CAME = 71 };

struct replay {
	bool theirs[CAPTURED], ours[CAPTURED], delivered[CAPTURED];
	uint32_t isn, their_next;
	bool up;
};

static void note_loss(const struct replay *p, bool *asked, const struct srt_ctrl *c)
{
	struct srt_loss l = srt_loss_of(c->cif, c->cif_len);
	uint32_t first, last;

	while (srt_loss_next(&l, &first, &last))
		for (uint32_t seq = first; seq31_off(seq, last) >= 0; seq = seq31_add(seq, 1)) {
			int32_t n = seq31_off(p->isn, seq);

			assert_in_range(n, 0, CAPTURED - 1);
			asked[n] = true;
		}
}

static void replay_theirs(struct replay *p, const struct pcap_pkt *pkt)
{
	struct srt_ctrl c;
	struct srt_ack a;

	assert_int_equal(srt_pkt_parse_ctrl(pkt->data, pkt->len, &c), 0);
	if (c.type == SRT_NAK)
		note_loss(p, p->theirs, &c);
	if (c.type == SRT_ACK && !srt_ack_parse(&c, &a))
		p->their_next = a.next;
}

static void replay_publisher(struct replay *p, const struct pcap_pkt *pkt)
{
	uint8_t out[SRT_POLL_MAX];
	struct srt_ctrl c;
	ssize_t n;

	// Its ACKACKs answer libsrt's ACKs, not ours.
	if (!srt_pkt_parse_ctrl(pkt->data, pkt->len, &c) && c.type == SRT_ACKACK)
		return;
	srt_rcv_feed(&r, pkt->at, pkt->data, pkt->len, &v);
	if (v.action == SRT_DELIVER) {
		assert_in_range(v.seq, 0, CAPTURED - 1);
		assert_false(p->delivered[v.seq]);
		p->delivered[v.seq] = true;
		// Sent right away, unless again: so it is due a latency after it came.
		if (!v.retransmitted)
			assert_in_range(v.play, pkt->at + 100 * TS_MS, pkt->at + 130 * TS_MS);
	}
	while ((n = srt_rcv_poll(&r, pkt->at, out, sizeof(out))) > 0) {
		assert_int_equal(srt_pkt_parse_ctrl(out, (size_t)n, &c), 0);
		if (c.type == SRT_NAK)
			note_loss(p, p->ours, &c);
	}
}

// Given what a libsrt receiver was given, ours asks for the same packets and ends at the same one.
static void a_captured_session_is_received_as_by_libsrt(void **)
{
	static struct replay p;
	struct pcap_pkt pkt;
	struct pcap f;
	uint16_t listener = 0;

	pcap_open(&f, "srt_media.pcap");
	while (pcap_next(&f, &pkt)) {
		if (!listener)
			listener = pkt.to;
		if (p.up && pkt.to == listener && srt_pkt_dst(pkt.data))
			replay_publisher(&p, &pkt);
		else if (p.up && pkt.from == listener && be32_get(pkt.data) != 0x80000000u)
			replay_theirs(&p, &pkt);
		if (p.up || pkt.to != listener || be32_get(pkt.data + 36) != 0xffffffffu)
			continue;
		p.isn = be32_get(pkt.data + 24);
		srt_rcv_init(&r, pkt.at,
			&(struct srt_rcv_opts){.isn = p.isn,
				.t0 = pkt.at,
				.base_arrival = pkt.at,
				.base_ts = be32_get(pkt.data + 8),
				.latency_us = LATENCY,
				.peer_rexmitflg = true});
		p.up = true;
	}
	assert_memory_equal(p.ours, p.theirs, sizeof(p.ours));
	assert_int_equal(seq31_add(p.isn, (uint32_t)srt_rcv_first_hole(&r)), p.their_next);
	for (int n = 0; n < CAPTURED; n++)
		assert_int_equal(p.delivered[n], n != NEVER_CAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(media_is_delivered_with_number_and_play_time, init),
		cmocka_unit_test_setup(a_hole_is_reported_filled_and_told, init),
		cmocka_unit_test_setup(holes_of_a_batch_are_one_report, init),
		cmocka_unit_test_setup(the_report_is_repeated_until_too_late, init),
		cmocka_unit_test_setup(reports_come_twice_as_often_when_time_runs_out, init),
		cmocka_unit_test_setup(heavy_losses_are_reported_more_often, init),
		cmocka_unit_test_setup(a_sample_hurries_the_report, init),
		cmocka_unit_test_setup(the_r_bit_is_a_number_to_old_peers, init),
		cmocka_unit_test_setup(before_the_first_and_beyond_the_window, init),
		cmocka_unit_test_setup(the_window_follows_a_sender_that_went_on, init),
		cmocka_unit_test_setup(full_acks_come_every_10_ms, init),
		cmocka_unit_test_setup(light_acks_come_every_64_packets_between, init),
		cmocka_unit_test_setup(an_unanswered_ack_is_repeated, init),
		cmocka_unit_test_setup(even_the_first_hole_is_acknowledged_up_to, init),
		cmocka_unit_test_setup(only_our_own_acks_are_samples, init),
		cmocka_unit_test_setup(dropped_packets_are_waited_for_no_longer, init),
		cmocka_unit_test_setup(silence_is_broken_and_bounded, init),
		cmocka_unit_test_setup(shutdown_ends_it_both_ways, init),
		cmocka_unit_test_setup(what_has_no_place_here_is_named, init),
		cmocka_unit_test_setup(a_captured_session_is_received_as_by_libsrt, init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
