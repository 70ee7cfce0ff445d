// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A bad path for UDP, the same every time: proxy TO_PORT [seed=N loss=PERMILLE reorder=PERMILLE
// reorder-ms=MS dup=PERMILLE delay-ms=MS]. Listens on a port of its own on 127.0.0.1 and passes
// datagrams to 127.0.0.1:TO_PORT and back; each client keeps a socket of its own towards there.
// Both directions suffer alike: loss, then a delay, longer for reordered ones, and a second copy of
// doubled ones. Seeds differ by direction.
//
// Prints {"port": N} when it listens, and its counts as one line of JSON on SIGUSR1 and at the end
// (SIGTERM). SIGUSR2 cuts the path, and mends it the next time: nothing passes in between.

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM_MAX 2048
#define CLIENTS_MAX 512

// up: from a client to the server; down: back.
enum direction { UP, DOWN, DIRECTIONS };

struct packet {
	uint64_t due_ns;
	uint64_t order; // equal due times leave as they came
	int fd;
	bool to_client;
	struct sockaddr_in to;
	size_t len;
	uint8_t data[DATAGRAM_MAX];
};

struct way {
	uint64_t random;
	uint64_t in, out, lost, reordered, doubled, blocked, refused;
};

struct path {
	unsigned loss, reorder, dup; // per 1,000
	uint64_t delay_ns, reorder_ns;
	uint16_t to_port;
	int listener;
	size_t n_clients;
	struct sockaddr_in client[CLIENTS_MAX];
	struct pollfd poll[1 + CLIENTS_MAX]; // the listener, then one per client
	struct packet **heap;
	size_t n_heap, cap_heap;
	uint64_t order;
	uint64_t lag_ns; // most that a packet left behind its due time
	struct way way[DIRECTIONS];
};

static volatile sig_atomic_t stop, report, cut;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		report = 1;
	else if (number == SIGUSR2)
		cut = !cut;
	else
		stop = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// splitmix64: small, and good enough to lose packets by.
static uint64_t random_next(struct way *w)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static bool chance(struct way *w, unsigned per_mille)
{
	return random_next(w) % 1000 < per_mille;
}

static bool sooner(const struct packet *a, const struct packet *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void heap_push(struct path *p, struct packet *k)
{
	size_t i = p->n_heap;

	if (p->n_heap == p->cap_heap) {
		p->cap_heap = p->cap_heap ? 2 * p->cap_heap : 1024;
		p->heap = realloc(p->heap, p->cap_heap * sizeof(*p->heap));
		if (!p->heap)
			die("memory");
	}
	p->n_heap++;
	for (; i && sooner(k, p->heap[(i - 1) / 2]); i = (i - 1) / 2)
		p->heap[i] = p->heap[(i - 1) / 2];
	p->heap[i] = k;
}

static struct packet *heap_pop(struct path *p)
{
	struct packet *first = p->heap[0], *last = p->heap[--p->n_heap];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < p->n_heap && sooner(p->heap[child + 1], p->heap[child]))
			child++;
		if (child >= p->n_heap || !sooner(p->heap[child], last))
			break;
		p->heap[i] = p->heap[child];
		i = child;
	}
	p->heap[i] = last;
	return first;
}

static void schedule(struct path *p, const struct packet *k, uint64_t due_ns)
{
	struct packet *copy = malloc(sizeof(*copy));

	if (!copy)
		die("memory");
	*copy = *k;
	copy->due_ns = due_ns;
	copy->order = p->order++;
	heap_push(p, copy);
}

// What becomes of one datagram. The draws are the same whatever the verdicts, so that packet n of a
// direction meets the same fate in every run.
static void suffer(struct path *p, enum direction d, const struct packet *k)
{
	struct way *w = &p->way[d];
	bool lost = chance(w, p->loss), late = chance(w, p->reorder), twice = chance(w, p->dup);
	uint64_t draw = random_next(w);
	uint64_t due = now_ns() + p->delay_ns;

	w->in++;
	if (cut) {
		w->blocked++;
		return;
	}
	if (lost) {
		w->lost++;
		return;
	}
	if (late && p->reorder_ns) {
		w->reordered++;
		due += 1 + draw % p->reorder_ns;
	}
	schedule(p, k, due);
	if (twice) {
		w->doubled++;
		schedule(p, k, due);
	}
}

static int socket_new(uint16_t port, uint16_t to_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int space = 8 << 20;

	if (fd < 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof(space)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &space, sizeof(space));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	a.sin_port = htons(to_port);
	if (to_port && connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	return fd;
}

// The client's socket towards the server; made for a new one. -1 when there are too many.
static int client_fd(struct path *p, const struct sockaddr_in *from)
{
	size_t i = 0;

	while (i < p->n_clients && (p->client[i].sin_port != from->sin_port ||
					   p->client[i].sin_addr.s_addr != from->sin_addr.s_addr))
		i++;
	if (i == CLIENTS_MAX)
		return -1;
	if (i == p->n_clients) {
		p->client[i] = *from;
		p->poll[1 + i] = (struct pollfd){.fd = socket_new(0, p->to_port), .events = POLLIN};
		p->n_clients++;
	}
	return p->poll[1 + i].fd;
}

static void read_clients(struct path *p)
{
	struct packet k = {0};

	for (int i = 0; i < 64; i++) {
		socklen_t size = sizeof(k.to);
		ssize_t n = recvfrom(
			p->listener, k.data, sizeof(k.data), 0, (struct sockaddr *)&k.to, &size);

		if (n < 0)
			return;
		k.len = (size_t)n;
		k.fd = client_fd(p, &k.to);
		if (k.fd >= 0)
			suffer(p, UP, &k);
	}
}

static void read_server(struct path *p, size_t client)
{
	struct packet k = {.fd = p->listener, .to_client = true, .to = p->client[client]};

	for (int i = 0; i < 64; i++) {
		ssize_t n = recv(p->poll[1 + client].fd, k.data, sizeof(k.data), 0);

		if (n < 0)
			return; // also ECONNREFUSED: nobody listens there right now
		k.len = (size_t)n;
		suffer(p, DOWN, &k);
	}
}

static void send_due(struct path *p)
{
	uint64_t now = now_ns();

	while (p->n_heap && p->heap[0]->due_ns <= now) {
		struct packet *k = heap_pop(p);
		const struct sockaddr *to = k->to_client ? (struct sockaddr *)&k->to : NULL;
		struct way *w = &p->way[k->to_client ? DOWN : UP];

		if (now - k->due_ns > p->lag_ns)
			p->lag_ns = now - k->due_ns;
		if (sendto(k->fd, k->data, k->len, 0, to, to ? sizeof(k->to) : 0) < 0)
			w->refused++;
		else
			w->out++;
		free(k);
	}
}

static void print_way(const char *name, const struct way *w)
{
	printf("\"%s\": {\"in\": %ju, \"out\": %ju, \"lost\": %ju, \"reordered\": %ju, "
	       "\"doubled\": %ju, "
	       "\"blocked\": %ju, \"refused\": %ju}",
		name, w->in, w->out, w->lost, w->reordered, w->doubled, w->blocked, w->refused);
}

static void print_counts(const struct path *p)
{
	printf("{");
	print_way("up", &p->way[UP]);
	printf(", ");
	print_way("down", &p->way[DOWN]);
	printf(", \"clients\": %zu, \"queued\": %zu, \"lag_ms\": %ju}\n", p->n_clients, p->n_heap,
		p->lag_ns / 1000000u);
	fflush(stdout);
}

static void run(struct path *p, const sigset_t *waiting)
{
	while (!stop) {
		uint64_t now = now_ns(), due = p->n_heap ? p->heap[0]->due_ns : 0;
		uint64_t wait = due > now ? due - now : 0;
		struct timespec t = {.tv_sec = (time_t)(wait / 1000000000u),
			.tv_nsec = (long)(wait % 1000000000u)};

		if (report) {
			report = 0;
			print_counts(p);
		}
		if (ppoll(p->poll, 1 + p->n_clients, p->n_heap ? &t : NULL, waiting) < 0 &&
			errno != EINTR)
			die("poll");
		if (p->poll[0].revents)
			read_clients(p);
		for (size_t i = 0; i < p->n_clients; i++) {
			if (p->poll[1 + i].revents)
				read_server(p, i);
			p->poll[1 + i].revents = 0;
		}
		p->poll[0].revents = 0;
		send_due(p);
	}
}

static bool option(struct path *p, const char *text, uint64_t *seed)
{
	char name[16];
	unsigned value;

	if (sscanf(text, "%15[a-z-]=%u", name, &value) != 2)
		return false;
	if (!strcmp(name, "seed"))
		*seed = value;
	else if (!strcmp(name, "loss"))
		p->loss = value;
	else if (!strcmp(name, "reorder"))
		p->reorder = value;
	else if (!strcmp(name, "dup"))
		p->dup = value;
	else if (!strcmp(name, "reorder-ms"))
		p->reorder_ns = value * 1000000u;
	else if (!strcmp(name, "delay-ms"))
		p->delay_ns = value * 1000000u;
	else
		return false;
	return true;
}

static void catch_signals(sigset_t *waiting)
{
	static const int caught[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
	struct sigaction act = {.sa_handler = on_signal};
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(caught) / sizeof(*caught); i++) {
		sigaddset(&block, caught[i]);
		sigaction(caught[i], &act, NULL);
	}
	// Blocked but while waiting, so that none is missed between the check and the wait.
	sigprocmask(SIG_BLOCK, &block, waiting);
}

int main(int argc, char **argv)
{
	static struct path p;
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	uint64_t seed = 1;
	sigset_t waiting;

	p.to_port = argc > 1 ? (uint16_t)atoi(argv[1]) : 0;
	for (int i = 2; i < argc; i++)
		if (!option(&p, argv[i], &seed))
			p.to_port = 0;
	if (!p.to_port) {
		fprintf(stderr,
			"usage: proxy TO_PORT [seed= loss= reorder= reorder-ms= dup= delay-ms=]\n");
		return 2;
	}
	catch_signals(&waiting);
	p.way[UP].random = 2 * seed;
	p.way[DOWN].random = 2 * seed + 1;
	p.listener = socket_new(0, 0);
	p.poll[0] = (struct pollfd){.fd = p.listener, .events = POLLIN};
	getsockname(p.listener, (struct sockaddr *)&own, &size);
	printf("{\"port\": %u}\n", ntohs(own.sin_port));
	fflush(stdout);
	run(&p, &waiting);
	print_counts(&p);
	return 0;
}
