// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/rtp.h"

#include "base/bytes.h"

// Step over the CSRC list and the extension (RFC 3550, 5.3.1). Returns 0 or an enum rtp_error.
static int skip_options(struct bytes *b, uint8_t first)
{
	if (!bytes_skip(b, (first & 0x0fu) * 4u))
		return RTP_E_CSRC;
	if (!(first & 0x10))
		return 0;
	bytes_u16(b); // defined by profile
	bytes_skip(b, bytes_u16(b) * 4u);
	return bytes_ok(b) ? 0 : RTP_E_EXTENSION;
}

int rtp_parse(const uint8_t *data, size_t len, struct rtp_pkt *out)
{
	struct bytes b = bytes_of(data, len);
	size_t padding = 0;
	int rc;

	if (len < RTP_HDR)
		return RTP_E_SHORT;
	if (data[0] >> 6 != 2)
		return RTP_E_VERSION;
	bytes_skip(&b, RTP_HDR);
	rc = skip_options(&b, data[0]);
	if (rc)
		return rc;
	if (data[0] & 0x20) {
		padding = bytes_left(&b) ? data[len - 1] : 0;
		if (!padding || padding > bytes_left(&b))
			return RTP_E_PADDING;
	}
	*out = (struct rtp_pkt){
		.hdr = {.ts = be32_get(data + 4),
			.ssrc = be32_get(data + 8),
			.seq = be16_get(data + 2),
			.pt = data[1] & 0x7f,
			.marker = data[1] & 0x80},
		.off = len - bytes_left(&b),
		.len = bytes_left(&b) - padding,
	};
	return 0;
}

void rtp_write(uint8_t out[RTP_HDR], const struct rtp_hdr *h)
{
	out[0] = 2 << 6;
	out[1] = (uint8_t)(h->marker << 7 | (h->pt & 0x7f));
	be16_put(out + 2, h->seq);
	be32_put(out + 4, h->ts);
	be32_put(out + 8, h->ssrc);
}

bool rtp_looks_like(const uint8_t *data, size_t len)
{
	struct rtp_pkt p;

	return !rtcp_is(data, len) && !rtp_parse(data, len, &p);
}
