// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/rtp.h"
#include "proto/rtp_rx.h"
#include "test.h"

static struct rtp_rx_verdict feed(struct rtp_rx *r, ts_us now, uint32_t ssrc, uint16_t seq)
{
	uint8_t data[RTP_HDR + 4] = {0};
	struct rtp_hdr h = {.ssrc = ssrc, .seq = seq, .pt = 96, .ts = (uint32_t)(now * 9 / 100)};
	struct rtp_rx_verdict v;

	rtp_write(data, &h);
	rtp_rx_feed(r, now, data, sizeof(data), &v);
	return v;
}

static void numbers_are_extended_over_the_wrap(void **state)
{
	struct rtp_rx r;

	rtp_rx_init(&r);
	assert_int_equal(feed(&r, 0, 1, 65534).action, RTP_RX_BEGIN);
	for (uint64_t i = 1; i < 200000; i++) {
		struct rtp_rx_verdict v = feed(&r, i * 1000, 1, (uint16_t)(65534 + i));

		assert_int_equal(v.action, RTP_RX_DELIVER);
		assert_int_equal(v.seq, i);
		assert_int_equal(v.off, RTP_HDR);
		assert_int_equal(v.len, 4);
	}
	assert_int_equal(rtp_rx_lost(&r), 0);
}

static void a_late_packet_fills_its_place(void **state)
{
	struct rtp_rx r;

	rtp_rx_init(&r);
	feed(&r, 0, 1, 10);
	assert_int_equal(feed(&r, 1, 1, 12).seq, 2);
	assert_int_equal(rtp_rx_lost(&r), 1);
	assert_int_equal(feed(&r, 2, 1, 11).seq, 1);
	assert_int_equal(rtp_rx_lost(&r), 0);
}

static void a_stranger_waits_for_a_second_of_silence(void **state)
{
	struct rtp_rx r;

	rtp_rx_init(&r);
	feed(&r, 0, 1, 10);
	assert_int_equal(feed(&r, RTP_RX_SILENCE, 2, 77).action, RTP_RX_STRANGER);
	assert_int_equal(feed(&r, RTP_RX_SILENCE, 1, 11).seq, 1);
	assert_int_equal(feed(&r, 2 * RTP_RX_SILENCE + 1, 2, 78).action, RTP_RX_BEGIN);
	assert_int_equal(feed(&r, 2 * RTP_RX_SILENCE + 2, 2, 79).seq, 1);
}

static void one_packet_far_off_is_a_stray_two_in_a_row_a_restart(void **state)
{
	struct rtp_rx r;

	rtp_rx_init(&r);
	feed(&r, 0, 1, 10);
	assert_int_equal(feed(&r, 1, 1, 20000).action, RTP_RX_STRANGER);
	assert_int_equal(feed(&r, 2, 1, 11).seq, 1);
	assert_int_equal(feed(&r, 3, 1, 30000).action, RTP_RX_STRANGER);
	assert_int_equal(feed(&r, 4, 1, 30001).seq, 0);
	assert_int_equal(feed(&r, 5, 1, 30002).seq, 1);
}

static void a_packet_from_before_the_first_is_refused(void **state)
{
	struct rtp_rx r;

	rtp_rx_init(&r);
	feed(&r, 0, 1, 10);
	assert_int_equal(feed(&r, 1, 1, 9).action, RTP_RX_STRANGER);
}

static void a_duplicate_hides_no_loss(void **state)
{
	struct rtp_rx r;

	rtp_rx_init(&r);
	feed(&r, 0, 1, 65530);
	for (uint16_t i = 1; i < 2000; i++) {
		uint16_t seq = (uint16_t)(65530 + i);

		if (i % 100 == 0)
			continue;
		assert_int_equal(feed(&r, i, 1, seq).action, RTP_RX_DELIVER);
		assert_int_equal(feed(&r, i, 1, seq).action, RTP_RX_DUPLICATE);
	}
	assert_int_equal(rtp_rx_lost(&r), 19);
	assert_int_equal(r.duplicate, 1980);
	assert_int_equal(feed(&r, 2000, 1, (uint16_t)(65530 + 1900)).action, RTP_RX_DELIVER);
	assert_int_equal(rtp_rx_lost(&r), 18);
	assert_int_equal(r.reordered, 1);
}

static void a_gap_as_wide_as_the_window_leaves_no_ghosts(void **state)
{
	struct rtp_rx r;

	rtp_rx_init(&r);
	for (uint16_t i = 0; i < RTP_RX_MISORDER; i++)
		feed(&r, i, 1, i);
	assert_int_equal(feed(&r, 600, 1, 2500).action, RTP_RX_DELIVER);
	for (uint16_t i = 1; i < RTP_RX_MISORDER; i++)
		assert_int_equal(feed(&r, 600, 1, (uint16_t)(2500 - i)).action, RTP_RX_DELIVER);
	assert_int_equal(rtp_rx_lost(&r), 2501 - 2 * RTP_RX_MISORDER);
	assert_int_equal(r.duplicate, 0);
}

// The 32 bits of a timestamp wrap, and so does arrival in its units: neither is jitter.
static void jitter_knows_no_wrap(void **state)
{
	struct rtp_rx r;
	uint8_t data[RTP_HDR] = {0};
	struct rtp_rx_verdict v;
	ts_us start = 47721858000u - 1000000u; // 2^32 / 90 kHz, less a second

	rtp_rx_init(&r);
	for (uint16_t i = 0; i < 100; i++) {
		struct rtp_hdr h = {.ssrc = 1, .seq = i, .pt = 33};

		h.ts = 0x80000000u - 90000u + i * 1800u;
		rtp_write(data, &h);
		rtp_rx_feed(&r, start + i * 20000u, data, sizeof(data), &v);
	}
	assert_in_range(rtp_rx_jitter_us(&r), 0, 100);
}

// RFC 3550 A.8: packets 20 ms apart that arrive 20 ms apart have none; one that is 16 ms late adds
// 16 ms / 16 = 1 ms.
static void jitter_follows_the_rfc(void **state)
{
	struct rtp_rx r;
	uint8_t data[RTP_HDR] = {0};
	struct rtp_rx_verdict v;

	rtp_rx_init(&r);
	for (uint16_t i = 0; i < 11; i++) {
		struct rtp_hdr h = {.ssrc = 1, .seq = i, .pt = 33, .ts = i * 1800u};

		rtp_write(data, &h);
		rtp_rx_feed(&r, i * 20000u + (i == 10 ? 16000 : 0), data, sizeof(data), &v);
	}
	assert_in_range(rtp_rx_jitter_us(&r), 990, 1010);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_extended_over_the_wrap),
		cmocka_unit_test(a_late_packet_fills_its_place),
		cmocka_unit_test(a_stranger_waits_for_a_second_of_silence),
		cmocka_unit_test(one_packet_far_off_is_a_stray_two_in_a_row_a_restart),
		cmocka_unit_test(a_packet_from_before_the_first_is_refused),
		cmocka_unit_test(a_duplicate_hides_no_loss),
		cmocka_unit_test(a_gap_as_wide_as_the_window_leaves_no_ghosts),
		cmocka_unit_test(jitter_knows_no_wrap),
		cmocka_unit_test(jitter_follows_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
