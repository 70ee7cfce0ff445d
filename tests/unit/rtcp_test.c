// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/rtcp.h"
#include "test.h"

#include <string.h>

// As ffmpeg 5.1 sent it (-f rtp_mpegts), ahead of the first RTP packet of SSRC aa89a659.
static const uint8_t ffmpeg_sr[] = {0x80, 0xc8, 0x00, 0x06, 0xaa, 0x89, 0xa6, 0x59, 0xee, 0xae,
	0x5d, 0x26, 0x1d, 0x70, 0xa3, 0xd7, 0x15, 0xce, 0x3b, 0xc1, 0, 0, 0, 0, 0, 0, 0, 0};

// A compound drawn from RFC 3550, 6.4.2, 6.5 and 6.6; Wireshark's dissector reads the same figures
// out of it: RR with one block (lost -2 of 24 bits), SDES CNAME "a@b", padded BYE with "bye".
static const uint8_t compound[] = {
	0x81, 0xc9, 0x00, 0x07, 0x01, 0x02, 0x03, 0x04,				// RR
	0xde, 0xad, 0xbe, 0xef, 0x40, 0xff, 0xff, 0xfe, 0x00, 0x01, 0x00, 0x05, // block
	0x00, 0x00, 0x00, 0x2a, 0x5d, 0x26, 0x1d, 0x70, 0x00, 0x01, 0x80, 0x00, //
	0x81, 0xca, 0x00, 0x03, 0x01, 0x02, 0x03, 0x04,				// SDES
	0x01, 0x03, 'a', '@', 'b', 0x00, 0x00, 0x00,				//
	0xa1, 0xcb, 0x00, 0x03, 0x01, 0x02, 0x03, 0x04,				// BYE
	0x03, 'b', 'y', 'e', 0x00, 0x00, 0x00, 0x04,				// padding
};

static void a_senders_report_is_read(void **state)
{
	struct bytes in = bytes_of(ffmpeg_sr, sizeof(ffmpeg_sr));
	struct rtcp_pkt p;
	struct rtcp_report r;

	(void)state;
	assert_true(rtcp_is(ffmpeg_sr, sizeof(ffmpeg_sr)));
	assert_int_equal(rtcp_next(&in, &p), 1);
	assert_int_equal(p.type, RTCP_SR);
	assert_int_equal(rtcp_report_parse(&p, &r), 0);
	assert_int_equal(r.ssrc, 0xaa89a659);
	assert_int_equal(r.ntp, 0xeeae5d261d70a3d7);
	assert_int_equal(rtcp_ntp_middle(r.ntp), 0x5d261d70);
	assert_int_equal(r.ts, 0x15ce3bc1);
	assert_int_equal(r.n_blocks, 0);
	assert_int_equal(rtcp_next(&in, &p), 0);
}

static void a_compound_is_walked(void **state)
{
	struct bytes in = bytes_of(compound, sizeof(compound));
	struct rtcp_pkt p;
	struct rtcp_report r;
	struct rtcp_bye bye;

	(void)state;
	assert_int_equal(rtcp_next(&in, &p), 1);
	assert_int_equal(rtcp_report_parse(&p, &r), 0);
	assert_int_equal(r.n_blocks, 1);
	assert_int_equal(r.ntp, 0);
	assert_int_equal(r.blocks[0].ssrc, 0xdeadbeef);
	assert_int_equal(r.blocks[0].fraction, 64);
	assert_int_equal(r.blocks[0].lost, -2);
	assert_int_equal(r.blocks[0].highest_seq, 65541);
	assert_int_equal(r.blocks[0].jitter, 42);
	assert_int_equal(r.blocks[0].last_sr, 0x5d261d70);
	assert_int_equal(r.blocks[0].since_sr, 98304); // 1.5 s
	assert_int_equal(rtcp_bye_parse(&p, &bye), -1);

	assert_int_equal(rtcp_next(&in, &p), 1);
	assert_int_equal(p.type, RTCP_SDES);
	assert_int_equal(p.len, 12);

	assert_int_equal(rtcp_next(&in, &p), 1);
	assert_int_equal(rtcp_bye_parse(&p, &bye), 0);
	assert_int_equal(bye.n, 1);
	assert_int_equal(bye.ssrc[0], 0x01020304);
	assert_string_equal(bye.reason, "bye");
	assert_int_equal(rtcp_report_parse(&p, &r), -1);
	assert_int_equal(rtcp_next(&in, &p), 0);
}

static void what_is_written_is_what_the_rfc_draws(void **state)
{
	uint8_t buf[256];
	struct bytes_out b = bytes_out_of(buf, sizeof(buf));
	struct rtcp_report r = {
		.ssrc = 0x01020304,
		.n_blocks = 1,
		.blocks[0] = {.ssrc = 0xdeadbeef,
			.fraction = 64,
			.lost = -2,
			.highest_seq = 65541,
			.jitter = 42,
			.last_sr = 0x5d261d70,
			.since_sr = 98304},
	};

	(void)state;
	rtcp_put_report(&b, &r);
	rtcp_put_cname(&b, 0x01020304, "a@b");
	assert_int_equal(bytes_out_len(&b), 48);
	assert_memory_equal(buf, compound, 48);
	rtcp_put_bye(&b, 0x01020304, "bye");
	assert_int_equal(bytes_out_len(&b), 60);
	assert_memory_equal(buf + 52, compound + 52, 8); // but for the padding

	b = bytes_out_of(buf, sizeof(buf));
	rtcp_put_report(
		&b, &(struct rtcp_report){
			    .ssrc = 0xaa89a659, .ntp = 0xeeae5d261d70a3d7, .ts = 0x15ce3bc1});
	assert_int_equal(bytes_out_len(&b), sizeof(ffmpeg_sr));
	assert_memory_equal(buf, ffmpeg_sr, sizeof(ffmpeg_sr));

	b = bytes_out_of(buf, 47);
	rtcp_put_report(&b, &r);
	rtcp_put_cname(&b, 0x01020304, "a@b");
	assert_int_equal(bytes_out_len(&b), 0); // did not fit
}

static void losses_beyond_24_bits_stay_at_the_end(void **state)
{
	static const int32_t in[] = {0x7fffff, 0x800000, -0x7fffff, -0x900000};
	static const int32_t out[] = {0x7fffff, 0x7fffff, -0x7fffff, -0x7fffff};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint8_t buf[64];
		struct bytes_out b = bytes_out_of(buf, sizeof(buf));
		struct rtcp_report r = {.n_blocks = 1, .blocks[0] = {.lost = in[i]}};
		struct rtcp_pkt p;
		struct bytes back;

		rtcp_put_report(&b, &r);
		back = bytes_of(buf, bytes_out_len(&b));
		assert_int_equal(rtcp_next(&back, &p), 1);
		assert_int_equal(rtcp_report_parse(&p, &r), 0);
		assert_int_equal(r.blocks[0].lost, out[i]);
	}
}

static int walk(const uint8_t *data, size_t len)
{
	struct bytes in = bytes_of(data, len);
	struct rtcp_pkt p;
	int rc;

	while ((rc = rtcp_next(&in, &p)) > 0)
		;
	return rc;
}

static void lengths_that_lie_end_the_walk(void **state)
{
	uint8_t d[sizeof(compound)];
	struct bytes in;
	struct rtcp_pkt p;
	struct rtcp_report r;
	struct rtcp_bye bye;

	(void)state;
	assert_int_equal(walk(compound, sizeof(compound)), 0);
	assert_int_equal(walk(compound, sizeof(compound) - 1), -1);
	memcpy(d, compound, sizeof(d));
	d[0] |= 0x20; // padding, but not in the last packet
	assert_int_equal(walk(d, sizeof(d)), -1);
	d[0] = 0x41; // version 1
	assert_int_equal(walk(d, sizeof(d)), -1);
	memcpy(d, compound, sizeof(d));
	d[sizeof(d) - 1] = 13; // more padding than packet
	assert_int_equal(walk(d, sizeof(d)), -1);

	memcpy(d, compound, sizeof(d));
	d[0] = 0x82; // two blocks promised, one there
	in = bytes_of(d, sizeof(d));
	assert_int_equal(rtcp_next(&in, &p), 1);
	assert_int_equal(rtcp_report_parse(&p, &r), -1);

	d[56] = 200; // a reason longer than the packet
	in = bytes_of(d + 48, sizeof(d) - 48);
	assert_int_equal(rtcp_next(&in, &p), 1);
	assert_int_equal(rtcp_bye_parse(&p, &bye), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_senders_report_is_read),
		cmocka_unit_test(a_compound_is_walked),
		cmocka_unit_test(what_is_written_is_what_the_rfc_draws),
		cmocka_unit_test(losses_beyond_24_bits_stay_at_the_end),
		cmocka_unit_test(lengths_that_lie_end_the_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
