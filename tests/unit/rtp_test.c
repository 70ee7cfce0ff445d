// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/rtp.h"
#include "test.h"

#include <string.h>

// Two CSRCs, a one-word extension and three bytes of padding around the payload "abcd".
static const uint8_t full[] = {
	0xb2,
	0xa1,
	0x12,
	0x34,
	0x01,
	0x02,
	0x03,
	0x04,
	0xde,
	0xad,
	0xbe,
	0xef, // fixed part
	0x00,
	0x00,
	0x00,
	0x01,
	0x00,
	0x00,
	0x00,
	0x02, // CSRC
	0xbe,
	0xde,
	0x00,
	0x01,
	0x10,
	0xff,
	0x00,
	0x00, // extension
	'a',
	'b',
	'c',
	'd',
	0x00,
	0x00,
	0x03,
};

static void every_option_is_stepped_over(void **state)
{
	struct rtp_pkt p;

	(void)state;
	assert_int_equal(rtp_parse(full, sizeof(full), &p), 0);
	assert_int_equal(p.hdr.seq, 0x1234);
	assert_int_equal(p.hdr.ts, 0x01020304);
	assert_int_equal(p.hdr.ssrc, 0xdeadbeef);
	assert_int_equal(p.hdr.pt, RTP_PT_MP2T);
	assert_true(p.hdr.marker);
	assert_int_equal(p.len, 4);
	assert_memory_equal(full + p.off, "abcd", 4);
}

static void each_fault_has_its_name(void **state)
{
	uint8_t d[sizeof(full)];
	struct rtp_pkt p;

	(void)state;
	assert_int_equal(rtp_parse(full, 11, &p), RTP_E_SHORT);
	assert_int_equal(rtp_parse(full, 19, &p), RTP_E_CSRC);
	assert_int_equal(rtp_parse(full, 23, &p), RTP_E_EXTENSION);
	assert_int_equal(rtp_parse(full, 27, &p), RTP_E_EXTENSION);
	assert_int_equal(rtp_parse(full, 28, &p), RTP_E_PADDING); // none where P promises some
	memcpy(d, full, sizeof(d));
	d[sizeof(d) - 1] = 8; // payload has 7 bytes
	assert_int_equal(rtp_parse(d, sizeof(d), &p), RTP_E_PADDING);
	d[sizeof(d) - 1] = 0;
	assert_int_equal(rtp_parse(d, sizeof(d), &p), RTP_E_PADDING);
	d[0] = 0x47;
	assert_int_equal(rtp_parse(d, sizeof(d), &p), RTP_E_VERSION);
}

static void a_header_is_written_as_the_rfc_draws_it(void **state)
{
	static const uint8_t want[] = {0x80, 0xa1, 0xff, 0xfe, 0, 1, 0x5f, 0x90, 1, 2, 3, 4};
	uint8_t got[RTP_HDR];

	(void)state;
	rtp_write(got, &(struct rtp_hdr){.ts = 90000,
			       .ssrc = 0x01020304,
			       .seq = 65534,
			       .pt = RTP_PT_MP2T,
			       .marker = true});
	assert_memory_equal(got, want, sizeof(want));
}

static void rtp_is_told_from_ts_and_rtcp(void **state)
{
	uint8_t d[RTP_HDR + 188] = {0x80, 33};

	(void)state;
	assert_true(rtp_looks_like(d, sizeof(d)));
	d[1] = 96 | 0x80;
	assert_true(rtp_looks_like(d, sizeof(d)));
	d[1] = 200; // sender report
	assert_false(rtp_looks_like(d, sizeof(d)));
	d[1] = 72; // payload type 72 without marker is no RTCP type
	assert_true(rtp_looks_like(d, sizeof(d)));
	d[0] = 0x47;
	assert_false(rtp_looks_like(d, sizeof(d)));
	assert_false(rtp_looks_like(d, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_is_stepped_over),
		cmocka_unit_test(each_fault_has_its_name),
		cmocka_unit_test(a_header_is_written_as_the_rfc_draws_it),
		cmocka_unit_test(rtp_is_told_from_ts_and_rtcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
