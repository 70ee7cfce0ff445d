#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Where things stand in a subscriber's line: the whole Ethernet, IPv4, UDP and SRT header, right
// aligned in 64 bytes, so that every field a copy patches is naturally aligned. An IPv6, UDP and
// SRT header is 64 bytes by itself: the line has no room for Ethernet then, and all behind the IP
// header stands where it stands with IPv4. Bytes 0 and 1 of an IPv4 line are 0, byte 0 of an IPv6
// line has the version.

enum {
	WIRE_LINE = 64,
	WIRE_SPARE =
		2, // 4 bytes: VLAN tag on bypass ports, egress interface index on kernel sockets
	WIRE_ETH = 6,
	WIRE_IP = 20,
	WIRE_IP_TOS = 21,
	WIRE_IP_LEN = 22,
	WIRE_IP_TTL = 28,
	WIRE_IP_PROTO = 29,
	WIRE_IP_CSUM = 30,
	WIRE_IP_SRC = 32,
	WIRE_IP_DST = 36,
	WIRE_UDP = 40,
	WIRE_UDP_SRC = 40,
	WIRE_UDP_DST = 42,
	WIRE_UDP_LEN = 44,
	WIRE_UDP_CSUM = 46,
	WIRE_MEDIA = 48, // SRT or RTP header; payload follows at 64
	WIRE_SRT_SEQ = 48,
	WIRE_SRT_WORD1 = 52,
	WIRE_SRT_TS = 56,
	WIRE_SRT_DST = 60,
	WIRE_RTP_SEQ = 50,
	WIRE_RTP_TS = 52,
	WIRE_RTP_SSRC = 56,
};

// An IPv6 header (RFC 8200, section 3). The flow label's 20 bits hold the egress interface index on
// kernel sockets, which choose a label of their own.
enum {
	WIRE_IP6 = 0,
	WIRE_IP6_LEN = 4,
	WIRE_IP6_NEXT = 6,
	WIRE_IP6_HOPS = 7,
	WIRE_IP6_SRC = 8,
	WIRE_IP6_DST = 24,
	WIRE_IP6_FLOW_MASK = 0xfffff,
};

enum {
	WIRE_IP_HDR = 20,
	WIRE_IP6_HDR = 40,
	WIRE_UDP_HDR = 8,
	WIRE_SRT_HDR = 16,
	WIRE_RTP_HDR = 12,
	WIRE_TS_PACKET = 188,
	WIRE_PAYLOAD_MAX_V4 = 1456, // 1500 - 28 - 16
	WIRE_PAYLOAD_MAX_V6 = 1436,
};
