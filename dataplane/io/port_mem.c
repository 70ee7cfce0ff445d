// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/port_mem.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RX_QUEUE 4096u // datagrams injected and not yet read
#define MEM_ERRORS 64u // destinations refused and not yet told

struct slot {
	const uint8_t *payload;
	uint16_t payload_len;
	uint8_t kind;
};

struct rx_item {
	struct port_rx rx;
	uint8_t *bytes; // malloc'ed copy
};

struct port_mem {
	struct port port;
	unsigned mask;
	struct line *headers; // one per slot
	struct slot *slots;
	uint8_t **copies; // payloads of send(), freed when their slot is used again

	// Running counters; a slot is counter & mask. taken <= posted, done <= posted.
	uint64_t posted, done, taken;
	bool defer;

	bool refuses;		// somebody
	struct endpoint narrow; // port_mem_narrow()
	uint16_t narrow_mtu;	// 0: nobody
	uint32_t down;		// port_mem_down()
	int down_error;		// 0: none
	struct port_tx_error errors[MEM_ERRORS];
	unsigned n_errors;

	struct rx_item rx[RX_QUEUE];
	uint64_t rx_head, rx_lent, rx_tail; // [lent, head) is with the caller, [head, tail) waits
	bool has_time;
	ts_us now;
	int wake_fd;
	struct port_stats st;
};

static struct port_mem *self(struct port *p)
{
	return (struct port_mem *)p;
}

static inline uint64_t ring_done(const struct port_mem *m)
{
	return m->defer ? m->done : m->posted;
}

static inline bool ring_full(const struct port_mem *m)
{
	return m->posted - ring_done(m) > m->mask;
}

static void copy_drop(struct port_mem *m, unsigned at)
{
	free(m->copies[at]);
	m->copies[at] = NULL;
}

static inline void post(struct port_mem *m, enum line_kind kind, const struct line *l,
	const struct port_payload *pl)
{
	unsigned at = (unsigned)m->posted & m->mask;

	if (__builtin_expect(m->copies[at] != NULL, 0))
		copy_drop(m, at);
	line_render(l, kind, pl->seq, pl->word1, pl->ts, pl->len, pl->sum, m->headers[at].b);
	m->slots[at] = (struct slot){pl->data, pl->len, (uint8_t)kind};
	m->posted++;
	m->st.tx_bytes += pl->len + line_media_len(kind);
}

static unsigned ip_len(enum line_kind kind, const struct line *l, uint16_t len)
{
	return (line_is_v6(l) ? WIRE_IP6_HDR : WIRE_IP_HDR) + WIRE_UDP_HDR + line_media_len(kind) +
	       len;
}

static void note_error(struct port_mem *m, const struct line_udp *u, int error, uint16_t len)
{
	struct port_tx_error *e = m->errors;

	while (e < m->errors + m->n_errors && !(e->error == error && port_tx_error_is(e, u)))
		e++;
	if (e == m->errors + MEM_ERRORS)
		return;
	if (e == m->errors + m->n_errors) {
		*e = (struct port_tx_error){
			.local = u->local, .peer = u->peer, .ifindex = u->ifindex, .error = error};
		m->n_errors++;
	}
	e->packets++;
	e->bytes += len;
}

// 0 or errno.
static int refusal(struct port_mem *m, enum line_kind kind, const struct line *l, uint16_t len)
{
	struct line_udp u = line_addresses(l);
	bool narrow = m->narrow_mtu && endpoint_eq(&u.peer, &m->narrow) &&
		      ip_len(kind, l, len) > m->narrow_mtu;
	int error = narrow ? EMSGSIZE : u.ifindex == m->down ? m->down_error : 0;

	if (!error)
		return 0;
	note_error(m, &u, error, len);
	m->st.tx_error++;
	return error;
}

static inline int refuses(
	struct port_mem *m, enum line_kind kind, const struct line *l, uint16_t len)
{
	return __builtin_expect(m->refuses, 0) ? refusal(m, kind, l, len) : 0;
}

// step: from one line's payloads to the next one's.
static inline unsigned fanout(struct port_mem *m, enum line_kind kind,
	const struct port_payload *pl, unsigned n_pl, unsigned step, const struct line *lines,
	unsigned n_lines)
{
	uint64_t before = m->posted;

	for (unsigned i = 0; i < n_lines; i++, pl += step)
		for (unsigned k = 0; k < n_pl && !ring_full(m); k++)
			if (!refuses(m, kind, &lines[i], pl[k].len))
				post(m, kind, &lines[i], &pl[k]);
	return (unsigned)(m->posted - before);
}

static void note_sent(struct port_mem *m, uint64_t asked, unsigned sent, uint64_t errors_before)
{
	m->st.tx_packets += sent;
	m->st.tx_full += asked - sent - (m->st.tx_error - errors_before);
}

// One loop per kind, so that the compiler drops what a kind does not have from the inner one.
static unsigned mem_tx_fanout(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	struct port_mem *m = self(p);
	uint64_t refused = m->st.tx_error;
	unsigned sent;

	if (kind == LINE_SRT)
		sent = fanout(m, LINE_SRT, pl, n_pl, 0, lines, n_lines);
	else if (kind == LINE_RTP)
		sent = fanout(m, LINE_RTP, pl, n_pl, 0, lines, n_lines);
	else
		sent = fanout(m, LINE_UDP, pl, n_pl, 0, lines, n_lines);
	note_sent(m, (uint64_t)n_pl * n_lines, sent, refused);
	return sent;
}

static unsigned mem_tx_private(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	struct port_mem *m = self(p);
	uint64_t refused = m->st.tx_error;
	unsigned sent = kind == LINE_SRT ? fanout(m, LINE_SRT, pl, n_pl, n_pl, lines, n_lines)
					 : fanout(m, kind, pl, n_pl, n_pl, lines, n_lines);

	note_sent(m, (uint64_t)n_pl * n_lines, sent, refused);
	return sent;
}

static int mem_send(struct port *p, const struct line *to, const uint8_t *data, uint16_t len)
{
	struct port_mem *m = self(p);
	struct line_udp addresses = line_addresses(to);
	unsigned at = (unsigned)m->posted & m->mask;
	struct line l;
	uint8_t *copy = malloc(len ? len : 1);
	int error;

	error = refuses(m, LINE_UDP, to, len);
	if (error) {
		free(copy);
		return -error;
	}
	if (!copy || ring_full(m)) {
		free(copy);
		m->st.tx_full++;
		return -ENOBUFS;
	}
	memcpy(copy, data, len);
	line_build_udp(&l, &addresses);
	post(m, LINE_UDP, &l,
		&(struct port_payload){.data = copy, .len = len, .sum = line_sum(data, len)});
	m->copies[at] = copy;
	m->st.tx_packets++;
	return 0;
}

static void mem_flush(struct port *p)
{
}

static uint64_t mem_tx_posted(const struct port *p)
{
	return ((const struct port_mem *)p)->posted;
}

static uint64_t mem_tx_done(struct port *p)
{
	return ring_done(self(p));
}

static unsigned mem_rx_burst(struct port *p, struct port_rx *rx, unsigned n)
{
	struct port_mem *m = self(p);
	unsigned got = 0;

	for (; m->rx_lent < m->rx_head; m->rx_lent++)
		free(m->rx[m->rx_lent % RX_QUEUE].bytes);
	if (n > PORT_BURST)
		n = PORT_BURST;
	for (; got < n && m->rx_head < m->rx_tail; got++, m->rx_head++) {
		rx[got] = m->rx[m->rx_head % RX_QUEUE].rx;
		rx[got].arrival = m->has_time ? m->now : ts_now();
		m->st.rx_bytes += rx[got].len;
	}
	m->st.rx_packets += got;
	return got;
}

static void mem_wait(struct port *p, uint32_t timeout_us)
{
	struct port_mem *m = self(p);
	struct timespec t = {timeout_us / TS_S, (long)(timeout_us % TS_S) * 1000};
	struct pollfd f = {.fd = m->wake_fd, .events = POLLIN};
	uint64_t count;

	if (m->rx_head < m->rx_tail)
		return;
	if (ppoll(&f, 1, &t, NULL) > 0)
		(void)!read(m->wake_fd, &count, sizeof(count));
}

static void mem_wake(struct port *p)
{
	(void)!write(self(p)->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
}

static int mem_add(struct port *p, int fd, uint16_t tag)
{
	if (fd >= 0)
		close(fd);
	return 0;
}

static void mem_del(struct port *p, uint16_t tag)
{
}

static void mem_stats(const struct port *p, struct port_stats *out)
{
	*out = ((const struct port_mem *)p)->st;
}

static unsigned mem_tx_errors(struct port *p, struct port_tx_error *out, unsigned n)
{
	struct port_mem *m = self(p);
	unsigned got = n < m->n_errors ? n : m->n_errors;

	memcpy(out, m->errors, got * sizeof(*out));
	m->n_errors -= got;
	memmove(m->errors, m->errors + got, m->n_errors * sizeof(*out));
	return got;
}

static void mem_close(struct port *p)
{
	struct port_mem *m = self(p);

	for (; m->rx_lent < m->rx_tail; m->rx_lent++)
		free(m->rx[m->rx_lent % RX_QUEUE].bytes);
	for (unsigned i = 0; m->copies && i <= m->mask; i++)
		free(m->copies[i]);
	if (m->wake_fd >= 0)
		close(m->wake_fd);
	free(m->copies);
	free(m->slots);
	free(m->headers);
	free(m);
}

static const struct port_ops mem_ops = {
	.kind = "mem",
	.want_sum = true,
	.rx_burst = mem_rx_burst,
	.tx_fanout = mem_tx_fanout,
	.tx_private = mem_tx_private,
	.send = mem_send,
	.flush = mem_flush,
	.wait = mem_wait,
	.wake = mem_wake,
	.tx_posted = mem_tx_posted,
	.tx_done = mem_tx_done,
	.add = mem_add,
	.del = mem_del,
	.stats = mem_stats,
	.tx_errors = mem_tx_errors,
	.close = mem_close,
};

struct port *port_mem_open(unsigned n_desc)
{
	struct port_mem *m;

	if (!n_desc || n_desc & (n_desc - 1))
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->port.ops = &mem_ops;
	m->mask = n_desc - 1;
	m->headers = aligned_alloc(sizeof(struct line), (size_t)n_desc * sizeof(struct line));
	m->slots = calloc(n_desc, sizeof(*m->slots));
	m->copies = calloc(n_desc, sizeof(*m->copies));
	m->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!m->headers || !m->slots || !m->copies || m->wake_fd < 0) {
		mem_close(&m->port);
		return NULL;
	}
	return &m->port;
}

void port_mem_defer(struct port *p, bool on)
{
	struct port_mem *m = self(p);

	if (on && !m->defer)
		m->done = m->posted;
	m->defer = on;
}

void port_mem_complete(struct port *p, uint64_t n)
{
	struct port_mem *m = self(p);

	m->done = m->posted - m->done < n ? m->posted : m->done + n;
}

unsigned port_mem_take(struct port *p, struct port_mem_desc *out, unsigned n)
{
	struct port_mem *m = self(p);
	unsigned got = 0;

	if (m->posted - m->taken > m->mask)
		m->taken = m->posted - m->mask - 1;
	for (; got < n && m->taken < m->posted; got++, m->taken++) {
		unsigned at = (unsigned)m->taken & m->mask;

		out[got] = (struct port_mem_desc){m->headers[at].b, m->slots[at].payload,
			m->slots[at].payload_len, m->slots[at].kind};
	}
	return got;
}

int port_mem_inject(struct port *p, const struct endpoint *peer, const struct endpoint *local,
	uint16_t tag, const uint8_t *data, uint16_t len)
{
	struct port_mem *m = self(p);
	uint8_t *copy;

	if (m->rx_tail - m->rx_lent == RX_QUEUE)
		return -ENOBUFS;
	copy = malloc(len ? len : 1);
	if (!copy)
		return -ENOBUFS;
	memcpy(copy, data, len);
	m->rx[m->rx_tail++ % RX_QUEUE] = (struct rx_item){
		.rx = {.data = copy, .len = len, .tag = tag, .peer = *peer, .local = *local},
		.bytes = copy,
	};
	return 0;
}

void port_mem_set_time(struct port *p, ts_us now)
{
	struct port_mem *m = self(p);

	m->now = now;
	m->has_time = true;
}

void port_mem_narrow(struct port *p, const struct endpoint *peer, uint16_t mtu)
{
	struct port_mem *m = self(p);

	m->narrow = *peer;
	m->narrow_mtu = mtu;
	m->refuses = m->narrow_mtu || m->down_error;
}

void port_mem_down(struct port *p, uint32_t ifindex, int error)
{
	struct port_mem *m = self(p);

	m->down = ifindex;
	m->down_error = error;
	m->refuses = m->narrow_mtu || m->down_error;
}
