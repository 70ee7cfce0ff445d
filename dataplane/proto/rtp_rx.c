// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/rtp_rx.h"

#include "base/seq.h"
#include "proto/rtp.h"

enum { JITTER_STEP_MAX = 90000 * 60 }; // a sender's clock that jumps must not overflow the sum

void rtp_rx_init(struct rtp_rx *r)
{
	*r = (struct rtp_rx){0};
}

// Microseconds become 90 kHz units; the wrap does no harm, for only differences are used.
static uint32_t transit_of(ts_us now, uint32_t rtp_ts)
{
	return (uint32_t)(now * 9 / 100) - rtp_ts;
}

static void pin(struct rtp_rx *r, ts_us now, const struct rtp_hdr *h)
{
	*r = (struct rtp_rx){
		.ssrc = h->ssrc,
		.pinned = true,
		.base = h->seq,
		.next = 1,
		.received = 1,
		.duplicate = r->duplicate,
		.reordered = r->reordered,
		.lost_before = rtp_rx_lost(r),
		.seen = {1},
		.last = now,
		.transit = transit_of(now, h->ts),
	};
}

static void update_jitter(struct rtp_rx *r, ts_us now, uint32_t rtp_ts)
{
	uint32_t transit = transit_of(now, rtp_ts);
	int32_t d = (int32_t)(transit - r->transit);
	uint32_t size = d < 0 ? -(uint32_t)d : (uint32_t)d;

	if (size > JITTER_STEP_MAX)
		size = JITTER_STEP_MAX;
	r->jitter += size - ((r->jitter + 8) >> 4);
	r->transit = transit;
}

static uint64_t *seen_word(struct rtp_rx *r, uint64_t seq)
{
	return &r->seen[seq / 64 % (RTP_RX_MISORDER / 64)];
}

// Note that seq, at most RTP_RX_MISORDER behind `next`, is here. False when it has been.
static bool note_seen(struct rtp_rx *r, uint64_t seq)
{
	uint64_t bit = (uint64_t)1 << seq % 64;
	uint64_t from = seq > r->next + RTP_RX_MISORDER ? seq - RTP_RX_MISORDER : r->next;

	for (uint64_t i = from; i <= seq; i++) // room that an older round of the window had
		*seen_word(r, i) &= ~((uint64_t)1 << i % 64);
	if (*seen_word(r, seq) & bit)
		return false;
	*seen_word(r, seq) |= bit;
	return true;
}

// RFC 3550 A.1: one packet far off is a stray, two that follow each other are a new beginning.
static enum rtp_rx_action far_off(
	struct rtp_rx *r, ts_us now, const struct rtp_hdr *h, uint64_t *seq)
{
	*seq = 0;
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
		return far_off(r, now, h, seq);
	r->bad = false;
	r->last = now;
	if (!note_seen(r, *seq)) {
		r->duplicate++;
		return RTP_RX_DUPLICATE;
	}
	r->received++;
	r->reordered += step < 0;
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
	return r->lost_before + r->next - r->received;
}

uint32_t rtp_rx_jitter_us(const struct rtp_rx *r)
{
	return (uint32_t)((uint64_t)(r->jitter >> 4) * 100 / 9);
}
