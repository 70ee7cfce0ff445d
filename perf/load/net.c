// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/net.h"

#include "load/impair.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	RX_MSGS = 8,
	RX_LEN = 65536, // a GRO bundle
	RX_CONTROL = 128,
	EVENTS = 64,
};

static uint8_t rx_data[RX_MSGS][RX_LEN];

int net_init(struct net *n, const struct net_opts *o, net_rx_fn on_rx, void *arg)
{
	*n = (struct net){.opts = *o, .on_rx = on_rx, .arg = arg, .rand = {o->seed}};
	n->impaired = o->loss > 0 || o->reorder > 0 || o->dup > 0 || o->delay_ms;
	n->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (n->epoll < 0)
		return -errno;
	if (n->impaired) {
		n->held = calloc(NET_HELD_MAX, sizeof(struct held *));
		if (!n->held)
			return -ENOMEM;
	}
	for (unsigned i = 0; i < NET_BATCH; i++) {
		n->tx_iov[i].iov_base = n->tx_data[i];
		n->tx_msgs[i].msg_hdr.msg_iov = &n->tx_iov[i];
		n->tx_msgs[i].msg_hdr.msg_iovlen = 1;
	}
	return 0;
}

void net_fini(struct net *n)
{
	impair_fini(n);
	for (uint32_t i = 0; i < n->n_socks; i++)
		close(n->socks[i].fd);
	free(n->socks);
	if (n->epoll >= 0)
		close(n->epoll);
}

// --- out --------------------------------------------------------------------------------------

void net_flush(struct net *n)
{
	unsigned done = 0;
	bool again = true;

	while (done < n->tx_n) {
		int rc = sendmmsg(n->tx_sock->fd, n->tx_msgs + done, n->tx_n - done, 0);

		if (rc > 0) {
			done += (unsigned)rc;
			n->stats.tx += (unsigned)rc;
			again = true;
		} else if (errno == ECONNREFUSED && again) {
			again = false; // an earlier datagram's answer: this one has not been tried
		} else {
			done++; // full or refused: lost, as a network would
			n->stats.tx_refused++;
			again = true;
		}
	}
	n->tx_n = 0;
}

void net_out(struct net *n, struct net_sock *s, const struct endpoint *to, const uint8_t *data,
	size_t len)
{
	struct msghdr *h;

	if (n->tx_n == NET_BATCH || (n->tx_n && n->tx_sock != s))
		net_flush(n);
	n->tx_sock = s;
	h = &n->tx_msgs[n->tx_n].msg_hdr;
	h->msg_name = to ? &n->tx_to[n->tx_n] : NULL;
	h->msg_namelen = to ? endpoint_to_sockaddr(to, &n->tx_to[n->tx_n]) : 0;
	memcpy(n->tx_data[n->tx_n], data, len);
	n->tx_iov[n->tx_n].iov_len = len;
	n->tx_n++;
}

void net_send(struct net *n, ts_us now, struct net_sock *s, const struct endpoint *to,
	const uint8_t *data, size_t len)
{
	if (len > NET_DATAGRAM)
		return;
	if (n->impaired)
		impair_out(n, now, s, to, data, len);
	else
		net_out(n, s, to, data, len);
}

// --- in ---------------------------------------------------------------------------------------

void net_in(struct net *n, struct net_sock *s, ts_us now, const uint8_t *data, size_t len)
{
	n->on_rx(n->arg, s, now, data, len);
}

// What stands in the control messages: the size of a bundle's segments, and the kernel's losses.
static size_t read_control(struct net_sock *s, struct msghdr *h, size_t len)
{
	size_t segment = len;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		int gro;

		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&gro, CMSG_DATA(c), sizeof(gro));
			segment = gro > 0 ? (size_t)gro : len;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&s->overflow, CMSG_DATA(c), sizeof(s->overflow));
		}
	}
	return segment;
}

static void take_bundle(struct net *n, struct net_sock *s, ts_us now, struct mmsghdr *m)
{
	const uint8_t *data = m->msg_hdr.msg_iov->iov_base;
	size_t len = m->msg_len, segment = read_control(s, &m->msg_hdr, len);

	for (size_t at = 0; at < len; at += segment) {
		size_t one = len - at < segment ? len - at : segment;

		n->stats.rx++;
		if (n->impaired)
			impair_in(n, now, s, data + at, one);
		else
			net_in(n, s, now, data + at, one);
	}
}

static void net_rx(struct net *n, struct net_sock *s)
{
	struct mmsghdr msgs[RX_MSGS] = {0};
	struct iovec iov[RX_MSGS];
	_Alignas(struct cmsghdr) uint8_t control[RX_MSGS][RX_CONTROL];
	ts_us now;
	int got;

	for (unsigned i = 0; i < RX_MSGS; i++) {
		iov[i] = (struct iovec){rx_data[i], RX_LEN};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = RX_CONTROL};
	}
	got = recvmmsg(s->fd, msgs, RX_MSGS, MSG_DONTWAIT, NULL);
	now = ts_now();
	for (int i = 0; i < got; i++)
		take_bundle(n, s, now, &msgs[i]);
}

void net_wait(struct net *n, ts_us now, ts_us until)
{
	struct epoll_event events[EVENTS];
	ts_us wait = until > now ? until - now : 0;
	int ms = wait > 100 * TS_MS ? 100 : (int)((wait + TS_MS - 1) / TS_MS);
	int got;

	net_flush(n);
	got = epoll_wait(n->epoll, events, EVENTS, ms);
	for (int i = 0; i < got; i++)
		net_rx(n, &n->socks[events[i].data.u32]);
}

void net_release(struct net *n, ts_us now)
{
	if (n->impaired)
		impair_release(n, now);
}

uint64_t net_overflow(const struct net *n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n->n_socks; i++)
		sum += n->socks[i].overflow;
	return sum;
}
