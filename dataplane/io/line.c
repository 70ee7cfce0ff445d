// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/line.h"

#include "base/bytes.h"

enum {
	ETHERTYPE_IPV4 = 0x0800,
	IP_VERSION_IHL = 0x45,
	IP_DF = 0x4000,
	IP_PROTO_UDP = 17,
	IP_TTL_DEFAULT = 64,
	RTP_VERSION = 0x80,
	RTP_PT_TS = 33,
};

// The header's partial sum without the length, which each copy brings. DF is set and the id is 0
// (RFC 6864, an atomic datagram), so nothing else ever changes.
static void put_ip(struct line *l, const struct line_udp *u)
{
	uint8_t *ip = l->b + WIRE_IP;

	ip[0] = IP_VERSION_IHL;
	l->b[WIRE_IP_TOS] = (uint8_t)(u->dscp << 2);
	be16_put(ip + 6, IP_DF);
	l->b[WIRE_IP_TTL] = u->ttl ? u->ttl : IP_TTL_DEFAULT;
	l->b[WIRE_IP_PROTO] = IP_PROTO_UDP;
	be32_put(l->b + WIRE_IP_SRC, endpoint_v4(&u->local));
	be32_put(l->b + WIRE_IP_DST, endpoint_v4(&u->peer));
	line_store16(l->b + WIRE_IP_CSUM, (uint16_t)line_sum(ip, WIRE_IP_HDR));
}

// Pseudo header (RFC 768) and ports, without the length that stands in both. `constant` is the sum
// of the media header's fields that no copy changes.
static void put_udp(struct line *l, const struct line_udp *u, uint32_t constant)
{
	uint8_t proto[2] = {0, IP_PROTO_UDP};

	be16_put(l->b + WIRE_UDP_SRC, u->local.port);
	be16_put(l->b + WIRE_UDP_DST, u->peer.port);
	line_store16(l->b + WIRE_UDP_CSUM,
		line_fold((uint64_t)constant + line_sum(proto, 2) +
			  line_sum(l->b + WIRE_IP_SRC, 8) + line_sum(l->b + WIRE_UDP_SRC, 4)));
}

static void build(struct line *l, const struct line_udp *u, uint32_t constant)
{
	line_store32(l->b + WIRE_SPARE, u->ifindex);
	be16_put(l->b + WIRE_ETH + 12, ETHERTYPE_IPV4);
	put_ip(l, u);
	put_udp(l, u, constant);
}

void line_build_udp(struct line *l, const struct line_udp *u)
{
	*l = (struct line){0};
	build(l, u, 0);
}

void line_build_srt(struct line *l, const struct line_udp *u, const struct line_srt *s)
{
	*l = (struct line){0};
	line_store32(l->b + WIRE_SRT_SEQ, s->dseq);
	line_store32(l->b + WIRE_SRT_WORD1, s->word1);
	line_store32(l->b + WIRE_SRT_TS, s->dts);
	be32_put(l->b + WIRE_SRT_DST, s->dst_id);
	build(l, u, line_sum(l->b + WIRE_SRT_DST, 4));
}

void line_build_rtp(struct line *l, const struct line_udp *u, const struct line_rtp *r)
{
	*l = (struct line){0};
	l->b[WIRE_MEDIA] = RTP_VERSION;
	l->b[WIRE_MEDIA + 1] = RTP_PT_TS;
	line_store16(l->b + WIRE_RTP_SEQ, r->dseq);
	line_store32(l->b + WIRE_RTP_TS, r->dts);
	be32_put(l->b + WIRE_RTP_SSRC, r->ssrc);
	build(l, u, line_sum(l->b + WIRE_MEDIA, 2) + line_sum(l->b + WIRE_RTP_SSRC, 4));
}

struct line_udp line_addresses(const struct line *l)
{
	return (struct line_udp){
		.local =
			endpoint_of_v4(be32_get(l->b + WIRE_IP_SRC), be16_get(l->b + WIRE_UDP_SRC)),
		.peer = endpoint_of_v4(be32_get(l->b + WIRE_IP_DST), be16_get(l->b + WIRE_UDP_DST)),
		.ifindex = line_load32(l->b + WIRE_SPARE),
		.ttl = l->b[WIRE_IP_TTL],
		.dscp = l->b[WIRE_IP_TOS] >> 2,
	};
}
