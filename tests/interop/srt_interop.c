// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Our protocol objects against libsrt's own program, over real sockets on loopback: both roles of
// the handshake, both directions of media, optionally through a lossy path.
//
//   srt_interop [--packets N] [--loss PERCENT | --path bad] [--seed N] [--slt PROGRAM]
//   [SCENARIO]..
//
// srt-live-transmit is the peer. Its other end is bare UDP, which this program feeds or reads, so
// every payload is checked against what was sent. Exit 77 when the program is not there.

#include "base/endpoint.h"
#include "base/rand.h"
#include "base/seq.h"
#include "proto/srt_caller.h"
#include "proto/srt_clock.h"
#include "proto/srt_conn.h"
#include "proto/srt_cookie.h"
#include "proto/srt_hs.h"
#include "sim/link.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAYLOAD = 1316, RING = 8192, PERIOD = 1 * TS_MS, LATENCY_MS = 120, WAIT = 8 * TS_S };

// Packets behind the last one that counts: the loss of the very last is noticed by nobody.
enum { TAIL = 100 };

enum { WARM_UP = 0x40000000 };

enum { NOT_THERE = 77 }; // meson: skipped

static struct {
	uint32_t packets;
	struct link_cfg path; // each way
	uint64_t seed;
	const char *slt;
} opt = {.packets = 2000, .seed = 1, .slt = "srt-live-transmit"};

struct side {
	int srt, udp; // sockets; udp is the far end of srt-live-transmit
	uint16_t srt_port, udp_port;
	struct endpoint peer;	 // of the SRT socket
	struct link there, back; // the path between the two
	bool caller, sending, up;
	bool flowing; // media has come through
	struct srt_caller call;
	struct srt_cookie_key key;
	struct srt_hs_answer answer;
	ts_us t0;
	struct srt_conn conn;
	struct srt_rcv rcv;
	uint32_t isn, n_sent;	  // media we made, by SRT or by UDP
	ts_us sent_at[RING], due; // when, and when the next one goes
	uint32_t n_got, n_resent; // media that arrived at the far end
	uint32_t n_gave_up;
	bool failed, closed;
	uint8_t *seen;
};

static void fail(struct side *s, const char *what, unsigned long long a, unsigned long long b)
{
	fprintf(stderr, "  %s: %llu, %llu\n", what, a, b);
	s->failed = true;
}

// --- payloads: a function of their number -----------------------------------------------------

static void payload_make(uint32_t n, uint8_t out[PAYLOAD])
{
	struct rand r = {n};

	for (int i = 0; i < PAYLOAD; i += 4)
		be32_put(out + i, (uint32_t)rand_u64(&r));
	out[0] = 0x47;
	be32_put(out + 4, n);
}

static void payload_check(struct side *s, const uint8_t *data, size_t len)
{
	uint8_t want[PAYLOAD];
	uint32_t n;

	if (len != PAYLOAD) {
		fail(s, "payload length", len, PAYLOAD);
		return;
	}
	n = be32_get(data + 4);
	payload_make(n, want);
	s->flowing = true;
	if (memcmp(data, want, PAYLOAD))
		fail(s, "payload differs, packet", n, opt.packets);
	else if (n >= opt.packets)
		return; // from before or behind those that count
	else if (s->seen[n])
		fail(s, "delivered twice, packet", n, s->n_got);
	else
		s->n_got += s->seen[n] = 1;
}

// --- sockets ----------------------------------------------------------------------------------

static int socket_on_loopback(uint16_t *port)
{
	struct endpoint e = endpoint_of_v4(0x7f000001, 0);
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(&e, &sa);
	int buffer = 8 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) ||
		getsockname(fd, (struct sockaddr *)&sa, &len) || endpoint_from_sockaddr(&sa, &e)) {
		perror("socket");
		exit(1);
	}
	// A busy machine may not let us run for a while.
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	*port = e.port;
	return fd;
}

static void send_to(int fd, const struct endpoint *to, const uint8_t *data, size_t len)
{
	struct sockaddr_storage sa;
	socklen_t sa_len = endpoint_to_sockaddr(to, &sa);

	sendto(fd, data, len, 0, (struct sockaddr *)&sa, sa_len);
}

static void srt_send(struct side *s, const uint8_t *data, size_t len)
{
	link_send(&s->there, ts_now(), data, len);
}

// --- the session ------------------------------------------------------------------------------

static void session_up(struct side *s, ts_us now, uint32_t peer_id, uint32_t flags, ts_us arrival,
	uint32_t base_ts, uint32_t rcv_ms, uint32_t peer_ms)
{
	if (s->sending)
		srt_conn_init_snd(&s->conn, now,
			&(struct srt_snd_opts){.peer_id = peer_id,
				.isn = s->isn,
				.t0 = s->t0,
				.latency_us = peer_ms * TS_MS,
				.peer_flags = flags});
	else
		srt_conn_init_rcv(&s->conn, now, &s->rcv,
			&(struct srt_rcv_opts){.peer_id = peer_id,
				.isn = s->isn,
				.t0 = s->t0,
				.base_arrival = arrival,
				.base_ts = base_ts,
				.latency_us = rcv_ms * TS_MS,
				.peer_rexmitflg = flags & SRT_F_REXMITFLG});
	if (s->sending)
		srt_snd_set_rate(&s->conn.snd, PAYLOAD * (TS_S / PERIOD));
	s->up = true;
	s->due = now;
}

static void listener_conclusion(struct side *s, ts_us now, const uint8_t *data, size_t len)
{
	struct srt_hs_req req;
	uint8_t out[SRT_HS_ANSWER_MAX];
	int rej = srt_hs_conclusion_parse(data, len, &req);

	if (rej) {
		fail(s, "conclusion refused", (unsigned long long)rej, len);
		return;
	}
	if (!s->up) {
		s->isn = req.isn;
		s->t0 = now;
		s->answer = (struct srt_hs_answer){.own_id = 0x1234567,
			.caller_id = req.caller_id,
			.isn = req.isn,
			.mss = 1500,
			.window = SRT_RCV_WINDOW,
			.cookie = req.cookie,
			.flags = SRT_F_OURS,
			.own_rcv_latency_ms = LATENCY_MS,
			.peer_rcv_latency_ms = LATENCY_MS};
		session_up(s, now, req.caller_id, req.flags, now, be32_get(data + 8), LATENCY_MS,
			LATENCY_MS);
	}
	srt_send(s, out,
		srt_hs_answer_write(&s->answer, srt_clock_at(s->t0, now), out, sizeof(out)));
}

static void listener_feed(struct side *s, ts_us now, const uint8_t *data, size_t len)
{
	uint8_t out[SRT_HS_LEN];

	switch (srt_hs_classify(data, len)) {
	case SRT_HS_INDUCTION:
		srt_hs_induction_answer(
			data, srt_cookie_make(&s->key, &s->peer, s->srt_port, now), out);
		srt_send(s, out, sizeof(out));
		return;
	case SRT_HS_CONCLUSION:
		if (srt_cookie_ok(&s->key, &s->peer, s->srt_port, now, srt_hs_cookie(data)))
			listener_conclusion(s, now, data, len);
		else
			fail(s, "cookie", srt_hs_cookie(data), 0);
		return;
	case SRT_HS_RENDEZVOUS:
	case SRT_HS_NONE:
		return;
	}
}

static void caller_feed(struct side *s, ts_us now, const uint8_t *data, size_t len)
{
	srt_caller_feed(&s->call, now, data, len);
	if (s->call.state == SRT_CALLER_FAILED)
		fail(s, "call failed", (unsigned long long)(long long)s->call.error, 0);
	if (s->call.state == SRT_CALLER_UP)
		session_up(s, now, s->call.peer_id, s->call.peer_flags, s->call.up_at,
			s->call.peer_ts, s->call.agreed_own_rcv_latency_ms,
			s->call.agreed_peer_rcv_latency_ms);
}

static void media_send(struct side *s, ts_us now, uint32_t n, bool again)
{
	uint8_t pkt[SRT_HDR + PAYLOAD];
	ts_us at = again ? s->sent_at[n % RING] : now;
	uint32_t r = again ? srt_snd_rexmit_bit(&s->conn.snd) : 0;

	s->sent_at[n % RING] = at;
	srt_pkt_write_data(pkt, seq31_add(s->isn, n), SRT_WORD1_SINGLE | r | seq_msgno(n),
		srt_clock_at(s->t0, at), s->conn.snd.peer_id);
	payload_make(n, pkt + SRT_HDR);
	srt_send(s, pkt, sizeof(pkt));
	srt_snd_note_sent(&s->conn.snd, now);
	s->n_resent += again;
}

// Would the ACK that stands at seq tell of it?
static bool told(const struct side *s, ts_us now, uint32_t seq)
{
	uint32_t n = (uint32_t)seq31_off(s->isn, seq);

	return n < s->n_sent && srt_snd_told(&s->conn.snd, now, s->sent_at[n % RING]);
}

static void media_resend(struct side *s, ts_us now, const uint8_t *cif, size_t len)
{
	struct srt_loss loss = srt_loss_of(cif, len);
	uint32_t first, last;
	uint8_t drop[SRT_DROPREQ_LEN];

	while (srt_loss_next(&loss, &first, &last))
		for (uint32_t seq = first; seq31_off(seq, last) >= 0; seq = seq31_add(seq, 1)) {
			uint32_t n = (uint32_t)seq31_off(s->isn, seq);
			enum srt_resend say;

			if (n == s->n_sent)
				return; // an ACK stands at what comes next
			if (n > s->n_sent) {
				fail(s, "asked for what was not sent", n, s->n_sent);
				return;
			}
			say = srt_snd_resend(&s->conn.snd, now, seq, s->sent_at[n % RING], PAYLOAD);
			for (unsigned i = srt_snd_copies(&s->conn.snd); say == SRT_RESEND_NOW && i;
				i--)
				media_send(s, now, n, true);
			if (say == SRT_RESEND_NOW)
				continue;
			if (say == SRT_RESEND_LATE)
				srt_send(s, drop,
					srt_snd_dropreq(&s->conn.snd, now, seq, seq, drop));
		}
}

static void session_feed(struct side *s, ts_us now, const uint8_t *data, size_t len)
{
	struct srt_verdict v;

	if (srt_pkt_dst(data) != (s->caller ? s->call.own_id : s->answer.own_id))
		return;
	srt_conn_feed(&s->conn, now, data, len, &v);
	if (v.action == SRT_DELIVER) {
		payload_check(s, data + v.off, v.len);
		if (v.play < now || v.play > now + 2 * LATENCY_MS * TS_MS)
			fail(s, "play time", v.play, now);
	} else if (v.action == SRT_RESEND) {
		media_resend(s, now, data + v.off, v.len);
	} else if (v.action == SRT_CLOSE) {
		s->closed = true;
	} else if (v.action == SRT_DROP && v.why != SRT_WHY_DUPLICATE && v.why != SRT_WHY_LATE) {
		fail(s, "dropped, why", v.why, data[1]);
	}
}

static void srt_feed(struct side *s, ts_us now, const uint8_t *data, size_t len)
{
	if (len < SRT_HDR)
		return;
	if (!s->caller && !srt_pkt_dst(data))
		listener_feed(s, now, data, len);
	else if (s->up)
		session_feed(s, now, data, len);
	else if (s->caller)
		caller_feed(s, now, data, len);
}

static void srt_drain(struct side *s, ts_us now)
{
	uint8_t buf[2048];
	struct sockaddr_storage sa;
	socklen_t sa_len = sizeof(sa);
	size_t len;
	ssize_t n;

	while ((n = recvfrom(s->srt, buf, sizeof(buf), 0, (struct sockaddr *)&sa, &sa_len)) >= 0) {
		if (!s->caller)
			endpoint_from_sockaddr(&sa, &s->peer);
		link_send(
			&s->back, now, buf, (size_t)n < LINK_DATAGRAM ? (size_t)n : LINK_DATAGRAM);
		sa_len = sizeof(sa);
	}
	while ((len = link_recv(&s->back, now, buf)))
		srt_feed(s, now, buf, len);
}

static void path_flush(struct side *s)
{
	uint8_t buf[LINK_DATAGRAM];
	size_t len;

	while ((len = link_recv(&s->there, ts_now(), buf)))
		send_to(s->srt, &s->peer, buf, len);
}

static void srt_flush(struct side *s, ts_us now)
{
	uint8_t buf[SRT_POLL_MAX], list[4];
	uint64_t first, last;
	ssize_t n;

	if (s->caller && !s->up) {
		srt_caller_on_expiry(&s->call, now);
		while ((n = srt_caller_poll(&s->call, now, buf, sizeof(buf))) > 0)
			srt_send(s, buf, (size_t)n);
	}
	if (!s->up)
		return;
	if (now >= srt_conn_expiry(&s->conn))
		srt_conn_on_expiry(&s->conn, now);
	while ((n = srt_conn_poll(&s->conn, now, buf, sizeof(buf))) > 0)
		srt_send(s, buf, (size_t)n);
	if (s->sending && srt_snd_standing(&s->conn.snd, list) && told(s, now, be32_get(list)))
		media_resend(s, now, list, sizeof(list));
	while (srt_conn_gave_up(&s->conn, &first, &last))
		s->n_gave_up += (uint32_t)(last - first + 1);
}

// --- one scenario -----------------------------------------------------------------------------

// Feed the media in: by SRT when we send it, else by UDP into srt-live-transmit.
static void produce(struct side *s, ts_us now)
{
	struct endpoint to = endpoint_of_v4(0x7f000001, s->udp_port);
	uint8_t buf[PAYLOAD];

	for (; s->up && s->n_sent < opt.packets + TAIL && now >= s->due; s->due += PERIOD) {
		if (s->sending) {
			media_send(s, now, s->n_sent++, false);
			continue;
		}
		// srt-live-transmit throws away what it reads before it is connected itself.
		payload_make(s->flowing ? s->n_sent++ : WARM_UP, buf);
		send_to(s->udp, &to, buf, sizeof(buf));
	}
}

static void udp_drain(struct side *s)
{
	uint8_t buf[2048];
	ssize_t n;

	while ((n = recv(s->udp, buf, sizeof(buf), 0)) >= 0)
		payload_check(s, buf, (size_t)n);
}

static pid_t spawn(const char *from, const char *to)
{
	char chunk[] = "-chunk:1316";
	char *argv[] = {(char *)opt.slt, chunk, (char *)"-q", (char *)"-buffering:1", (char *)from,
		(char *)to, NULL};
	pid_t pid = fork();
	int null;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); // nothing is left behind when this program is ended
	null = open("/dev/null", O_WRONLY);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execvp(opt.slt, argv);
	_exit(NOT_THERE);
}

static pid_t peer_start(struct side *s)
{
	char srt[128], udp[64];

	snprintf(srt, sizeof(srt), "srt://%s:%u?mode=%s&latency=%d&transtype=live",
		s->caller ? "" : "127.0.0.1", s->srt_port, s->caller ? "listener" : "caller",
		LATENCY_MS);
	snprintf(udp, sizeof(udp), "udp://127.0.0.1:%u", s->udp_port);
	return s->sending ? spawn(srt, udp) : spawn(udp, srt);
}

static void run(struct side *s)
{
	ts_us begin = ts_now(), now = begin, last_progress = begin;
	uint32_t got = 0;

	while (!s->failed && !s->closed && s->n_got < opt.packets && now < last_progress + WAIT) {
		struct pollfd fds[2] = {{s->srt, POLLIN, 0}, {s->udp, POLLIN, 0}};

		poll(fds, 2, 1);
		now = ts_now();
		srt_drain(s, now);
		if (s->sending)
			udp_drain(s);
		produce(s, now);
		srt_flush(s, now);
		path_flush(s);
		if (s->n_got != got)
			last_progress = now;
		got = s->n_got;
		// The listener may not be there yet when the first call goes out.
		if (s->caller && !s->up && s->call.state == SRT_CALLER_FAILED)
			return;
	}
}

static void say_goodbye(struct side *s)
{
	uint8_t buf[SRT_POLL_MAX];
	ts_us now = ts_now();
	ssize_t n;

	if (!s->up)
		return;
	srt_conn_close(&s->conn);
	while ((n = srt_conn_poll(&s->conn, now, buf, sizeof(buf))) > 0)
		send_to(s->srt, &s->peer, buf, (size_t)n);
}

// A port that nobody holds just now: for the end that srt-live-transmit binds.
static uint16_t free_port(void)
{
	uint16_t port;

	close(socket_on_loopback(&port));
	return port;
}

static void sockets_open(struct side *s)
{
	s->srt = socket_on_loopback(&s->srt_port);
	s->udp = socket_on_loopback(&s->udp_port);
	if (s->caller)
		s->srt_port = free_port(); // the listener's
	if (!s->sending)
		s->udp_port = free_port(); // where srt-live-transmit reads
	s->peer = endpoint_of_v4(0x7f000001, s->srt_port);
}

static int scenario(const char *name, bool caller, bool sending)
{
	struct side *s = calloc(1, sizeof(*s));
	ts_us now = ts_now();
	int status;
	bool ok;
	pid_t pid;

	s->caller = caller;
	s->sending = sending;
	link_init(&s->there, &opt.path, 2 * opt.seed);
	link_init(&s->back, &opt.path, 2 * opt.seed + 1);
	s->key.now = s->key.before = now;
	s->seen = calloc(opt.packets, 1);
	sockets_open(s);
	pid = peer_start(s);
	s->t0 = now;
	s->isn = 0x7ffffc00; // wraps soon
	if (caller)
		srt_caller_init(&s->call, now, 0x2345678, s->isn, LATENCY_MS, LATENCY_MS, "live/x");
	run(s);
	say_goodbye(s);
	for (uint32_t n = 0; n < opt.packets && s->n_got < opt.packets; n++)
		if (!s->seen[n])
			printf("  %u is missing\n", n);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_THERE) {
		printf("%s: no %s here\n", name, opt.slt);
		exit(NOT_THERE);
	}
	ok = !s->failed && s->up && s->n_got == opt.packets && !s->n_gave_up;
	if (!ok)
		printf("  up %d closed %d sent %u\n", s->up, s->closed, s->n_sent);
	printf("%-12s %s: %u of %u arrived, %u sent again, %u given up, %u dropped by the path, "
	       "rtt %u us\n",
		name, ok ? "ok" : "FAILED", s->n_got, opt.packets, s->n_resent, s->n_gave_up,
		(unsigned)(s->there.lost + s->back.lost), s->up ? srt_conn_rtt(&s->conn)->us : 0);
	close(s->srt);
	close(s->udp);
	link_fini(&s->there);
	link_fini(&s->back);
	free(s->seen);
	free(s);
	return !ok;
}

static const struct {
	const char *name;
	bool caller, sending;
} scenarios[] = {
	{"publish", true, true},    // we call and send
	{"pull", true, false},	    // we call and receive
	{"ingest", false, false},   // srt-live-transmit calls and sends
	{"subscribe", false, true}, // srt-live-transmit calls and receives
};

// 5 % lost, 2 % reordered by up to 10 ms, 1 % doubled, RTT 20 ms.
static const struct link_cfg bad_path = {
	.delay_us = 10000,
	.loss_ppm = 50000,
	.reorder_ppm = 20000,
	.reorder_us = 10000,
	.dup_ppm = 10000,
};

int main(int argc, char **argv)
{
	int bad = 0, i;

	for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (!strcmp(argv[i], "--packets"))
			opt.packets = (uint32_t)atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--loss"))
			opt.path.loss_ppm = (uint32_t)atoi(argv[i + 1]) * 10000;
		else if (!strcmp(argv[i], "--path"))
			opt.path = bad_path;
		else if (!strcmp(argv[i], "--seed"))
			opt.seed = (uint64_t)atoll(argv[i + 1]);
		else if (!strcmp(argv[i], "--slt"))
			opt.slt = argv[i + 1];
	}
	for (size_t k = 0; k < sizeof(scenarios) / sizeof(*scenarios); k++) {
		bool wanted = i == argc;

		for (int j = i; j < argc; j++)
			wanted |= !strcmp(argv[j], scenarios[k].name);
		if (wanted)
			bad += scenario(
				scenarios[k].name, scenarios[k].caller, scenarios[k].sending);
	}
	return bad ? 1 : 0;
}
