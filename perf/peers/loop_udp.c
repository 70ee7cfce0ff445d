// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The plainest UDP fan-out there can be, to measure a relay against: what has queued comes in by
// one recvmmsg, and goes to each of COUNT ports in turn. Nothing ever waits for a bundle to fill.
//
//   loop_udp sendto|sendmmsg|segment IN_PORT FIRST_PORT COUNT

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BURST = 16, ROOM = 2048, CHUNK = 512, BUFFERS = 8 << 20 };

union segment {
	char b[CMSG_SPACE(sizeof(uint16_t))];
	size_t align;
};

struct loop {
	int in, out;
	struct sockaddr_in *to;
	unsigned n_to;
	uint8_t data[BURST][ROOM];
	struct mmsghdr rx[BURST], tx[CHUNK];
	struct iovec rx_iov[BURST], tx_iov[BURST];
	union segment segment;
};

typedef void (*way)(struct loop *l, unsigned first, unsigned n);

static volatile sig_atomic_t ended;

static void on_signal(int)
{
	ended = 1;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "loop_udp: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in here(unsigned port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

// Payloads first to first + n - 1 to all, one system call each.
static void by_sendto(struct loop *l, unsigned first, unsigned n)
{
	for (unsigned k = first; k < first + n; k++)
		for (unsigned i = 0; i < l->n_to; i++)
			(void)sendto(l->out, l->data[k], l->rx[k].msg_len, 0,
				(struct sockaddr *)&l->to[i], sizeof(l->to[i]));
}

// The messages of one chunk; one that is refused is passed over.
static void chunk_send(struct loop *l, unsigned n)
{
	for (unsigned at = 0; at < n;) {
		int r = sendmmsg(l->out, l->tx + at, n - at, 0);

		at += r > 0 ? (unsigned)r : 1;
	}
}

// One message a destination: n payloads beginning with the first, cut apart by the kernel.
static void to_all(struct loop *l, unsigned first, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		l->tx_iov[k] = (struct iovec){l->data[first + k], l->rx[first + k].msg_len};
	for (unsigned at = 0; at < l->n_to; at += CHUNK) {
		unsigned m = l->n_to - at < CHUNK ? l->n_to - at : CHUNK;

		for (unsigned i = 0; i < m; i++)
			l->tx[i].msg_hdr = (struct msghdr){.msg_name = &l->to[at + i],
				.msg_namelen = sizeof(l->to[0]),
				.msg_iov = l->tx_iov,
				.msg_iovlen = n,
				.msg_control = n > 1 ? &l->segment : NULL,
				.msg_controllen = n > 1 ? sizeof(l->segment) : 0};
		chunk_send(l, m);
	}
}

static void by_sendmmsg(struct loop *l, unsigned first, unsigned n)
{
	for (unsigned k = first; k < first + n; k++)
		to_all(l, k, 1);
}

static void by_segment(struct loop *l, unsigned first, unsigned n)
{
	uint16_t len = (uint16_t)l->rx[first].msg_len;
	struct cmsghdr *c = (struct cmsghdr *)l->segment.b;

	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(len));
	memcpy(CMSG_DATA(c), &len, sizeof(len));
	to_all(l, first, n);
}

static void turn(struct loop *l, way send_on)
{
	int got = recvmmsg(l->in, l->rx, BURST, MSG_WAITFORONE, NULL);

	for (unsigned first = 0, end; got > 0 && first < (unsigned)got; first = end) {
		for (end = first + 1; end < (unsigned)got; end++)
			if (l->rx[end].msg_len != l->rx[first].msg_len)
				break;
		send_on(l, first, end - first);
	}
}

static void open_all(struct loop *l, unsigned in_port, unsigned first_port)
{
	struct sockaddr_in at = here(in_port);
	int room = BUFFERS;

	l->in = socket(AF_INET, SOCK_DGRAM, 0);
	l->out = socket(AF_INET, SOCK_DGRAM, 0);
	if (l->in < 0 || l->out < 0)
		die("socket");
	setsockopt(l->in, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(l->out, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (bind(l->in, (struct sockaddr *)&at, sizeof(at)))
		die("the port of the stream");
	l->to = calloc(l->n_to, sizeof(*l->to));
	if (!l->to)
		die("memory");
	for (unsigned i = 0; i < l->n_to; i++)
		l->to[i] = here(first_port + i);
	for (unsigned k = 0; k < BURST; k++) {
		l->rx_iov[k] = (struct iovec){l->data[k], ROOM};
		l->rx[k].msg_hdr = (struct msghdr){.msg_iov = &l->rx_iov[k], .msg_iovlen = 1};
	}
}

static way way_named(const char *name)
{
	return !strcmp(name, "sendto")	   ? by_sendto
	       : !strcmp(name, "sendmmsg") ? by_sendmmsg
	       : !strcmp(name, "segment")  ? by_segment
					   : NULL;
}

int main(int argc, char **argv)
{
	static struct loop l;
	struct sigaction on = {.sa_handler = on_signal};
	way send_on = argc == 5 ? way_named(argv[1]) : NULL;

	if (!send_on) {
		fprintf(stderr,
			"Usage: loop_udp sendto|sendmmsg|segment IN_PORT FIRST_PORT COUNT\n");
		return 2;
	}
	l.n_to = (unsigned)atoi(argv[4]);
	open_all(&l, (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
	sigaction(SIGTERM, &on, NULL);
	sigaction(SIGINT, &on, NULL);
	while (!ended)
		turn(&l, send_on);
	return 0;
}
