// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A message's way: the socket it leaves from, the name it goes to, and the control messages. On an
// AF_INET6 socket all of them speak IPv6, for IPv4 peers too (RFC 3493, section 3.7).

#include "base/bytes.h"
#include "io/sock.h"

static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

// --- socket ---------------------------------------------------------------------------------

// An unspecified source is any socket's on that port.
static bool sends_for(const struct sock *k, const struct line *l)
{
	static const uint8_t zero[16];

	if (!line_is_v6(l))
		return k->v6 ? k->any
			     : k->any || !line_load32(l->b + WIRE_IP_SRC) ||
				       !memcmp(k->ip + 12, l->b + WIRE_IP_SRC, 4);
	return k->v6 && (k->any || !memcmp(l->b + WIRE_IP6_SRC, zero, sizeof(zero)) ||
				!memcmp(l->b + WIRE_IP6_SRC, k->ip, sizeof(k->ip)));
}

const struct sock *sock_of_line(const struct port_sock *s, const struct line *l)
{
	int at = s->by_port[be16_get(l->b + WIRE_UDP_SRC)];

	for (; at != SOCK_NONE; at = s->socks[at].next)
		if (sends_for(&s->socks[at], l))
			return &s->socks[at];
	return &s->egress[line_is_v6(l)];
}

// --- name -----------------------------------------------------------------------------------

socklen_t sock_name_len(const struct sock *from)
{
	return from->v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void ip_of_line(uint8_t out[16], const struct line *l, unsigned at_v4, unsigned at_v6)
{
	if (line_is_v6(l)) {
		memcpy(out, l->b + at_v6, 16);
		return;
	}
	memcpy(out, v4_mapped, sizeof(v4_mapped));
	memcpy(out + 12, l->b + at_v4, 4);
}

static uint32_t ifindex_of(const struct line *l)
{
	return line_is_v6(l) ? be32_get(l->b + WIRE_IP6) & WIRE_IP6_FLOW_MASK
			     : line_load32(l->b + WIRE_SPARE);
}

void sock_name_put(union sock_name *name, const struct sock *from, const struct line *l)
{
	if (!from->v6) {
		name->v4.sin_family = AF_INET;
		memcpy(&name->v4.sin_port, l->b + WIRE_UDP_DST, 2);
		memcpy(&name->v4.sin_addr, l->b + WIRE_IP_DST, 4);
		return;
	}
	name->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_scope_id = ifindex_of(l)};
	memcpy(&name->v6.sin6_port, l->b + WIRE_UDP_DST, 2);
	ip_of_line(name->v6.sin6_addr.s6_addr, l, WIRE_IP_DST, WIRE_IP6_DST);
}

// --- control messages -----------------------------------------------------------------------

void sock_control_put(struct msghdr *m, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)m->msg_control + m->msg_controllen);

	*c = (struct cmsghdr){.cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(len)};
	memcpy(CMSG_DATA(c), data, len);
	m->msg_controllen += CMSG_SPACE(len);
}

static void pktinfo(struct msghdr *m, const struct sock *from, const struct line *l)
{
	struct in6_pktinfo info6 = {.ipi6_ifindex = ifindex_of(l)};
	struct in_pktinfo info = {.ipi_ifindex = (int)ifindex_of(l)};

	if (!from->v6) {
		memcpy(&info.ipi_spec_dst, l->b + WIRE_IP_SRC, 4);
		sock_control_put(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
		return;
	}
	ip_of_line(info6.ipi6_addr.s6_addr, l, WIRE_IP_SRC, WIRE_IP6_SRC);
	sock_control_put(m, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
}

// A source that is told, and that the socket would not take by itself; or an interface.
static bool wants_pktinfo(const struct sock *from, const struct line *l)
{
	static const uint8_t zero[16];
	bool v6 = line_is_v6(l);
	const uint8_t *src = l->b + (v6 ? WIRE_IP6_SRC : WIRE_IP_SRC);
	unsigned len = v6 ? 16 : 4;

	return ifindex_of(l) ||
	       (memcmp(src, zero, len) && (from->any || memcmp(src, from->ip + 16 - len, len)));
}

static void ttl_and_tos(struct msghdr *m, bool v6, bool multicast, int ttl, int tos)
{
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;

	if (ttl != (multicast ? SOCK_TTL_MULTICAST : SOCK_TTL))
		sock_control_put(m, level, v6 ? IPV6_HOPLIMIT : IP_TTL, &ttl, sizeof(ttl));
	if (tos)
		sock_control_put(m, level, v6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof(tos));
}

void sock_control_of_line(struct msghdr *m, const struct sock *from, const struct line *l)
{
	if (wants_pktinfo(from, l))
		pktinfo(m, from, l);
	if (line_is_v6(l))
		ttl_and_tos(m, true, l->b[WIRE_IP6_DST] == 0xff, l->b[WIRE_IP6_HOPS],
			(int)(be32_get(l->b + WIRE_IP6) >> 20 & 0xff));
	else
		ttl_and_tos(m, false, (l->b[WIRE_IP_DST] & 0xf0) == 0xe0, l->b[WIRE_IP_TTL],
			l->b[WIRE_IP_TOS]);
}
