// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "fuzz/fuzz.h"
#include "proto/srt_caller.h"
#include "proto/srt_hs.h"

#include <errno.h>
#include <string.h>

static void check_listener(const uint8_t *data, size_t len)
{
	enum srt_hs_kind kind = srt_hs_classify(data, len);
	uint8_t out[SRT_HS_LEN];
	struct srt_hs_req r;
	int rc = srt_hs_conclusion_parse(data, len, &r);

	FUZZ_CHECK((rc == -EBADMSG) == (kind != SRT_HS_CONCLUSION));
	if (kind == SRT_HS_INDUCTION) {
		srt_hs_induction_answer(data, 7, out);
		FUZZ_CHECK(srt_hs_cookie(out) == 7);
		FUZZ_CHECK(srt_hs_caller_id(out) == srt_hs_caller_id(data));
	}
	if (rc == -EBADMSG)
		return;
	FUZZ_CHECK(r.caller_id == srt_hs_caller_id(data) && r.cookie == srt_hs_cookie(data));
	FUZZ_CHECK(r.streamid_len <= SRT_SID_MAX && !r.streamid[r.streamid_len]);
	if (!rc)
		FUZZ_CHECK(strlen(r.streamid) == r.streamid_len && r.encrypted == (r.km_len > 0) &&
			   r.km_len <= SRT_KM_MAX);
	else
		FUZZ_CHECK(rc >= 1000 && srt_hs_reject_write(&r, rc, out) == SRT_HS_LEN);
}

// A caller in either state is given the datagram twice and asked what it says.
static void check_caller(const uint8_t *data, size_t len, enum srt_caller_state state)
{
	uint8_t out[SRT_HS_REQUEST_MAX];
	struct srt_caller c;
	ts_us now = 1000000;

	srt_caller_init(&c, now, 0x144c56f9, 468063818, 120, 120, "publish/cam-1");
	c.state = state;
	for (int i = 0; i < 2; i++) {
		srt_caller_feed(&c, now, data, len);
		FUZZ_CHECK((c.state == SRT_CALLER_FAILED) == (c.error != 0));
		FUZZ_CHECK(c.state != SRT_CALLER_UP || (c.peer_id && c.mss <= 1500));
		while (srt_caller_poll(&c, now, out, sizeof(out)) > 0)
			;
		now = srt_caller_expiry(&c);
		if (now == TS_NEVER)
			return;
		srt_caller_on_expiry(&c, now);
		FUZZ_CHECK(srt_caller_expiry(&c) > now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_listener(data, len);
	check_caller(data, len, SRT_CALLER_INDUCTION);
	check_caller(data, len, SRT_CALLER_CONCLUSION);
	return 0;
}
