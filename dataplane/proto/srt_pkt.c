// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_pkt.h"

#include "base/seq.h"

#include <errno.h>

#define CTRL 0x80000000u
#define RANGE 0x80000000u // in a loss list: the first of two

int srt_pkt_parse_data(const uint8_t *data, size_t len, struct srt_data *out)
{
	if (len < SRT_HDR || srt_pkt_is_ctrl(data))
		return -EBADMSG;
	*out = (struct srt_data){
		.seq = be32_get(data),
		.word1 = be32_get(data + 4),
		.ts = be32_get(data + 8),
		.dst = be32_get(data + 12),
		.payload = data + SRT_HDR,
		.len = len - SRT_HDR,
	};
	return 0;
}

int srt_pkt_parse_ctrl(const uint8_t *data, size_t len, struct srt_ctrl *out)
{
	uint16_t type;

	if (len < SRT_HDR || !srt_pkt_is_ctrl(data))
		return -EBADMSG;
	type = be16_get(data) & 0x7fff;
	if (type > SRT_PEERERROR && type != SRT_USER)
		return -ENOTSUP;
	*out = (struct srt_ctrl){
		.type = type,
		.subtype = be16_get(data + 2),
		.info = be32_get(data + 4),
		.ts = be32_get(data + 8),
		.dst = be32_get(data + 12),
		.cif = data + SRT_HDR,
		.cif_len = len - SRT_HDR,
	};
	return 0;
}

void srt_pkt_write_data(
	uint8_t out[SRT_HDR], uint32_t seq, uint32_t word1, uint32_t ts, uint32_t dst)
{
	be32_put(out, seq & SEQ31_MASK);
	be32_put(out + 4, word1);
	be32_put(out + 8, ts);
	be32_put(out + 12, dst);
}

void srt_pkt_put_ctrl(
	struct bytes_out *b, enum srt_type type, uint32_t info, uint32_t ts, uint32_t dst)
{
	bytes_put_u32(b, CTRL | (uint32_t)type << 16);
	bytes_put_u32(b, info);
	bytes_put_u32(b, ts);
	bytes_put_u32(b, dst);
}

void srt_pkt_put_bare(
	struct bytes_out *b, enum srt_type type, uint32_t info, uint32_t ts, uint32_t dst)
{
	srt_pkt_put_ctrl(b, type, info, ts, dst);
	bytes_put_u32(b, 0);
}

int srt_ack_parse(const struct srt_ctrl *c, struct srt_ack *out)
{
	struct bytes b = bytes_of(c->cif, c->cif_len);

	if (c->cif_len < 4)
		return -EBADMSG;
	// Reading past the end gives 0: what a shorter ACK leaves out.
	*out = (struct srt_ack){.number = c->info, .light = c->cif_len < 16};
	out->next = bytes_u32(&b) & SEQ31_MASK;
	out->rtt_us = bytes_u32(&b);
	out->rtt_var_us = bytes_u32(&b);
	out->free_packets = bytes_u32(&b);
	out->rate_pps = bytes_u32(&b);
	out->capacity_pps = bytes_u32(&b);
	out->rate_bps = bytes_u32(&b);
	return 0;
}

void srt_ack_put(struct bytes_out *b, const struct srt_ack *a, uint32_t ts, uint32_t dst)
{
	srt_pkt_put_ctrl(b, SRT_ACK, a->light ? 0 : a->number, ts, dst);
	bytes_put_u32(b, a->next);
	if (a->light)
		return;
	bytes_put_u32(b, a->rtt_us);
	bytes_put_u32(b, a->rtt_var_us);
	bytes_put_u32(b, a->free_packets);
}

struct srt_loss srt_loss_of(const uint8_t *cif, size_t len)
{
	return (struct srt_loss){.in = bytes_of(cif, len), .budget = SRT_NAK_SPAN_MAX};
}

// Read one entry; false when it is malformed. A word with the range bit where the last number
// belongs begins an entry of its own.
static bool loss_entry(struct bytes *in, uint32_t *first, uint32_t *last)
{
	uint32_t word = bytes_u32(in);

	*first = *last = word & SEQ31_MASK;
	if (!(word & RANGE))
		return true;
	if (bytes_left(in) < 4 || be32_get(in->at) & RANGE)
		return false;
	*last = bytes_u32(in);
	return seq31_off(*first, *last) >= 0;
}

bool srt_loss_next(struct srt_loss *l, uint32_t *first, uint32_t *last)
{
	while (l->budget && bytes_left(&l->in) >= 4) {
		uint32_t n;

		if (!loss_entry(&l->in, first, last))
			continue;
		n = (uint32_t)seq31_off(*first, *last) + 1;
		if (n > l->budget) {
			n = l->budget;
			*last = seq31_add(*first, n - 1);
		}
		l->budget -= n;
		return true;
	}
	return false;
}

bool srt_loss_put(struct bytes_out *b, uint32_t first, uint32_t last)
{
	size_t need = first == last ? 4 : 8;

	if (b->failed || (size_t)(b->end - b->at) < need)
		return false;
	if (first != last)
		bytes_put_u32(b, first | RANGE);
	bytes_put_u32(b, last);
	return true;
}

size_t srt_dropreq_write(uint8_t *out, uint32_t first, uint32_t last, uint32_t ts, uint32_t dst)
{
	struct bytes_out b = bytes_out_of(out, SRT_DROPREQ_LEN);

	srt_pkt_put_ctrl(&b, SRT_DROPREQ, 0, ts, dst);
	bytes_put_u32(&b, first);
	bytes_put_u32(&b, last);
	return bytes_out_len(&b);
}

int srt_dropreq_parse(const struct srt_ctrl *c, uint32_t *first, uint32_t *last)
{
	struct bytes b = bytes_of(c->cif, c->cif_len);
	uint32_t f = bytes_u32(&b);
	uint32_t l = bytes_u32(&b);

	if (!bytes_ok(&b) || (f | l) & ~SEQ31_MASK || seq31_off(f, l) < 0)
		return -EBADMSG;
	*first = f;
	*last = l;
	return 0;
}

size_t srt_km_packet(uint8_t *out, enum srt_km_subtype what, const uint8_t *msg, size_t len,
	uint32_t ts, uint32_t dst)
{
	be16_put(out, 0x8000 | SRT_USER);
	be16_put(out + 2, (uint16_t)what);
	be32_put(out + 4, 0);
	be32_put(out + 8, ts);
	be32_put(out + 12, dst);
	memcpy(out + SRT_HDR, msg, len);
	return SRT_HDR + len;
}
