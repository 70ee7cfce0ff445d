// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Own datagrams: handshakes, ACKACKs, ACKs, NAKs, keepalives. The short ones are many, an ACKACK
// for every ACK that came in: they wait for the end of the round, or for the next media, and leave
// by one sendmmsg. What is longer leaves at once, behind those that wait.

#include "io/sock.h"

#include <errno.h>
#include <stdlib.h>

#define OWN_MAX 64u // bytes that wait

struct sock_own {
	struct mmsghdr msg[SOCK_TX_MSGS];
	union sock_name name[SOCK_TX_MSGS];
	struct sock_control control[SOCK_TX_MSGS];
	struct iovec iov[SOCK_TX_MSGS];
	uint8_t bytes[SOCK_TX_MSGS][OWN_MAX];
	struct line to[SOCK_TX_MSGS]; // whom a failure is told of
	unsigned n;
	int fd; // of those that wait
};

struct sock_own *sock_own_new(void)
{
	return calloc(1, sizeof(struct sock_own));
}

static void message_put(struct sock_own *w, const struct sock *from, const struct line *to,
	const uint8_t *data, uint16_t len)
{
	unsigned at = w->n++;
	struct msghdr *m = &w->msg[at].msg_hdr;

	memcpy(w->bytes[at], data, len);
	w->to[at] = *to;
	w->iov[at] = (struct iovec){w->bytes[at], len};
	*m = (struct msghdr){.msg_name = &w->name[at],
		.msg_namelen = sock_name_len(from),
		.msg_iov = &w->iov[at],
		.msg_iovlen = 1,
		.msg_control = w->control[at].b};
	sock_name_put(&w->name[at], from, to);
	sock_control_of_line(m, from, to);
	if (!m->msg_controllen)
		m->msg_control = NULL;
}

// A message that fails is passed over. A full buffer is not waited for: each of these comes again.
void sock_own_flush(struct port *p)
{
	struct port_sock *s = (struct port_sock *)p;
	struct sock_own *w = s->own;

	for (unsigned at = 0; at < w->n;) {
		int r = sendmmsg(w->fd, w->msg + at, w->n - at, MSG_DONTWAIT);

		if (r <= 0) {
			sock_tx_failed(s, &w->to[at++], errno);
			continue;
		}
		for (; r > 0; r--, at++) {
			s->st.tx_packets++;
			s->st.tx_bytes += w->iov[at].iov_len;
		}
	}
	w->n = 0;
}

static int send_now(struct port_sock *s, const struct sock *from, const struct line *to,
	const uint8_t *data, uint16_t len)
{
	struct iovec v = {(void *)(uintptr_t)data, len};
	struct sock_control control;
	union sock_name name;
	struct msghdr m = {.msg_name = &name,
		.msg_namelen = sock_name_len(from),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control.b};

	sock_name_put(&name, from, to);
	sock_control_of_line(&m, from, to);
	if (sendmsg(from->fd, &m, MSG_DONTWAIT) < 0)
		return sock_tx_failed(s, to, errno);
	s->st.tx_packets++;
	s->st.tx_bytes += len;
	return 0;
}

int sock_own_send(struct port *p, const struct line *to, const uint8_t *data, uint16_t len)
{
	struct port_sock *s = (struct port_sock *)p;
	const struct sock *from = sock_of_line(s, to);
	struct sock_own *w = s->own;

	if (w->n && (len > OWN_MAX || w->fd != from->fd))
		sock_own_flush(p);
	if (len > OWN_MAX)
		return send_now(s, from, to, data, len);
	w->fd = from->fd;
	message_put(w, from, to, data, len);
	if (w->n == SOCK_TX_MSGS)
		sock_own_flush(p);
	return 0;
}
