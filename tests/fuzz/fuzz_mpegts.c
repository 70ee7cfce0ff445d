// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "fuzz/fuzz.h"
#include "proto/mpegts.h"

#include <string.h>

// Payloads of up to seven packets, with their sync bytes set so that what stands behind is reached.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mpegts_scan s = {0};
	uint8_t payload[7 * MPEGTS_PACKET];

	mpegts_looks_like(data, len);
	while (len >= MPEGTS_PACKET) {
		size_t n = len < sizeof(payload) ? len / MPEGTS_PACKET * MPEGTS_PACKET
						 : sizeof(payload);
		unsigned marks;

		memcpy(payload, data, n);
		for (size_t at = 0; at < n; at += MPEGTS_PACKET)
			payload[at] = MPEGTS_SYNC;
		FUZZ_CHECK(mpegts_looks_like(payload, n));
		marks = mpegts_scan(&s, payload, n);
		FUZZ_CHECK(!(marks & ~(unsigned)(MPEGTS_HAS_PAT | MPEGTS_HAS_RANDOM)));
		FUZZ_CHECK(!(marks & MPEGTS_HAS_RANDOM) || s.known);
		FUZZ_CHECK(s.pmt_pid <= MPEGTS_PID_NONE && s.video.pid <= MPEGTS_PID_NONE);
		data += n;
		len -= n;
	}
	return 0;
}
