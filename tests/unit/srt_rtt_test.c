// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_rtt.h"

#include "pcap.h"
#include "proto/srt_pkt.h"

// The receiver of srt_media.pcap told its sender RTT and variance after each of its own samples:
// ours, fed with the times of the same ACKs and ACKACKs, says the same to 20 us in most and 0.5 ms
// in all of 127 cases: the capture sees packets a little after or before libsrt takes its clock.
static void smoothing_follows_libsrt(void **)
{
	struct srt_rtt ours = srt_rtt_initial();
	ts_us sent[256] = {0};
	unsigned compared = 0;
	struct pcap_pkt p;
	struct pcap f;

	pcap_open(&f, "srt_media.pcap");
	while (pcap_next(&f, &p)) {
		struct srt_ctrl c;
		struct srt_ack a;

		if (srt_pkt_parse_ctrl(p.data, p.len, &c))
			continue;
		if (c.type == SRT_ACKACK && sent[c.info % 256]) {
			srt_rtt_sample(&ours, (uint32_t)(p.at - sent[c.info % 256]));
			sent[c.info % 256] = 0; // doubled by the path
		}
		if (c.type != SRT_ACK || srt_ack_parse(&c, &a))
			continue;
		sent[a.number % 256] = p.at;
		assert_in_range(a.rtt_us, ours.us - 600, ours.us + 600);
		assert_in_range(a.rtt_var_us + 600, ours.var_us, ours.var_us + 1200);
		compared++;
	}
	assert_int_equal(compared, 127);
	assert_in_range(ours.us, 10000, 14000); // the path: 10 ms, some 10 more
}

static void the_first_sample_counts_whole(void **)
{
	struct srt_rtt r = srt_rtt_initial();

	assert_false(srt_rtt_known(&r));
	assert_true(r.us == 100000 && r.var_us == 50000);
	srt_rtt_sample(&r, 20000);
	assert_true(r.us == 20000 && r.var_us == 10000 && r.first_us == 20000);
	srt_rtt_sample(&r, 28000); // draft 4.10: 7/8, 3/4
	assert_true(r.us == 21000 && r.var_us == 9500 && r.first_us == 20000);
}

static void an_initial_pair_is_not_adopted(void **)
{
	struct srt_rtt r = srt_rtt_initial();

	srt_rtt_adopt(&r, 100000, 50000);
	assert_false(srt_rtt_known(&r));
	srt_rtt_adopt(&r, 0, 0);
	assert_false(srt_rtt_known(&r));
	srt_rtt_adopt(&r, 30000, 2000);
	assert_true(srt_rtt_known(&r) && r.us == 30000 && r.var_us == 2000);
	srt_rtt_adopt(&r, UINT32_MAX, UINT32_MAX); // hostile: no overflow below
	assert_int_equal(r.us, SRT_RTT_MAX);
	assert_true(srt_rtt_ack_repeat(&r) > r.us && srt_rtt_nak_period(&r) > r.us);
	assert_true(srt_rtt_suppress(&r) <= r.us);
}

static void periods_follow_the_round_trip(void **)
{
	struct srt_rtt r = srt_rtt_initial();

	assert_int_equal(srt_rtt_nak_period(&r), 40000);
	assert_int_equal(srt_rtt_suppress(&r), 20000);
	r = (struct srt_rtt){.us = 200000, .var_us = 5000, .first_us = 1};
	assert_int_equal(srt_rtt_nak_period(&r), 110000);
	assert_int_equal(srt_rtt_suppress(&r), 120000);
	assert_int_equal(srt_rtt_ack_repeat(&r), 220000);
	r = (struct srt_rtt){.us = 1000, .var_us = 500, .first_us = 1};
	assert_int_equal(srt_rtt_nak_period(&r), 20000);
	assert_int_equal(srt_rtt_suppress(&r), 750);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smoothing_follows_libsrt),
		cmocka_unit_test(the_first_sample_counts_whole),
		cmocka_unit_test(an_initial_pair_is_not_adopted),
		cmocka_unit_test(periods_follow_the_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
