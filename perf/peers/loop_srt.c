// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The plainest relay that libsrt allows: one listener for the publisher, one for the subscribers,
// one epoll, and one srt_sendmsg2 per subscriber and packet. What programs on libsrt do at least.
//
//   loop_srt IN_PORT OUT_PORT

#include <arpa/inet.h>
#include <signal.h>
#include <srt/srt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 16384, EVENTS = 64, BACKLOG = 1024, ROOM = 1500 };

struct relay {
	int epoll;
	SRTSOCKET in, out; // listeners
	SRTSOCKET publisher;
	SRTSOCKET subscribers[MOST];
	unsigned n;
};

static volatile sig_atomic_t ended;

static void on_signal(int)
{
	ended = 1;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "loop_srt: %s: %s\n", what, srt_getlasterror_str());
	exit(1);
}

static void watch(struct relay *r, SRTSOCKET s)
{
	int what = SRT_EPOLL_IN | SRT_EPOLL_ERR;

	if (srt_epoll_add_usock(r->epoll, s, &what) == SRT_ERROR)
		die("epoll");
}

static SRTSOCKET listening(struct relay *r, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	SRTSOCKET s = srt_create_socket();
	bool no = false;

	// Neither a slow subscriber nor an empty buffer may hold the loop. Accepted sockets
	// inherit.
	srt_setsockflag(s, SRTO_RCVSYN, &no, sizeof(no));
	srt_setsockflag(s, SRTO_SNDSYN, &no, sizeof(no));
	if (srt_bind(s, (struct sockaddr *)&at, sizeof(at)) == SRT_ERROR ||
		srt_listen(s, BACKLOG) == SRT_ERROR)
		die("the port");
	watch(r, s);
	return s;
}

static void accept_all(struct relay *r, SRTSOCKET listener)
{
	for (SRTSOCKET s; (s = srt_accept(listener, NULL, NULL)) != SRT_INVALID_SOCK;) {
		if (listener == r->in) {
			r->publisher = s;
			watch(r, s);
		} else if (r->n < MOST) {
			r->subscribers[r->n++] = s;
		} else {
			srt_close(s);
		}
	}
}

static void send_on(struct relay *r, const char *data, int len)
{
	SRT_MSGCTRL ctrl = srt_msgctrl_default;

	for (unsigned i = 0; i < r->n;) {
		if (srt_sendmsg2(r->subscribers[i], data, len, &ctrl) == SRT_ERROR &&
			srt_getlasterror(NULL) != SRT_EASYNCSND) {
			srt_close(r->subscribers[i]);
			r->subscribers[i] = r->subscribers[--r->n];
		} else {
			i++;
		}
	}
}

static void relay_all(struct relay *r)
{
	char data[ROOM];
	int len;

	while ((len = srt_recvmsg(r->publisher, data, sizeof(data))) > 0)
		send_on(r, data, len);
	if (len == 0 || srt_getlasterror(NULL) != SRT_EASYNCRCV) {
		srt_close(r->publisher);
		r->publisher = SRT_INVALID_SOCK;
	}
}

static void turn(struct relay *r)
{
	SRT_EPOLL_EVENT ready[EVENTS];
	int n = srt_epoll_uwait(r->epoll, ready, EVENTS, 100);

	for (int i = 0; i < n; i++)
		if (ready[i].fd == r->publisher)
			relay_all(r);
		else
			accept_all(r, ready[i].fd);
}

int main(int argc, char **argv)
{
	static struct relay r = {.publisher = SRT_INVALID_SOCK};
	struct sigaction on = {.sa_handler = on_signal};

	if (argc != 3) {
		fprintf(stderr, "Usage: loop_srt IN_PORT OUT_PORT\n");
		return 2;
	}
	sigaction(SIGTERM, &on, NULL);
	sigaction(SIGINT, &on, NULL);
	srt_startup();
	srt_setloglevel(0);
	r.epoll = srt_epoll_create();
	r.in = listening(&r, atoi(argv[1]));
	r.out = listening(&r, atoi(argv[2]));
	while (!ended)
		turn(&r);
	_exit(0); // closing thousands of sockets in order takes libsrt minutes
}
