// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/net_burst.h"

#include "load/net_back.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RX_MSGS = 8,
	RX_LEN = 65536, // a GRO bundle
	RX_CONTROL = 128,
	EVENTS = 64,
	TX_MSGS = 64,
};

struct burst {
	int epoll;
	// outgoing, all of one socket
	struct net_sock *tx_sock;
	unsigned tx_n;
	struct mmsghdr tx_msgs[TX_MSGS];
	struct iovec tx_iov[TX_MSGS];
	struct sockaddr_storage tx_to[TX_MSGS];
	uint8_t tx_data[TX_MSGS][NET_DATAGRAM];
	uint8_t rx_data[RX_MSGS][RX_LEN];
};

struct burst *burst_new(void)
{
	struct burst *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (b->epoll < 0) {
		free(b);
		return NULL;
	}
	for (unsigned i = 0; i < TX_MSGS; i++) {
		b->tx_iov[i].iov_base = b->tx_data[i];
		b->tx_msgs[i].msg_hdr.msg_iov = &b->tx_iov[i];
		b->tx_msgs[i].msg_hdr.msg_iovlen = 1;
	}
	return b;
}

void burst_free(struct burst *b)
{
	if (!b)
		return;
	close(b->epoll);
	free(b);
}

int burst_watch(struct burst *b, const struct net_sock *s)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = s->index};

	return epoll_ctl(b->epoll, EPOLL_CTL_ADD, s->fd, &e) ? -errno : 0;
}

// --- out --------------------------------------------------------------------------------------

void burst_flush(struct net *n)
{
	struct burst *b = n->state;
	unsigned done = 0;
	bool again = true;

	while (done < b->tx_n) {
		int rc = sendmmsg(b->tx_sock->fd, b->tx_msgs + done, b->tx_n - done, 0);

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
	b->tx_n = 0;
}

void burst_out(struct net *n, struct net_sock *s, const struct endpoint *to, const uint8_t *data,
	size_t len)
{
	struct burst *b = n->state;
	struct msghdr *h;

	if (b->tx_n == TX_MSGS || (b->tx_n && b->tx_sock != s))
		burst_flush(n);
	b->tx_sock = s;
	h = &b->tx_msgs[b->tx_n].msg_hdr;
	h->msg_name = to ? &b->tx_to[b->tx_n] : NULL;
	h->msg_namelen = to ? endpoint_to_sockaddr(to, &b->tx_to[b->tx_n]) : 0;
	memcpy(b->tx_data[b->tx_n], data, len);
	b->tx_iov[b->tx_n].iov_len = len;
	b->tx_n++;
}

// --- in ---------------------------------------------------------------------------------------

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

	n->stats.rx_messages++;
	for (size_t at = 0; at < len; at += segment)
		net_arrived(n, s, now, data + at, len - at < segment ? len - at : segment);
}

static void take(struct net *n, struct net_sock *s)
{
	struct burst *b = n->state;
	struct mmsghdr msgs[RX_MSGS] = {0};
	struct iovec iov[RX_MSGS];
	_Alignas(struct cmsghdr) uint8_t control[RX_MSGS][RX_CONTROL];
	ts_us now;
	int got;

	for (unsigned i = 0; i < RX_MSGS; i++) {
		iov[i] = (struct iovec){b->rx_data[i], RX_LEN};
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

void burst_wait(struct net *n, uint32_t timeout_us)
{
	struct burst *b = n->state;
	struct epoll_event events[EVENTS];
	int got = epoll_wait(b->epoll, events, EVENTS, (int)((timeout_us + TS_MS - 1) / TS_MS));

	for (int i = 0; i < got; i++)
		take(n, &n->socks[events[i].data.u32]);
}
