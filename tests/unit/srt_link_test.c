// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Several links of a group into one receive window (srt-wire 15).

#include "proto/srt_link.h"

#include "base/seq.h"
#include "pcap.h"
#include "proto/srt_clock.h"
#include "proto/srt_hs.h"
#include "proto/srt_rcv.h"

#define T0 (1000 * (ts_us)TS_S)
#define ISN 0x7fffff80u // wraps after 128 packets

enum { LATENCY = 120 * TS_MS, A = 0, B = 1, PERIOD = TS_MS, FLOWS_US = 100 * TS_MS };

static struct srt_rcv links[2];
static struct srt_verdict v;
static struct srt_ctrl said;
static uint8_t said_bytes[SRT_POLL_MAX];

static struct srt_rcv_opts opts_of(int link, uint32_t isn)
{
	return (struct srt_rcv_opts){.own_id = 5,
		.peer_id = 70 + (uint32_t)link,
		.isn = isn,
		.t0 = T0,
		.base_arrival = T0,
		.latency_us = LATENCY,
		.peer_rexmitflg = true};
}

static int init(void **)
{
	struct srt_rcv_opts a = opts_of(A, ISN), b = opts_of(B, ISN);

	srt_rcv_init(&links[A], T0, &a);
	srt_rcv_join(&links[B], T0, &b, &links[A]);
	return 0;
}

static ts_us due(uint32_t n)
{
	return T0 + n * (ts_us)PERIOD;
}

static enum srt_action media_at(int link, ts_us now, uint32_t n, uint32_t more)
{
	uint8_t d[SRT_HDR + 188] = {0};

	srt_pkt_write_data(
		d, seq31_add(ISN, n), SRT_WORD1_SINGLE | more | seq_msgno(n), n * PERIOD, 5);
	assert_int_equal(srt_rcv_feed(&links[link], now, d, sizeof(d), &v), 0);
	return v.action;
}

static enum srt_action media(int link, uint32_t n)
{
	return media_at(link, due(n), n, 0);
}

static void control(int link, ts_us now, enum srt_type type, uint32_t info)
{
	uint8_t d[64];
	struct bytes_out b = bytes_out_of(d, sizeof(d));

	srt_pkt_put_bare(&b, type, info, (uint32_t)(now - T0), 5);
	srt_rcv_feed(&links[link], now, d, bytes_out_len(&b), &v);
}

static void dropreq(int link, ts_us now, uint32_t first, uint32_t last)
{
	uint8_t d[SRT_DROPREQ_LEN];

	srt_dropreq_write(d, seq31_add(ISN, first), seq31_add(ISN, last), 0, 5);
	assert_int_equal(srt_rcv_feed(&links[link], now, d, sizeof(d), &v), 0);
}

// What a link has to say at `now`: its type, or -1.
static int poll(int link, ts_us now)
{
	ssize_t n = srt_rcv_poll(&links[link], now, said_bytes, sizeof(said_bytes));

	if (!n)
		return -1;
	assert_int_equal(srt_pkt_parse_ctrl(said_bytes, (size_t)n, &said), 0);
	assert_int_equal(said.dst, 70 + link);
	return said.type;
}

static uint32_t acked(void)
{
	struct srt_ack a;

	assert_int_equal(said.type, SRT_ACK);
	assert_int_equal(srt_ack_parse(&said, &a), 0);
	return (uint32_t)seq31_off(ISN, a.next);
}

static void lost_is(uint32_t first_n, uint32_t last_n)
{
	struct srt_loss l = srt_loss_of(said.cif, said.cif_len);
	uint32_t first, last;

	assert_int_equal(said.type, SRT_NAK);
	assert_true(srt_loss_next(&l, &first, &last));
	assert_int_equal(first, seq31_add(ISN, first_n));
	assert_int_equal(last, seq31_add(ISN, last_n));
	assert_false(srt_loss_next(&l, &first, &last));
}

// Reports of a link up to now.
static unsigned naks(int link, ts_us now)
{
	unsigned n = 0;
	int type;

	while ((type = poll(link, now)) >= 0)
		n += type == SRT_NAK;
	return n;
}

// --- broadcast ------------------------------------------------------------------------------

static void every_packet_is_delivered_once(void **)
{
	for (uint32_t n = 0; n < 1000; n++) {
		int first = n % 3 ? A : B;

		assert_int_equal(media(first, n), SRT_DELIVER);
		assert_int_equal(v.seq, n);
		assert_int_equal(v.play, due(n) + LATENCY);
		assert_int_equal(media(!first, n), SRT_ABSORB);
		assert_int_equal(media(first, n), SRT_DROP); // the network doubled it
	}
	assert_int_equal(srt_rcv_stats(&links[A])->unique, 666);
	assert_int_equal(srt_rcv_stats(&links[B])->unique, 334);
	assert_int_equal(srt_rcv_stats(&links[A])->redundant, 334);
	assert_int_equal(srt_rcv_stats(&links[B])->redundant, 666);
	assert_int_equal(srt_rcv_stats(&links[A])->duplicate, 666);
	assert_int_equal(srt_rcv_first_hole(&links[B]), 1000);
}

// B comes 10 ms after A. Either loses a tenth, never the same packets: nobody is asked for
// anything.
static void what_the_other_link_brings_is_not_asked_for(void **)
{
	for (uint32_t n = 0; n < 2000; n++) {
		if (n < 20 || n % 10 != 3)
			media(A, n);
		if (n >= 10 && (n - 10) % 10 != 7)
			media_at(B, due(n), n - 10, 0);
		assert_int_equal(naks(A, due(n)) + naks(B, due(n)), 0);
	}
	assert_int_equal(srt_rcv_stats(&links[A])->missed, 198);
	assert_int_equal(srt_rcv_stats(&links[B])->missed, 199);
	assert_int_equal(srt_rcv_stats(&links[B])->recovered, 197);
	assert_int_equal(srt_rcv_given_up(&links[A]), 0);
	assert_int_equal(srt_rcv_first_hole(&links[A]), 1993);
}

static void what_both_have_lost_is_asked_for_when_the_later_has_passed_it(void **)
{
	for (uint32_t n = 0; n < 3; n++)
		media(A, n), media(B, n);
	media(A, 5);
	assert_int_equal(poll(A, due(5)), SRT_ACK);
	assert_int_equal(acked(), 3);
	assert_int_equal(poll(A, due(6)), -1);
	media_at(B, due(9), 6, 0);
	assert_int_equal(poll(B, due(9)), SRT_NAK);
	lost_is(3, 4);
	media_at(B, due(20), 3, SRT_WORD1_R);
	assert_true(v.action == SRT_DELIVER && v.recovered && v.retransmitted);
}

static void a_link_that_has_stopped_is_not_waited_for(void **)
{
	for (uint32_t n = 0; n < 3; n++)
		media(A, n), media(B, n);
	for (uint32_t n = 3; n < 103; n++)
		media(A, n);
	naks(A, due(102));
	media(A, 104);
	assert_int_equal(poll(A, due(104)), SRT_NAK);
	lost_is(103, 103);
}

// B flows, far behind: its time is a quarter of the latency.
static void a_link_that_lags_is_waited_for_a_while(void **)
{
	uint32_t n;

	for (n = 0; n < 100; n++)
		media(A, n);
	media_at(B, due(n), 0, 0);
	naks(A, due(n));
	media(A, n + 1);
	for (uint32_t ms = 1; ms < LATENCY / 4 / TS_MS; ms++) {
		media_at(B, due(n + 1 + ms), ms, 0);
		assert_int_equal(naks(A, due(n + 1 + ms)), 0);
	}
	for (uint32_t ms = 30; ms < 60 && poll(A, due(n + 1 + ms)) != SRT_NAK; ms++)
		media_at(B, due(n + 1 + ms), ms, 0);
	lost_is(n, n);
}

static void a_link_is_acknowledged_for_what_it_brought(void **)
{
	for (uint32_t n = 0; n < 20; n++)
		media(A, n);
	assert_int_equal(poll(A, due(20)), SRT_ACK);
	assert_int_equal(acked(), 20);
	assert_int_equal(poll(B, due(20)), -1); // nothing has come by it
	for (uint32_t n = 0; n < 5; n++)
		media_at(B, due(20 + n), n, 0);
	assert_int_equal(poll(B, due(40)), SRT_ACK);
	assert_int_equal(acked(), 5);
	media_at(B, due(41), 25, 0); // ahead of A, over a hole that A may fill
	while (poll(B, due(60)) == SRT_NAK)
		;
	assert_int_equal(acked(), 20);
	assert_true(poll(A, due(61)) < 0 || acked() == 20);
}

static void a_link_joins_in_the_middle(void **)
{
	struct srt_rcv_opts late = opts_of(B, seq31_add(ISN, 300));

	srt_rcv_leave(&links[B]);
	for (uint32_t n = 0; n < 310; n++)
		media(A, n);
	srt_rcv_join(&links[B], due(310), &late, &links[A]);
	media(A, 312); // 310 and 311 are missing
	naks(A, due(312));
	dropreq(B, due(312), 300, 312); // it begins at 313, and says so
	media(B, 313);
	assert_int_equal(naks(B, due(320)), 0); // what it will not bring
	assert_int_equal(srt_rcv_given_up(&links[A]), 0);
	media_at(A, due(330), 310, SRT_WORD1_R);
	media_at(A, due(330), 311, SRT_WORD1_R);
	assert_int_equal(srt_rcv_first_hole(&links[A]), 314);
	assert_int_equal(srt_rcv_stats(&links[B])->missed, 3); // of what had not come by then
}

static void what_no_link_will_bring_is_given_up(void **)
{
	uint64_t first, last;

	for (int link = A; link <= B; link++)
		media(link, 0), media(link, 10);
	dropreq(A, due(11), 1, 9);
	assert_false(srt_rcv_gave_up(&links[A], &first, &last));
	dropreq(B, due(11), 1, 7);
	assert_true(srt_rcv_gave_up(&links[B], &first, &last));
	assert_true(first == 1 && last == 7);
	naks(A, due(12));
	assert_int_equal(poll(B, due(60)), SRT_NAK);
	lost_is(8, 9);
	dropreq(B, due(60), 1, 9);
	assert_int_equal(srt_rcv_first_hole(&links[A]), 11);
	dropreq(B, due(60), 11, 0x3fffffff); // a claim without end is none
	assert_int_equal(srt_rcv_first_hole(&links[A]), 11);
}

static void too_late_is_too_late_for_all(void **)
{
	uint64_t first, last;

	for (int link = A; link <= B; link++)
		media(link, 0), media(link, 2);
	assert_true(srt_rcv_expiry(&links[B]) <= due(2) + LATENCY);
	srt_rcv_on_expiry(&links[B], due(2) + LATENCY);
	assert_true(srt_rcv_gave_up(&links[B], &first, &last));
	assert_true(first == 1 && last == 1);
	assert_false(srt_rcv_gave_up(&links[A], &first, &last));
	assert_int_equal(media_at(A, due(2) + LATENCY, 1, SRT_WORD1_R), SRT_DROP);
	assert_int_equal(v.why, SRT_WHY_LATE);
}

// A longer path is no drift of the peer's clock.
static void a_longer_path_does_not_move_the_clock(void **)
{
	for (uint32_t n = 0; n < 30000; n++) {
		ts_us now = due(n) + 30 * TS_MS;

		media(A, n);
		media_at(B, now, n, 0);
		for (int type; (type = poll(B, now)) >= 0;)
			if (type == SRT_ACK && said.info)
				control(B, now, SRT_ACKACK, said.info);
	}
	// Those ACKACKs are stamped with the time they arrive at: as if the path took no time.
	media(A, 30000);
	assert_in_range(v.play, due(30000) + LATENCY - 10, due(30000) + LATENCY + 10);
}

static void a_lag_is_taken_out_of_the_samples(void **)
{
	for (uint32_t n = 0; n < 30000; n++) {
		ts_us now = due(n) + 30 * TS_MS;

		media(A, n);
		media_at(B, now, n, 0);
		for (int type; (type = poll(B, now)) >= 0;)
			if (type == SRT_ACK && said.info) {
				uint8_t d[SRT_HDR + 4];
				struct bytes_out b = bytes_out_of(d, sizeof(d));

				srt_pkt_put_bare(&b, SRT_ACKACK, said.info, n * PERIOD, 5);
				srt_rcv_feed(&links[B], now + 1, d, bytes_out_len(&b), &v);
			}
	}
	assert_true(srt_rtt_known(srt_rcv_rtt(&links[B])));
	media(A, 30000);
	assert_in_range(v.play, due(30000) + LATENCY - 10, due(30000) + LATENCY + 10);
}

// --- links go -------------------------------------------------------------------------------

static void a_link_dies_and_the_other_repairs(void **)
{
	for (uint32_t n = 0; n < 5; n++)
		media(A, n);
	media(A, 7);
	for (uint32_t n = 0; n < 4; n++)
		media_at(B, due(8), n, 0);
	control(A, due(8), SRT_SHUTDOWN, 0);
	assert_int_equal(v.action, SRT_CLOSE);
	srt_rcv_leave(&links[A]);
	assert_false(srt_rcv_dead(&links[B], due(8)));
	assert_int_equal(media_at(B, due(9), 5, 0), SRT_DELIVER);
	media_at(B, due(10), 8, 0);
	assert_int_equal(poll(B, due(10)), SRT_NAK);
	lost_is(6, 6);
	media_at(B, due(15), 6, SRT_WORD1_R);
	assert_int_equal(srt_rcv_first_hole(&links[B]), 9);
	dropreq(B, due(16), 9, 12); // it decides alone now
	assert_int_equal(srt_rcv_first_hole(&links[B]), 13);
}

static void the_first_link_may_leave_first(void **)
{
	media(A, 0);
	srt_rcv_leave(&links[A]);
	for (uint32_t n = 0; n < 100; n++)
		assert_int_equal(media(B, n), n ? SRT_DELIVER : SRT_ABSORB);
	srt_rcv_leave(&links[B]);
}

// --- backup ---------------------------------------------------------------------------------

static void a_resting_link_says_nothing_but_that_it_lives(void **)
{
	for (uint32_t n = 0; n < 3000; n++) {
		media(A, n);
		naks(A, due(n));
		if (n % 1000 == 999)
			control(B, due(n), SRT_KEEPALIVE, 0);
		for (int type; (type = poll(B, due(n))) >= 0;)
			assert_int_equal(type, SRT_KEEPALIVE);
	}
	assert_false(srt_rcv_dead(&links[B], due(3000)));
}

// A dies with a hole of two and some that nobody saw. B sends again what A had not acknowledged.
static void a_switch_of_the_active_link_loses_nothing(void **)
{
	for (uint32_t n = 0; n < 500; n++)
		if (n != 480 && n != 481)
			media(A, n);
	naks(A, due(500));
	control(B, due(500), SRT_KEEPALIVE, 0);
	media_at(B, due(560), 476, 0);
	assert_int_equal(v.action, SRT_ABSORB);
	assert_int_equal(naks(B, due(560)), 0);
	for (uint32_t n = 477; n < 560; n++)
		media_at(B, due(560) + n, n, 0);
	assert_int_equal(srt_rcv_first_hole(&links[B]), 560);
	assert_int_equal(srt_rcv_stats(&links[B])->missed, 0);
	assert_int_equal(srt_rcv_stats(&links[B])->recovered, 2);
	assert_int_equal(srt_rcv_stats(&links[B])->redundant, 480 - 476 + 500 - 482);
	assert_int_equal(srt_rcv_given_up(&links[B]), 0);
	assert_int_equal(poll(B, due(600)), SRT_ACK);
	assert_int_equal(acked(), 560);
}

// The first ones that B sends are lost: they are asked for, and nothing before them.
static void the_beginning_of_a_switch_is_repaired(void **)
{
	for (uint32_t n = 0; n < 500; n++)
		media(A, n);
	naks(A, due(500));
	media_at(B, due(610), 503, 0);
	assert_int_equal(poll(B, due(610)), SRT_NAK);
	lost_is(500, 502);
	assert_int_equal(srt_rcv_stats(&links[B])->missed, 3);
}

// --- against libsrt -------------------------------------------------------------------------

enum { CAPTURED = 400 };

struct replay {
	uint16_t ports[2];
	uint32_t sent[2]; // newest number that a link's peer has sent, plus 1
	uint32_t isn, n_links, n_delivered;
	bool delivered[CAPTURED];
};

static int link_of(const struct replay *p, uint16_t port)
{
	return p->n_links > 0 && port == p->ports[A]   ? A
	       : p->n_links > 1 && port == p->ports[B] ? B
						       : -1;
}

static void replay_conclusion(struct replay *p, const struct pcap_pkt *pkt)
{
	struct srt_rcv_opts o = {.t0 = pkt->at,
		.base_arrival = pkt->at,
		.base_ts = be32_get(pkt->data + 8),
		.latency_us = 200 * TS_MS,
		.peer_rexmitflg = true};
	struct srt_hs_req r;

	assert_int_equal(srt_hs_conclusion_parse(pkt->data, pkt->len, &r), 0);
	o.isn = p->isn = r.isn;
	if (!p->n_links)
		srt_rcv_init(&links[A], pkt->at, &o);
	else
		srt_rcv_join(&links[B], pkt->at, &o, &links[A]);
	p->ports[p->n_links++] = pkt->from;
}

// What would break the connection: to acknowledge or ask for what the peer has not sent there.
static void check_said(const struct replay *p, int link, const uint8_t *out, size_t len)
{
	struct srt_ctrl c;
	struct srt_ack a;
	struct srt_loss l;
	uint32_t first, last;

	assert_int_equal(srt_pkt_parse_ctrl(out, len, &c), 0);
	if (c.type == SRT_ACK && !srt_ack_parse(&c, &a))
		assert_true(seq31_off(p->isn, a.next) <= (int32_t)p->sent[link]);
	l = srt_loss_of(c.cif, c.cif_len);
	while (c.type == SRT_NAK && srt_loss_next(&l, &first, &last))
		assert_true(seq31_off(p->isn, last) < (int32_t)p->sent[link]);
}

static void replay_link(struct replay *p, int link, const struct pcap_pkt *pkt)
{
	uint8_t out[SRT_POLL_MAX];
	struct srt_ctrl c;
	ssize_t n;

	if (!srt_pkt_parse_ctrl(pkt->data, pkt->len, &c) && c.type == SRT_ACKACK)
		return; // it answers libsrt's ACK, not ours
	if (!srt_pkt_is_ctrl(pkt->data)) {
		uint32_t end = (uint32_t)seq31_off(p->isn, be32_get(pkt->data)) + 1;

		p->sent[link] = end > p->sent[link] ? end : p->sent[link];
	}
	srt_rcv_feed(&links[link], pkt->at, pkt->data, pkt->len, &v);
	if (v.action == SRT_DELIVER) {
		assert_in_range(v.seq, 0, CAPTURED - 1);
		assert_false(p->delivered[v.seq]);
		p->delivered[v.seq] = true;
		p->n_delivered++;
		assert_true(v.play > pkt->at);
	}
	while ((n = srt_rcv_poll(&links[link], pkt->at, out, sizeof(out))) > 0)
		check_said(p, link, out, (size_t)n);
}

static void replay_group(const char *file, struct replay *p)
{
	struct pcap_pkt pkt;
	struct pcap f;
	uint16_t listener = 0;

	*p = (struct replay){0};
	pcap_open(&f, file);
	while (pcap_next(&f, &pkt)) {
		bool handshake = be32_get(pkt.data) == 0x80000000u;

		if (!listener)
			listener = pkt.to;
		if (pkt.to != listener)
			continue;
		if (handshake && be32_get(pkt.data + 36) == 0xffffffffu)
			replay_conclusion(p, &pkt);
		else if (!handshake && link_of(p, pkt.from) >= 0)
			replay_link(p, link_of(p, pkt.from), &pkt);
	}
	assert_int_equal(p->n_links, 2);
}

static void a_captured_broadcast_group_arrives_whole(void **)
{
	static struct replay p;

	replay_group("srt_bonded.pcap", &p);
	assert_int_equal(p.n_delivered, CAPTURED);
	assert_int_equal(srt_rcv_given_up(&links[A]), 0);
	assert_true(srt_rcv_stats(&links[A])->unique > 150);
	assert_true(srt_rcv_stats(&links[B])->unique > 200);
	assert_true(srt_rcv_stats(&links[B])->redundant > 150);
}

// libsrt's own receiver gave up two packets of this switch.
static void a_captured_backup_group_survives_its_switch(void **)
{
	static struct replay p;

	replay_group("srt_backup.pcap", &p);
	assert_in_range(p.n_delivered, CAPTURED - 2, CAPTURED);
	assert_in_range(srt_rcv_stats(&links[A])->unique, 190, 210);
	assert_in_range(srt_rcv_stats(&links[B])->unique, 190, 210);
	assert_true(srt_rcv_stats(&links[B])->missed < 30);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, init)
	const struct CMUnitTest tests[] = {
		TEST(every_packet_is_delivered_once),
		TEST(what_the_other_link_brings_is_not_asked_for),
		TEST(what_both_have_lost_is_asked_for_when_the_later_has_passed_it),
		TEST(a_link_that_has_stopped_is_not_waited_for),
		TEST(a_link_that_lags_is_waited_for_a_while),
		TEST(a_link_is_acknowledged_for_what_it_brought),
		TEST(a_link_joins_in_the_middle),
		TEST(what_no_link_will_bring_is_given_up),
		TEST(too_late_is_too_late_for_all),
		TEST(a_longer_path_does_not_move_the_clock),
		TEST(a_lag_is_taken_out_of_the_samples),
		TEST(a_link_dies_and_the_other_repairs),
		TEST(the_first_link_may_leave_first),
		TEST(a_resting_link_says_nothing_but_that_it_lives),
		TEST(a_switch_of_the_active_link_loses_nothing),
		TEST(the_beginning_of_a_switch_is_repaired),
		TEST(a_captured_broadcast_group_arrives_whole),
		TEST(a_captured_backup_group_survives_its_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
