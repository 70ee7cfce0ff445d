// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Fan-out by sendmmsg. A message is one line and one run: payloads of equal length (the last may be
// shorter) that go out as one UDP_SEGMENT bundle, which the kernel or the NIC cuts into datagrams.
// It is what has queued since the last visit; nothing ever waits for a bundle to fill.

#include "io/sock.h"

#include <assert.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>

#define BUNDLE_BYTES 65000u // an IP packet, less headers, with some room
#define FULL_WAIT_MS 1	    // for room in a socket buffer, once per fan-out
#define GSO_TRIES 16u	    // bundles refused before the first success: stop trying
#define MEDIA_MAX WIRE_SRT_HDR

#define SEGMENT_SPACE CMSG_SPACE(sizeof(uint16_t))

struct run {
	unsigned first, n; // payloads
	uint32_t bytes;	   // of them, headers included
	uint16_t seg;	   // length of a segment; 0: a single one
};

struct sock_tx {
	struct mmsghdr msg[SOCK_TX_MSGS];
	union sock_name name[SOCK_TX_MSGS];
	struct sock_control control[SOCK_TX_MSGS];
	struct iovec iov[SOCK_TX_MSGS][2 * PORT_BUNDLE];
	uint8_t media[SOCK_TX_MSGS][PORT_BUNDLE][MEDIA_MAX];
	const struct run *run[SOCK_TX_MSGS];
	const struct line *line[SOCK_TX_MSGS];
	unsigned n; // messages in this chunk

	const struct sock *from; // of this chunk
	unsigned iov_per_copy;
	bool waited;		// in this fan-out
	unsigned gso_refused;	// in a row, counted until the first success
	bool gso_works, no_gso; // settled either way

	struct port_tx_error errors[SOCK_TX_ERRORS]; // ring
	unsigned err_head, err_tail;
};

struct sock_tx *sock_tx_new(void)
{
	struct sock_tx *t = calloc(1, sizeof(*t));

	for (unsigned i = 0; t && i < SOCK_TX_MSGS; i++) {
		t->msg[i].msg_hdr.msg_name = &t->name[i];
		t->msg[i].msg_hdr.msg_iov = t->iov[i];
	}
	return t;
}

// --- sending a chunk ------------------------------------------------------------------------

static void sent(struct port_sock *s, unsigned i)
{
	const struct run *r = s->tx->run[i];

	s->st.tx_packets += r->n;
	s->st.tx_bytes += r->bytes;
	if (r->seg) {
		s->st.bundles++;
		s->tx->gso_works = true;
	}
}

// What is told of this destination next, a new entry if nothing was to be told of it.
static struct port_tx_error *error_of(struct sock_tx *t, const struct line *l, int error)
{
	struct line_udp u = line_addresses(l);
	struct port_tx_error *e;

	for (unsigned i = t->err_head; i != t->err_tail; i++) {
		e = &t->errors[i % SOCK_TX_ERRORS];
		if (e->error == error && port_tx_error_is(e, &u))
			return e;
	}
	if (t->err_tail - t->err_head == SOCK_TX_ERRORS)
		t->err_head++;
	e = &t->errors[t->err_tail++ % SOCK_TX_ERRORS];
	*e = (struct port_tx_error){
		.local = u.local, .peer = u.peer, .ifindex = u.ifindex, .error = error};
	return e;
}

static void refused(
	struct port_sock *s, const struct line *l, int error, unsigned copies, uint64_t bytes)
{
	struct port_tx_error *e = error_of(s->tx, l, error);

	s->st.tx_error += copies;
	e->packets += copies;
	e->bytes += bytes;
}

static bool is_full(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

int sock_tx_failed(struct port_sock *s, const struct line *to, int error)
{
	if (is_full(error)) {
		s->st.tx_full++;
		return -EAGAIN;
	}
	refused(s, to, error, 1, 0);
	return -error;
}

// Bytes of the payloads of n copies, own headers left out.
static uint64_t media_bytes(const struct sock_tx *t, const struct iovec *v, unsigned n)
{
	uint64_t bytes = 0;

	for (unsigned k = 0; k < n; k++, v += t->iov_per_copy)
		bytes += v[t->iov_per_copy - 1].iov_len;
	return bytes;
}

// A refused bundle, datagram by datagram: the message without its last control message, which is
// UDP_SEGMENT. Returns how many went out.
static unsigned send_apart(struct port_sock *s, unsigned i)
{
	struct sock_tx *t = s->tx;
	struct msghdr m = t->msg[i].msg_hdr;
	const struct run *r = t->run[i];
	unsigned ok = 0;

	m.msg_controllen -= SEGMENT_SPACE;
	m.msg_control = m.msg_controllen ? m.msg_control : NULL;
	m.msg_iovlen = t->iov_per_copy;
	for (unsigned k = 0; k < r->n; k++, m.msg_iov += t->iov_per_copy) {
		ssize_t n = sendmsg(t->from->fd, &m, MSG_DONTWAIT);

		if (n >= 0) {
			s->st.tx_packets++;
			s->st.tx_bytes += (uint64_t)n;
			ok++;
		} else if (is_full(errno)) {
			s->st.tx_full++;
		} else {
			refused(s, t->line[i], errno, 1, media_bytes(t, m.msg_iov, 1));
		}
	}
	return ok;
}

// The kernel takes no bundles here at all, or only not for this one destination?
static void bundle_refused(struct sock_tx *t, unsigned ok)
{
	if (ok && !t->gso_works && ++t->gso_refused >= GSO_TRIES)
		t->no_gso = true;
}

static unsigned failed(struct port_sock *s, unsigned i, int error)
{
	struct sock_tx *t = s->tx;
	unsigned ok = 0;

	if (t->run[i]->seg) {
		ok = send_apart(s, i);
		bundle_refused(t, ok);
	} else {
		refused(s, t->line[i], error, t->run[i]->n,
			media_bytes(t, t->iov[i], t->run[i]->n));
	}
	return ok;
}

// Is there room again? Asked once per fan-out, so that a full buffer costs a worker one
// millisecond and not one per chunk.
static bool room_again(struct sock_tx *t)
{
	struct pollfd f = {.fd = t->from->fd, .events = POLLOUT};

	if (t->waited)
		return false;
	t->waited = true;
	return poll(&f, 1, FULL_WAIT_MS) > 0;
}

// A message that fails is passed over; those behind it are sent. Returns the copies sent.
static unsigned chunk_send(struct port_sock *s)
{
	struct sock_tx *t = s->tx;
	unsigned at = 0, copies = 0;

	while (at < t->n) {
		int r = sendmmsg(t->from->fd, t->msg + at, t->n - at, MSG_DONTWAIT);

		if (r > 0) {
			for (; r > 0; r--, at++) {
				sent(s, at);
				copies += t->run[at]->n;
			}
		} else if (!is_full(errno)) {
			copies += failed(s, at, errno);
			at++;
		} else if (!room_again(t)) {
			break;
		}
	}
	for (; at < t->n; at++)
		s->st.tx_full += t->run[at]->n;
	t->n = 0;
	return copies;
}

// --- building it ----------------------------------------------------------------------------

// The run that begins with the first of n payloads. Its first segment gives the length; behind a
// shorter one nothing may follow.
static struct run run_of(const struct port_payload *pl, unsigned n, unsigned media)
{
	uint16_t len = pl[0].len;
	struct run r = {.n = 1, .bytes = media + len};

	while (r.n < n && pl[r.n - 1].len == len && pl[r.n].len && pl[r.n].len <= len &&
		r.bytes + media + pl[r.n].len <= BUNDLE_BYTES)
		r.bytes += media + pl[r.n++].len;
	r.seg = r.n > 1 ? (uint16_t)(media + len) : 0;
	return r;
}

static unsigned runs_find(
	struct run *runs, const struct port_payload *pl, unsigned n, unsigned media, bool bundle)
{
	unsigned n_runs = 0;

	for (unsigned i = 0; i < n; i += runs[n_runs++].n) {
		runs[n_runs] = run_of(pl + i, bundle ? n - i : 1, media);
		runs[n_runs].first = i;
	}
	return n_runs;
}

static inline void copies_put(struct sock_tx *t, unsigned at, enum line_kind kind,
	const struct port_payload *pl, const struct run *r, const struct line *l)
{
	struct iovec *v = t->iov[at];

	for (unsigned k = 0; k < r->n; k++) {
		const struct port_payload *p = &pl[r->first + k];
		uint8_t *media = t->media[at][k];
		unsigned len = line_media(l, kind, p->seq, p->word1, p->ts, media);

		if (len)
			*v++ = (struct iovec){media, len};
		*v++ = (struct iovec){(void *)(uintptr_t)p->data, p->len};
	}
	t->msg[at].msg_hdr.msg_iovlen = (size_t)(v - t->iov[at]);
}

static void message_put(struct sock_tx *t, enum line_kind kind, const struct port_payload *pl,
	const struct run *r, const struct line *l)
{
	unsigned at = t->n++;
	struct msghdr *m = &t->msg[at].msg_hdr;

	t->run[at] = r;
	t->line[at] = l;
	sock_name_put(&t->name[at], t->from, l);
	m->msg_namelen = sock_name_len(t->from);
	copies_put(t, at, kind, pl, r, l);
	m->msg_control = t->control[at].b;
	m->msg_controllen = 0;
	sock_control_of_line(m, t->from, l);
	if (r->seg)
		sock_control_put(m, SOL_UDP, UDP_SEGMENT, &r->seg, sizeof(r->seg));
	if (!m->msg_controllen)
		m->msg_control = NULL;
}

// step: from one line's payloads to the next one's, 0 when they share them. The runs are the same
// for all.
static unsigned fanout(struct port_sock *s, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, unsigned step, const struct line *lines, unsigned n_lines)
{
	struct sock_tx *t = s->tx;
	struct run runs[PORT_BUNDLE];
	unsigned n_runs = runs_find(runs, pl, n_pl, line_media_len(kind), !t->no_gso);
	unsigned copies = 0;

	for (unsigned i = 0; i < n_lines; i++, pl += step) {
		const struct sock *from = sock_of_line(s, &lines[i]);

		if (from != t->from) {
			copies += chunk_send(s);
			t->from = from;
		}
		for (unsigned k = 0; k < n_runs; k++) {
			message_put(t, kind, pl, &runs[k], &lines[i]);
			if (t->n == SOCK_TX_MSGS)
				copies += chunk_send(s);
		}
	}
	return copies + chunk_send(s);
}

static unsigned fanout_begin(struct port_sock *s, enum line_kind kind,
	const struct port_payload *pl, unsigned n_pl, unsigned step, const struct line *lines,
	unsigned n_lines)
{
	assert(n_pl <= PORT_BUNDLE);
	sock_own_flush(&s->port); // in the order in which they were given
	s->tx->waited = false;
	s->tx->iov_per_copy = kind == LINE_UDP ? 1 : 2;
	return fanout(s, kind, pl, n_pl, step, lines, n_lines);
}

unsigned sock_tx_fanout(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	return fanout_begin((struct port_sock *)p, kind, pl, n_pl, 0, lines, n_lines);
}

unsigned sock_tx_private(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	return fanout_begin((struct port_sock *)p, kind, pl, n_pl, n_pl, lines, n_lines);
}

unsigned sock_tx_errors(struct port *p, struct port_tx_error *out, unsigned n)
{
	struct sock_tx *t = ((struct port_sock *)p)->tx;
	unsigned got = 0;

	for (; got < n && t->err_head != t->err_tail; t->err_head++)
		out[got++] = t->errors[t->err_head % SOCK_TX_ERRORS];
	return got;
}
