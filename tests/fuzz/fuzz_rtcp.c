// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "fuzz/fuzz.h"
#include "proto/rtcp.h"

#include <string.h>

static void check_report(const struct rtcp_report *r)
{
	uint8_t buf[1024];
	struct bytes_out b = bytes_out_of(buf, sizeof(buf));
	struct rtcp_report again;
	struct rtcp_pkt p;
	struct bytes in;

	rtcp_put_report(&b, r);
	FUZZ_CHECK(bytes_out_len(&b));
	in = bytes_of(buf, bytes_out_len(&b));
	FUZZ_CHECK(rtcp_next(&in, &p) == 1 && !rtcp_report_parse(&p, &again));
	FUZZ_CHECK(again.ssrc == r->ssrc && again.n_blocks == r->n_blocks && again.ntp == r->ntp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes in = bytes_of(data, len);
	struct rtcp_report report;
	struct rtcp_bye bye;
	struct rtcp_pkt p;

	rtcp_is(data, len);
	while (rtcp_next(&in, &p) > 0) {
		FUZZ_CHECK(p.body >= data && p.body + p.len <= data + len);
		if (!rtcp_report_parse(&p, &report))
			check_report(&report);
		if (!rtcp_bye_parse(&p, &bye))
			FUZZ_CHECK(bye.n <= RTCP_COUNT_MAX && strlen(bye.reason) <= RTCP_TEXT_MAX);
	}
	return 0;
}
