// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "fuzz/fuzz.h"
#include "proto/srt_pkt.h"

#include <string.h>

static void check_data(const uint8_t *data, size_t len)
{
	uint8_t hdr[SRT_HDR];
	struct srt_data d;

	if (srt_pkt_parse_data(data, len, &d))
		return;
	FUZZ_CHECK(d.payload == data + SRT_HDR && d.len == len - SRT_HDR);
	srt_pkt_write_data(hdr, d.seq, d.word1, d.ts, d.dst);
	FUZZ_CHECK(!memcmp(hdr, data, SRT_HDR));
}

// Work is bounded whatever the list claims, and what we read we can write and read again.
static void check_loss(const struct srt_ctrl *c)
{
	uint8_t out[SRT_POLL_MAX];
	struct bytes_out b = bytes_out_of(out, sizeof(out));
	struct srt_loss l = srt_loss_of(c->cif, c->cif_len), again;
	uint32_t first, last, f, e, sum = 0;

	while (srt_loss_next(&l, &first, &last)) {
		FUZZ_CHECK(!((first | last) & ~SEQ31_MASK) && seq31_off(first, last) >= 0);
		sum += (uint32_t)seq31_off(first, last) + 1;
		b.at = b.start;
		FUZZ_CHECK(srt_loss_put(&b, first, last));
		again = srt_loss_of(out, bytes_out_len(&b));
		FUZZ_CHECK(srt_loss_next(&again, &f, &e) && f == first && e == last);
	}
	FUZZ_CHECK(sum <= SRT_NAK_SPAN_MAX);
}

static void check_ctrl(const uint8_t *data, size_t len)
{
	uint8_t out[SRT_HDR + 16];
	struct bytes_out b = bytes_out_of(out, sizeof(out));
	uint32_t first, last;
	struct srt_ctrl c;
	struct srt_ack a;

	if (srt_pkt_parse_ctrl(data, len, &c))
		return;
	FUZZ_CHECK(c.cif == data + SRT_HDR && c.cif_len == len - SRT_HDR);
	check_loss(&c);
	if (!srt_ack_parse(&c, &a)) {
		FUZZ_CHECK(!(a.next & ~SEQ31_MASK) && a.light == (c.cif_len < 16));
		srt_ack_put(&b, &a, c.ts, c.dst);
		FUZZ_CHECK(bytes_out_len(&b) == (a.light ? SRT_HDR + 4u : SRT_HDR + 16u));
	}
	if (!srt_dropreq_parse(&c, &first, &last))
		FUZZ_CHECK(seq31_off(first, last) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_data(data, len);
	check_ctrl(data, len);
	return 0;
}
