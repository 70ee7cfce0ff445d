// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_hs_wire.h"

#include "proto/srt_hs.h"
#include "proto/srt_pkt.h"

bool hs_fixed_parse(const uint8_t *data, size_t len, struct hs_fixed *out)
{
	if (len < SRT_HS_LEN || be32_get(data) != 0x80000000u)
		return false;
	*out = (struct hs_fixed){
		.ts = be32_get(data + 8),
		.dst = be32_get(data + 12),
		.version = be32_get(data + 16),
		.encryption = be16_get(data + 20),
		.extension = be16_get(data + 22),
		.isn = be32_get(data + 24),
		.mss = be32_get(data + 28),
		.window = be32_get(data + 32),
		.type = be32_get(data + 36),
		.id = be32_get(data + 40),
		.cookie = be32_get(data + 44),
	};
	memcpy(out->ip, data + 48, sizeof(out->ip));
	return true;
}

void hs_fixed_put(struct bytes_out *b, const struct hs_fixed *f)
{
	srt_pkt_put_ctrl(b, SRT_HANDSHAKE, 0, f->ts, f->dst);
	bytes_put_u32(b, f->version);
	bytes_put_u16(b, f->encryption);
	bytes_put_u16(b, f->extension);
	bytes_put_u32(b, f->isn);
	bytes_put_u32(b, f->mss);
	bytes_put_u32(b, f->window);
	bytes_put_u32(b, f->type);
	bytes_put_u32(b, f->id);
	bytes_put_u32(b, f->cookie);
	bytes_put(b, f->ip, sizeof(f->ip));
}

bool hs_block_next(struct bytes *b, uint16_t *type, struct bytes *content)
{
	const uint8_t *at;
	size_t len;

	if (!bytes_left(b))
		return false;
	*type = bytes_u16(b);
	len = 4u * bytes_u16(b);
	at = bytes_skip(b, len);
	if (!at)
		return false;
	*content = bytes_of(at, len);
	return true;
}

bool hs_ext_parse(struct bytes content, struct hs_ext *out)
{
	struct hs_ext e;

	e.version = bytes_u32(&content);
	e.flags = bytes_u32(&content);
	e.rcv_latency_ms = bytes_u16(&content);
	e.snd_latency_ms = bytes_u16(&content);
	if (!bytes_ok(&content))
		return false;
	*out = e;
	return true;
}

void hs_ext_put(struct bytes_out *b, enum hs_block type, const struct hs_ext *e)
{
	bytes_put_u16(b, (uint16_t)type);
	bytes_put_u16(b, 3);
	bytes_put_u32(b, e->version);
	bytes_put_u32(b, e->flags);
	bytes_put_u16(b, e->rcv_latency_ms);
	bytes_put_u16(b, e->snd_latency_ms);
}

bool hs_group_parse(struct bytes content, struct srt_hs_group *out)
{
	struct srt_hs_group g;

	g.id = bytes_u32(&content);
	g.type = bytes_u8(&content);
	g.flags = bytes_u8(&content);
	g.weight = bytes_u16(&content);
	if (!bytes_ok(&content))
		return false;
	*out = g;
	return true;
}

void hs_group_put(struct bytes_out *b, const struct srt_hs_group *g)
{
	bytes_put_u16(b, HS_BLOCK_GROUP);
	bytes_put_u16(b, 2);
	bytes_put_u32(b, g->id);
	bytes_put_u8(b, g->type);
	bytes_put_u8(b, g->flags);
	bytes_put_u16(b, g->weight);
}

size_t hs_string_get(struct bytes content, char *out, size_t cap)
{
	size_t n = bytes_left(&content);

	if (n > cap - 1)
		n = cap - 1;
	n &= ~(size_t)3;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)content.at[i ^ 3];
	while (n && !out[n - 1])
		n--;
	out[n] = '\0';
	return n;
}

void hs_string_put(struct bytes_out *b, enum hs_block type, const char *s)
{
	size_t len = strlen(s);
	size_t padded = (len + 3) & ~(size_t)3;

	bytes_put_u16(b, (uint16_t)type);
	bytes_put_u16(b, (uint16_t)(padded / 4));
	for (size_t i = 0; i < padded; i++)
		bytes_put_u8(b, (i ^ 3) < len ? (uint8_t)s[i ^ 3] : 0);
}

void hs_km_put(struct bytes_out *b, enum hs_block type, const uint8_t *km, uint16_t len)
{
	bytes_put_u16(b, (uint16_t)type);
	bytes_put_u16(b, len / 4);
	for (uint16_t i = 0; i < len; i++)
		bytes_put_u8(b, km[i]);
}

void hs_ip_put(uint8_t out[16], const uint8_t v4_mapped[16])
{
	static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

	memset(out, 0, 16);
	if (!memcmp(v4_mapped, v4_prefix, sizeof(v4_prefix))) {
		for (int i = 0; i < 4; i++)
			out[i] = v4_mapped[12 + (i ^ 3)];
		return;
	}
	for (int i = 0; i < 16; i++)
		out[i] = v4_mapped[i ^ 3];
}
