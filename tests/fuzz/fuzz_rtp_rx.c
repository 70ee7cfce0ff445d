// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "fuzz/fuzz.h"
#include "proto/rtp.h"
#include "proto/rtp_rx.h"

#include <string.h>

// Six bytes make a datagram: pause, sender, sequence number, timestamp.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t pkt[RTP_HDR + 1] = {0};
	struct rtp_rx r;
	uint64_t delivered = 0;
	ts_us now = 0;

	rtp_rx_init(&r);
	for (; len >= 6; data += 6, len -= 6) {
		struct rtp_hdr h = {
			.pt = 33, .ssrc = data[1] & 1, .ts = (uint32_t)data[4] << 24 | data[5]};
		struct rtp_rx_verdict v;

		memcpy(&h.seq, data + 2, 2);
		now += (ts_us)data[0] * 10 * TS_MS;
		rtp_write(pkt, &h);
		rtp_rx_feed(&r, now, pkt, sizeof(pkt), &v);
		FUZZ_CHECK(v.action != RTP_RX_MALFORMED && v.off == RTP_HDR && v.len == 1);
		FUZZ_CHECK(v.action != RTP_RX_BEGIN || v.seq == 0);
		FUZZ_CHECK(v.action != RTP_RX_DELIVER || v.seq < r.next);
		delivered += v.action == RTP_RX_BEGIN || v.action == RTP_RX_DELIVER;
		FUZZ_CHECK(r.received <= r.next && r.received <= delivered);
		rtp_rx_jitter_us(&r);
	}
	return 0;
}
