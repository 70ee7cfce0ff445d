// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/bytes.h"
#include "io/dpdk.h"

enum {
	ETH_LEN = 14,
	ETH_TYPE = 12,
	ETH_TAG = 4,
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_VLAN = 0x8100,
	VLAN_ID = 0xfff,
	IP_FRAGMENT = 0x3fff, // more fragments, or not the first one
	PROTO_UDP = 17,
	CSUM_GOOD = 0xffff,
};

// An IP packet's UDP part.
struct datagram {
	const uint8_t *udp, *addresses; // source and destination stand together
	unsigned room, address_len;
};

static enum dpdk_parsed parse_v4(const uint8_t *ip, unsigned len, bool good, struct datagram *d)
{
	unsigned head = len < WIRE_IP_HDR ? 0 : (ip[0] & 15u) * 4;
	unsigned total = head ? be16_get(ip + 2) : 0;

	if (head < WIRE_IP_HDR || ip[0] >> 4 != 4 || total > len || total < head + WIRE_UDP_HDR)
		return DPDK_BAD_HEADER;
	if (be16_get(ip + 6) & IP_FRAGMENT)
		return DPDK_BAD_HEADER;
	if (ip[9] != PROTO_UDP)
		return DPDK_NOT_OURS;
	if (!good && line_sum(ip, head) != CSUM_GOOD)
		return DPDK_BAD_CSUM;
	*d = (struct datagram){ip + head, ip + 12, total - head, 8};
	return DPDK_UDP;
}

static enum dpdk_parsed parse_v6(const uint8_t *ip, unsigned len, struct datagram *d)
{
	unsigned room = len < WIRE_IP6_HDR ? 0 : be16_get(ip + WIRE_IP6_LEN);

	if (len < WIRE_IP6_HDR || ip[0] >> 4 != 6 || room > len - WIRE_IP6_HDR)
		return DPDK_BAD_HEADER;
	if (ip[WIRE_IP6_NEXT] != PROTO_UDP)
		return DPDK_NOT_OURS;
	if (room < WIRE_UDP_HDR)
		return DPDK_BAD_HEADER;
	*d = (struct datagram){ip + WIRE_IP6_HDR, ip + WIRE_IP6_SRC, room, 32};
	return DPDK_UDP;
}

// RFC 768: over IPv4 a sender may leave the checksum out.
static bool csum_ok(const struct datagram *d, unsigned len)
{
	uint8_t proto[2] = {0, PROTO_UDP};
	uint32_t csum = line_load16(d->udp + 6);
	uint64_t sum;

	if (!csum)
		return d->address_len == 8;
	sum = (uint64_t)line_sum(d->addresses, d->address_len) + line_sum(proto, 2) +
	      line_load16(d->udp + 4) + line_sum(d->udp, len);
	return line_fold(sum) == CSUM_GOOD;
}

static enum dpdk_parsed parse_udp(const struct datagram *d, bool good, struct port_rx *rx)
{
	unsigned len = be16_get(d->udp + 4);

	if (len < WIRE_UDP_HDR || len > d->room)
		return DPDK_BAD_HEADER;
	if (!good && !csum_ok(d, len))
		return DPDK_BAD_CSUM;
	rx->data = d->udp + WIRE_UDP_HDR;
	rx->len = (uint16_t)(len - WIRE_UDP_HDR);
	if (d->address_len == 8) {
		rx->peer = endpoint_of_v4(be32_get(d->addresses), 0);
		rx->local = endpoint_of_v4(be32_get(d->addresses + 4), 0);
	} else {
		memcpy(rx->peer.ip, d->addresses, 16);
		memcpy(rx->local.ip, d->addresses + 16, 16);
	}
	rx->peer.port = be16_get(d->udp);
	rx->local.port = be16_get(d->udp + 2);
	return DPDK_UDP;
}

enum dpdk_parsed dpdk_parse(
	const uint8_t *frame, unsigned len, uint16_t vlan, bool good, struct port_rx *rx)
{
	unsigned head = vlan ? ETH_LEN + ETH_TAG : ETH_LEN;
	struct datagram d = {0};
	enum dpdk_parsed rc;
	uint16_t type;

	if (len < head)
		return DPDK_BAD_HEADER;
	if (vlan && (be16_get(frame + ETH_TYPE) != ETHERTYPE_VLAN ||
			    (be16_get(frame + ETH_TYPE + 2) & VLAN_ID) != vlan))
		return DPDK_NOT_OURS;
	type = be16_get(frame + head - 2);
	if (type == ETHERTYPE_IPV4)
		rc = parse_v4(frame + head, len - head, good, &d);
	else if (type == ETHERTYPE_IPV6)
		rc = parse_v6(frame + head, len - head, &d);
	else
		return DPDK_NOT_OURS;
	return rc == DPDK_UDP ? parse_udp(&d, good, rx) : rc;
}
