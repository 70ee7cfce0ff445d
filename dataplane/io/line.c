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
	IP6_VERSION = 0x60000000,
	IP6_DSCP_SHIFT = 22, // above the two ECN bits of the traffic class
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

// Without the payload length, which each copy brings. IPv6 has no checksum of its own.
static void put_ip6(struct line *l, const struct line_udp *u)
{
	uint8_t *ip = l->b + WIRE_IP6;

	be32_put(ip, IP6_VERSION | (uint32_t)u->dscp << IP6_DSCP_SHIFT |
			     (u->ifindex & WIRE_IP6_FLOW_MASK));
	ip[WIRE_IP6_NEXT] = IP_PROTO_UDP;
	ip[WIRE_IP6_HOPS] = u->ttl ? u->ttl : IP_TTL_DEFAULT;
	if (!endpoint_is_v4(&u->local))
		memcpy(ip + WIRE_IP6_SRC, u->local.ip, sizeof(u->local.ip));
	memcpy(ip + WIRE_IP6_DST, u->peer.ip, sizeof(u->peer.ip));
}

// Pseudo header (RFC 768; RFC 8200, section 8.1) and ports, without the length that stands in both.
// `addresses` is the sum of the two, `constant` that of the media header's fields that no copy
// changes.
static void put_udp(struct line *l, const struct line_udp *u, uint32_t addresses, uint32_t constant)
{
	uint8_t proto[2] = {0, IP_PROTO_UDP};

	be16_put(l->b + WIRE_UDP_SRC, u->local.port);
	be16_put(l->b + WIRE_UDP_DST, u->peer.port);
	line_store16(l->b + WIRE_UDP_CSUM,
		line_fold((uint64_t)constant + addresses + line_sum(proto, 2) +
			  line_sum(l->b + WIRE_UDP_SRC, 4)));
}

static void build(struct line *l, const struct line_udp *u, uint32_t constant)
{
	if (!endpoint_is_v4(&u->peer)) {
		put_ip6(l, u);
		put_udp(l, u, line_sum(l->b + WIRE_IP6_SRC, 32), constant);
		return;
	}
	line_store32(l->b + WIRE_SPARE, u->ifindex);
	be16_put(l->b + WIRE_ETH + 12, ETHERTYPE_IPV4);
	put_ip(l, u);
	put_udp(l, u, line_sum(l->b + WIRE_IP_SRC, 8), constant);
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

static struct line_udp addresses6(const struct line *l)
{
	uint32_t first = be32_get(l->b + WIRE_IP6);
	struct line_udp u = {
		.local.port = be16_get(l->b + WIRE_UDP_SRC),
		.peer.port = be16_get(l->b + WIRE_UDP_DST),
		.ifindex = first & WIRE_IP6_FLOW_MASK,
		.ttl = l->b[WIRE_IP6_HOPS],
		.dscp = first >> IP6_DSCP_SHIFT & 63,
	};

	memcpy(u.local.ip, l->b + WIRE_IP6_SRC, sizeof(u.local.ip));
	memcpy(u.peer.ip, l->b + WIRE_IP6_DST, sizeof(u.peer.ip));
	return u;
}

struct line_udp line_addresses(const struct line *l)
{
	if (line_is_v6(l))
		return addresses6(l);
	return (struct line_udp){
		.local =
			endpoint_of_v4(be32_get(l->b + WIRE_IP_SRC), be16_get(l->b + WIRE_UDP_SRC)),
		.peer = endpoint_of_v4(be32_get(l->b + WIRE_IP_DST), be16_get(l->b + WIRE_UDP_DST)),
		.ifindex = line_load32(l->b + WIRE_SPARE),
		.ttl = l->b[WIRE_IP_TTL],
		.dscp = l->b[WIRE_IP_TOS] >> 2,
	};
}

void line_render_own(const struct line *to, const uint8_t *data, uint16_t len, uint8_t *out)
{
	bool v6 = line_is_v6(to);
	uint8_t proto[2] = {0, IP_PROTO_UDP};
	uint16_t udp_len = __builtin_bswap16((uint16_t)(WIRE_UDP_HDR + len)), csum;
	uint64_t sum = line_sum(to->b + (v6 ? WIRE_IP6_SRC : WIRE_IP_SRC), v6 ? 32 : 8);

	sum += (uint64_t)line_sum(proto, 2) + line_sum(to->b + WIRE_UDP_SRC, 4) + 2u * udp_len +
	       line_sum(data, len);
	csum = (uint16_t)~line_fold(sum);
	memcpy(out, to->b, WIRE_MEDIA);
	line_store16(out + WIRE_UDP_LEN, udp_len);
	line_store16(out + WIRE_UDP_CSUM, csum ? csum : 0xffff);
	if (v6)
		line_store16(out + WIRE_IP6_LEN, udp_len);
	else
		line_render_ip(to, (uint16_t)(WIRE_IP_HDR + WIRE_UDP_HDR + len), out);
}
