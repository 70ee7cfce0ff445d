// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "fuzz/fuzz.h"
#include "proto/rtp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t hdr[RTP_HDR];
	struct rtp_pkt p;

	if (rtp_parse(data, len, &p)) {
		FUZZ_CHECK(!rtp_looks_like(data, len));
		return 0;
	}
	FUZZ_CHECK(p.off >= RTP_HDR && p.off + p.len <= len);
	rtp_write(hdr, &p.hdr);
	FUZZ_CHECK(!memcmp(hdr + 1, data + 1, RTP_HDR - 1));
	return 0;
}
