// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/rtp_rx.h"

#include "base/seq.h"
#include "proto/rtp.h"

void rtp_rx_init(struct rtp_rx *r)
{
	*r = (struct rtp_rx){0};
}

static void pin(struct rtp_rx *r, ts_us now, const struct rtp_hdr *h)
{
	uint64_t lost = rtp_rx_lost(r);

	*r = (struct rtp_rx){
		.ssrc = h->ssrc,
		.pinned = true,
		.base = h->seq,
		.next = 1,
		.received = 1,
		.lost_before = lost,
		.last = now,
	};
}

static void update_jitter(struct rtp_rx *r, ts_us now, uint32_t rtp_ts)
{
	int64_t transit = (int64_t)(int32_t)((uint32_t)(now * 9 / 100) - rtp_ts);
	int64_t d = transit - r->transit;

	if (r->received > 1)
		r->jitter += (uint32_t)((d < 0 ? -d : d) - ((r->jitter + 8) >> 4));
	r->transit = transit;
}

// RFC 3550 A.1: one packet far off is a stray, two that follow each other are a new beginning.
static enum rtp_rx_action far_off(struct rtp_rx *r, ts_us now, const struct rtp_hdr *h)
{
	if (r->bad && h->seq == r->bad_seq) {
		pin(r, now, h);
		return RTP_RX_BEGIN;
	}
	r->bad = true;
	r->bad_seq = (uint16_t)(h->seq + 1);
	return RTP_RX_STRANGER;
}

static enum rtp_rx_action judge(struct rtp_rx *r, ts_us now, const struct rtp_hdr *h, uint64_t *seq)
{
	int64_t step;

	*seq = 0;
	if (!r->pinned || now - r->last > RTP_RX_SILENCE) {
		// The same sender after a pause goes on where it was.
		if (!r->pinned || h->ssrc != r->ssrc) {
			pin(r, now, h);
			return RTP_RX_BEGIN;
		}
	} else if (h->ssrc != r->ssrc) {
		return RTP_RX_STRANGER;
	}
	*seq = seq16_extend(r->next, (uint16_t)(h->seq - r->base));
	step = (int64_t)(*seq - r->next);
	if (step > RTP_RX_DROPOUT || step < -RTP_RX_MISORDER || (int64_t)*seq < 0)
		return far_off(r, now, h);
	r->bad = false;
	r->last = now;
	r->received++;
	if (step >= 0)
		r->next = *seq + 1;
	update_jitter(r, now, h->ts);
	return RTP_RX_DELIVER;
}

void rtp_rx_feed(
	struct rtp_rx *r, ts_us now, const uint8_t *data, size_t len, struct rtp_rx_verdict *out)
{
	struct rtp_pkt pkt;

	*out = (struct rtp_rx_verdict){.action = RTP_RX_MALFORMED};
	if (rtp_parse(data, len, &pkt))
		return;
	out->off = (uint16_t)pkt.off;
	out->len = (uint16_t)pkt.len;
	out->action = judge(r, now, &pkt.hdr, &out->seq);
}

uint64_t rtp_rx_lost(const struct rtp_rx *r)
{
	// Duplicates count as received, so the difference may be negative (RFC 3550 A.3).
	return r->lost_before + (r->next > r->received ? r->next - r->received : 0);
}

uint32_t rtp_rx_jitter_us(const struct rtp_rx *r)
{
	return (uint32_t)((uint64_t)(r->jitter >> 4) * 100 / 9);
}
