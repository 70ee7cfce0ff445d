// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/sock.h"

#include <netinet/udp.h>
#include <unistd.h>

// What the kernel told beside the bytes.
struct ancillary {
	bool has_local;
	struct endpoint local; // address to answer from
	uint32_t seg;	       // UDP_GRO; 0: a single datagram
	bool has_overflow;
	uint32_t overflow;
};

static void ancillary_one(const struct cmsghdr *c, struct ancillary *a)
{
	struct in6_pktinfo info6;
	struct in_pktinfo info;
	int seg;

	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		a->local = endpoint_of_v4(ntohl(info.ipi_spec_dst.s_addr), 0);
		a->has_local = true;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&info6, CMSG_DATA(c), sizeof(info6));
		memcpy(a->local.ip, &info6.ipi6_addr, sizeof(a->local.ip));
		a->has_local = true;
	} else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
		memcpy(&seg, CMSG_DATA(c), sizeof(seg));
		a->seg = seg > 0 ? (uint32_t)seg : 0;
	} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
		memcpy(&a->overflow, CMSG_DATA(c), sizeof(a->overflow));
		a->has_overflow = true;
	}
}

static struct ancillary ancillary_of(struct msghdr *m)
{
	struct ancillary a = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		ancillary_one(c, &a);
	return a;
}

void sock_rx_stage(
	struct port_sock *s, struct sock *from, uint16_t staging, struct msghdr *m, uint32_t len)
{
	struct ancillary a = ancillary_of(m);
	struct sock_bundle *b;

	if (a.has_overflow) {
		s->st.rx_overflow += a.overflow - from->overflow;
		from->overflow = a.overflow;
	}
	if (m->msg_flags & MSG_TRUNC) {
		s->st.rx_truncated++;
		s->rx->recycle(s, staging);
		return;
	}
	b = &s->staged[s->tail++ % SOCK_STAGING];
	*b = (struct sock_bundle){
		.data = m->msg_iov->iov_base,
		.len = len,
		.seg = a.seg && a.seg < len ? a.seg : len,
		.staging = staging,
		.tag = from->tag,
		.local.port = from->port,
	};
	endpoint_from_sockaddr(m->msg_name, &b->peer);
	memcpy(b->local.ip, a.has_local ? a.local.ip : from->ip, sizeof(b->local.ip));
}

// Cut datagrams off the oldest bundle; true when it is used up.
static bool bundle_split(struct sock_bundle *b, struct port_rx *rx, unsigned n, unsigned *got)
{
	while (*got < n) {
		uint32_t left = b->len - b->at;
		uint16_t len = (uint16_t)(left < b->seg ? left : b->seg);

		rx[(*got)++] = (struct port_rx){.data = b->data + b->at,
			.len = len,
			.tag = b->tag,
			.peer = b->peer,
			.local = b->local};
		b->at += len;
		if (b->at == b->len)
			return true;
	}
	return false;
}

static unsigned hand_out(struct port_sock *s, struct port_rx *rx, unsigned n, unsigned got)
{
	while (s->head != s->tail && got < n) {
		struct sock_bundle *b = &s->staged[s->head % SOCK_STAGING];

		s->st.rx_bytes += b->at ? 0 : b->len;
		if (!bundle_split(b, rx, n, &got))
			break;
		s->lent[s->n_lent++] = b->staging;
		s->head++;
	}
	return got;
}

unsigned sock_rx_burst(struct port *p, struct port_rx *rx, unsigned n)
{
	struct port_sock *s = (struct port_sock *)p;
	unsigned got;
	ts_us now;

	while (s->n_lent)
		s->rx->recycle(s, s->lent[--s->n_lent]);
	if (n > PORT_BURST)
		n = PORT_BURST;
	got = hand_out(s, rx, n, 0);
	if (got < n) {
		s->rx->fill(s);
		got = hand_out(s, rx, n, got);
	}
	if (!got)
		return 0;
	now = ts_now();
	for (unsigned i = 0; i < got; i++)
		rx[i].arrival = now;
	s->st.rx_packets += got;
	return got;
}

// A wake that comes before the wait ends it at once; one that comes while nobody waits costs no
// system call.
void sock_rx_wait(struct port *p, uint32_t timeout_us)
{
	struct port_sock *s = (struct port_sock *)p;

	if (s->head == s->tail && timeout_us &&
		atomic_exchange(&s->sleep, SOCK_ASLEEP) != SOCK_WOKEN)
		s->rx->wait(s, timeout_us);
	atomic_store(&s->sleep, SOCK_AWAKE);
}

void sock_rx_wake(struct port *p)
{
	struct port_sock *s = (struct port_sock *)p;

	if (atomic_exchange(&s->sleep, SOCK_WOKEN) == SOCK_ASLEEP)
		(void)!write(s->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
}

void sock_rx_clear_wake(struct port_sock *s)
{
	uint64_t count;

	(void)!read(s->wake_fd, &count, sizeof(count));
}
