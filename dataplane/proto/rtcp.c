// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/rtcp.h"

#include <string.h>

enum {
	BLOCK = 24,
	LOST_MAX = 0x7fffff, // 24 bits, signed
	SDES_CNAME = 1,
};

int rtcp_next(struct bytes *in, struct rtcp_pkt *out)
{
	const uint8_t *p = in->at;
	size_t len, padding = 0;

	if (!bytes_left(in))
		return in->failed ? -1 : 0;
	if (bytes_left(in) < 4 || p[0] >> 6 != 2)
		return -1;
	len = 4 * ((size_t)be16_get(p + 2) + 1);
	if (!bytes_skip(in, len))
		return -1;
	if (p[0] & 0x20) {
		padding = p[len - 1];
		if (bytes_left(in) || !padding || padding > len - 4)
			return -1;
	}
	*out = (struct rtcp_pkt){
		.type = p[1],
		.count = p[0] & 0x1f,
		.body = p + 4,
		.len = len - 4 - padding,
	};
	return 1;
}

static int32_t signed24(uint32_t v)
{
	return v & 0x800000 ? (int32_t)(v | 0xff000000) : (int32_t)v;
}

static struct rtcp_block block_get(struct bytes *b)
{
	uint32_t ssrc = bytes_u32(b), loss = bytes_u32(b);

	return (struct rtcp_block){
		.ssrc = ssrc,
		.fraction = (uint8_t)(loss >> 24),
		.lost = signed24(loss & 0xffffff),
		.highest_seq = bytes_u32(b),
		.jitter = bytes_u32(b),
		.last_sr = bytes_u32(b),
		.since_sr = bytes_u32(b),
	};
}

int rtcp_report_parse(const struct rtcp_pkt *p, struct rtcp_report *out)
{
	struct bytes b = bytes_of(p->body, p->len);
	size_t fixed = p->type == RTCP_SR ? 24 : 4;

	if ((p->type != RTCP_SR && p->type != RTCP_RR) || p->len < fixed + p->count * BLOCK)
		return -1;
	*out = (struct rtcp_report){.ssrc = bytes_u32(&b), .n_blocks = p->count};
	if (p->type == RTCP_SR) {
		out->ntp = (uint64_t)bytes_u32(&b) << 32;
		out->ntp |= bytes_u32(&b);
		out->ts = bytes_u32(&b);
		out->packets = bytes_u32(&b);
		out->bytes = bytes_u32(&b);
	}
	for (unsigned i = 0; i < p->count; i++)
		out->blocks[i] = block_get(&b);
	return 0;
}

int rtcp_bye_parse(const struct rtcp_pkt *p, struct rtcp_bye *out)
{
	struct bytes b = bytes_of(p->body, p->len);
	const uint8_t *reason;
	uint8_t len;

	if (p->type != RTCP_BYE || p->len < p->count * 4u)
		return -1;
	*out = (struct rtcp_bye){.n = p->count};
	for (unsigned i = 0; i < p->count; i++)
		out->ssrc[i] = bytes_u32(&b);
	if (!bytes_left(&b))
		return 0;
	len = bytes_u8(&b);
	reason = bytes_skip(&b, len);
	if (!reason)
		return -1;
	memcpy(out->reason, reason, len);
	return 0;
}

// Begin a packet; its length is patched by end_packet.
static uint8_t *begin_packet(struct bytes_out *b, unsigned count, enum rtcp_type type)
{
	uint8_t *start = bytes_room(b, 4);

	if (start) {
		start[0] = (uint8_t)(2 << 6 | count);
		start[1] = (uint8_t)type;
	}
	return start;
}

static void end_packet(struct bytes_out *b, uint8_t *start)
{
	if (!b->failed)
		be16_put(start + 2, (uint16_t)((b->at - start) / 4 - 1));
}

static void put_zeros_to_word(struct bytes_out *b, const uint8_t *start)
{
	while (!b->failed && (b->at - start) % 4)
		bytes_put_u8(b, 0);
}

static void block_put(struct bytes_out *b, const struct rtcp_block *r)
{
	int32_t lost = r->lost > LOST_MAX ? LOST_MAX : r->lost < -LOST_MAX ? -LOST_MAX : r->lost;

	bytes_put_u32(b, r->ssrc);
	bytes_put_u32(b, (uint32_t)r->fraction << 24 | ((uint32_t)lost & 0xffffff));
	bytes_put_u32(b, r->highest_seq);
	bytes_put_u32(b, r->jitter);
	bytes_put_u32(b, r->last_sr);
	bytes_put_u32(b, r->since_sr);
}

void rtcp_put_report(struct bytes_out *b, const struct rtcp_report *r)
{
	uint8_t *start = begin_packet(b, r->n_blocks, r->ntp ? RTCP_SR : RTCP_RR);

	bytes_put_u32(b, r->ssrc);
	if (r->ntp) {
		bytes_put_u32(b, (uint32_t)(r->ntp >> 32));
		bytes_put_u32(b, (uint32_t)r->ntp);
		bytes_put_u32(b, r->ts);
		bytes_put_u32(b, r->packets);
		bytes_put_u32(b, r->bytes);
	}
	for (unsigned i = 0; i < r->n_blocks; i++)
		block_put(b, &r->blocks[i]);
	end_packet(b, start);
}

// One chunk (6.5): items, then at least one zero byte, up to a word boundary.
void rtcp_put_cname(struct bytes_out *b, uint32_t ssrc, const char *cname)
{
	size_t len = strnlen(cname, RTCP_TEXT_MAX);
	uint8_t *start = begin_packet(b, 1, RTCP_SDES);

	bytes_put_u32(b, ssrc);
	bytes_put_u8(b, SDES_CNAME);
	bytes_put_u8(b, (uint8_t)len);
	bytes_put(b, cname, len);
	bytes_put_u8(b, 0);
	put_zeros_to_word(b, start);
	end_packet(b, start);
}

void rtcp_put_bye(struct bytes_out *b, uint32_t ssrc, const char *reason)
{
	size_t len = reason ? strnlen(reason, RTCP_TEXT_MAX) : 0;
	uint8_t *start = begin_packet(b, 1, RTCP_BYE);

	bytes_put_u32(b, ssrc);
	if (len) {
		bytes_put_u8(b, (uint8_t)len);
		bytes_put(b, reason, len);
		put_zeros_to_word(b, start);
	}
	end_packet(b, start);
}
