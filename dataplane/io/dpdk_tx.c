// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/dpdk.h"

#include <rte_ethdev.h>
#include <rte_pause.h>

#include <errno.h>
#include <sched.h>

#define TX_SPIN 64u		    // looks at a full queue before the core is offered to others
#define TX_PATIENCE_US (20 * TS_MS) // for one of which nothing leaves: its reader may be put off
#define TX_LINES_MAX 16384u	    // copies of a payload at a time: its references are 16 bits

// --- the device's queue ---------------------------------------------------------------------

// Bytes of UDP payload in a packet of ours.
static unsigned udp_bytes(const struct port_dpdk *d, const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *) + d->eth_len;

	return m->pkt_len - d->eth_len - WIRE_UDP_HDR -
	       (ip[0] >> 4 == 6 ? WIRE_IP6_HDR : WIRE_IP_HDR);
}

static void give_up(struct port_dpdk *d, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		d->st.tx_bytes -= udp_bytes(d, m[i]);
		rte_pktmbuf_free(m[i]); // its reference to the payload too
	}
	d->st.tx_packets -= n;
	d->st.tx_full += n;
}

// The queue is full: its reader, or the wire, sets the pace, as long as anything leaves at all.
static unsigned insist(struct port_dpdk *d, struct rte_mbuf **m, unsigned n)
{
	ts_us until = ts_now() + TX_PATIENCE_US;
	unsigned sent = 0, looks = 0;

	while (sent < n && !d->stalled) {
		unsigned now =
			rte_eth_tx_burst(d->dev->id, d->queue, m + sent, (uint16_t)(n - sent));

		sent += now;
		if (now) {
			until = ts_now() + TX_PATIENCE_US;
			looks = 0;
		} else if (++looks < TX_SPIN) {
			rte_pause();
		} else {
			sched_yield();
			d->stalled = ts_now() > until;
		}
	}
	return sent;
}

void dpdk_tx_flush(struct port *p)
{
	struct port_dpdk *d = dpdk_self(p);
	unsigned n = d->n_queued, sent;

	if (!n)
		return;
	d->n_queued = 0;
	sent = rte_eth_tx_burst(d->dev->id, d->queue, d->queued, (uint16_t)n);
	if (__builtin_expect(sent == n, 1)) {
		d->stalled = false;
		return;
	}
	d->stalled &= !sent;
	sent += insist(d, d->queued + sent, n - sent);
	give_up(d, d->queued + sent, n - sent);
}

bool port_dpdk_room(struct port *p)
{
	struct port_dpdk *d = dpdk_self(p);
	unsigned n = d->n_queued, sent;

	if (!n)
		return true;
	sent = rte_eth_tx_burst(d->dev->id, d->queue, d->queued, (uint16_t)n);
	d->n_queued = n - sent;
	memmove(d->queued, d->queued + sent, d->n_queued * sizeof(*d->queued));
	return !d->n_queued;
}

static inline void queue(struct port_dpdk *d, struct rte_mbuf *m)
{
	d->queued[d->n_queued++] = m;
	if (d->n_queued == DPDK_BURST)
		dpdk_tx_flush(&d->port);
}

// --- one copy -------------------------------------------------------------------------------

// Ethernet in front of the IP header: 18 bytes right aligned, of which the packet may begin 4
// later.
static inline void ethernet(uint8_t *ip, const uint8_t eth[DPDK_ETH])
{
	memcpy(ip - DPDK_ETH, eth, DPDK_ETH);
}

// What stands in a line for the kernel's sake is not for the wire.
static inline uint8_t *ethernet6(struct port_dpdk *d, uint8_t *line)
{
	line[WIRE_IP6 + 1] &= 0xf0; // flow label
	line_store16(line + WIRE_IP6 + 2, 0);
	ethernet(line + WIRE_IP6, d->eth6);
	return line + WIRE_IP6 - d->eth_len;
}

// Write the header of one copy around `line`; returns where the packet begins.
static inline uint8_t *render(struct port_dpdk *d, enum line_kind kind, const struct line *l,
	const struct port_payload *pl, uint8_t *line)
{
	line_render(l, kind, pl->seq, pl->word1, pl->ts, pl->len, pl->sum, line);
	if (line_is_v6(l))
		return ethernet6(d, line);
	ethernet(line + WIRE_IP, d->eth4);
	return line + WIRE_IP - d->eth_len;
}

static inline void begin_at(struct rte_mbuf *m, const uint8_t *begin)
{
	m->data_off = (uint16_t)(begin - (const uint8_t *)m->buf_addr);
}

static inline bool headers_get(struct port_dpdk *d)
{
	if (rte_mempool_get_bulk(d->headers, (void **)d->stash, DPDK_BURST))
		return false;
	d->n_stash = DPDK_BURST;
	return true;
}

// A header mbuf chained to the payload. An mbuf in its pool has one reference, one segment, no next
// and no flags, and devices leave it so: only what differs is written.
static inline bool chained(struct port_dpdk *d, enum line_kind kind, const struct line *l,
	const struct port_payload *pl, struct rte_mbuf *payload)
{
	struct rte_mbuf *m;
	uint8_t *line, *begin;

	if (__builtin_expect(!d->n_stash, 0) && !headers_get(d))
		return false;
	m = d->stash[--d->n_stash];
	line = (uint8_t *)(m + 1) + DPDK_LINE;
	begin = render(d, kind, l, pl, line);
	begin_at(m, begin);
	m->nb_segs = 2;
	m->next = payload;
	m->data_len = (uint16_t)(line + WIRE_MEDIA + line_media_len(kind) - begin);
	m->pkt_len = m->data_len + (uint32_t)pl->len;
	queue(d, m);
	return true;
}

static inline bool flat(struct port_dpdk *d, enum line_kind kind, const struct line *l,
	const struct port_payload *pl)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(d->flat);
	uint8_t *line, *begin, *data;

	if (!m)
		return false;
	line = (uint8_t *)(m + 1) + DPDK_LINE;
	begin = render(d, kind, l, pl, line);
	data = line + WIRE_MEDIA + line_media_len(kind);
	memcpy(data, pl->data, pl->len);
	begin_at(m, begin);
	m->data_len = (uint16_t)(data + pl->len - begin);
	m->pkt_len = m->data_len;
	queue(d, m);
	return true;
}

// --- fan-out --------------------------------------------------------------------------------

static inline unsigned fanout_flat(struct port_dpdk *d, enum line_kind kind,
	const struct port_payload *pl, unsigned n_pl, unsigned step, const struct line *lines,
	unsigned n_lines)
{
	unsigned sent = 0;

	for (unsigned i = 0; i < n_lines; i++, pl += step)
		for (unsigned k = 0; k < n_pl; k++)
			sent += flat(d, kind, &lines[i], &pl[k]);
	return sent;
}

// References for all copies are raised before the first one leaves.
static inline unsigned fanout_shared(struct port_dpdk *d, enum line_kind kind,
	const struct port_payload *pl, unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	struct rte_mbuf *payload[PORT_BUNDLE];
	unsigned sent = 0;

	for (unsigned k = 0; k < n_pl; k++) {
		payload[k] = dpdk_slots_take(&d->slots, pl[k].data, pl[k].len, (uint16_t)n_lines);
		if (!payload[k])
			n_pl = k;
	}
	for (unsigned i = 0; i < n_lines; i++)
		for (unsigned k = 0; k < n_pl; k++) {
			if (__builtin_expect(chained(d, kind, &lines[i], &pl[k], payload[k]), 1))
				sent++;
			else
				rte_mbuf_refcnt_update(payload[k], -1);
		}
	return sent;
}

// A payload of its own lies in a frame that has room for the header in front of it: one mbuf over
// both is the packet.
static inline bool whole(struct port_dpdk *d, const struct line *l, const struct port_payload *pl)
{
	uint8_t *line = (uint8_t *)(uintptr_t)pl->data - WIRE_LINE;
	const uint8_t *begin = render(d, LINE_SRT, l, pl, line);
	struct rte_mbuf *m =
		dpdk_slots_take(&d->slots, begin, (uint16_t)(pl->data + pl->len - begin), 1);

	if (m)
		queue(d, m);
	return m;
}

static inline unsigned fanout_whole(struct port_dpdk *d, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	unsigned sent = 0;

	for (unsigned i = 0; i < n_lines; i++)
		for (unsigned k = 0; k < n_pl; k++, pl++)
			sent += whole(d, &lines[i], pl);
	return sent;
}

// Copies are counted when they are queued; give_up() takes back what the device did not want.
static unsigned count(struct port_dpdk *d, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, unsigned n_lines, unsigned sent, uint64_t full_before)
{
	unsigned asked = n_pl * n_lines, lost = (unsigned)(d->st.tx_full - full_before);
	uint64_t bytes = 0;

	for (unsigned k = 0; k < n_pl; k++)
		bytes += pl[k].len + line_media_len(kind);
	d->st.tx_packets += sent;
	d->st.tx_bytes += sent == asked ? bytes * n_lines : bytes * sent / n_pl;
	d->st.tx_full += asked - sent;
	return sent > lost ? sent - lost : 0;
}

static inline unsigned shared(struct port_dpdk *d, enum line_kind kind,
	const struct port_payload *pl, unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	return d->dev->chains ? fanout_shared(d, kind, pl, n_pl, lines, n_lines)
			      : fanout_flat(d, kind, pl, n_pl, 0, lines, n_lines);
}

// One loop per kind, so that the compiler drops what a kind does not have from the inner one.
static unsigned some_lines(struct port_dpdk *d, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	uint64_t full = d->st.tx_full;
	unsigned sent = kind == LINE_SRT   ? shared(d, LINE_SRT, pl, n_pl, lines, n_lines)
			: kind == LINE_RTP ? shared(d, LINE_RTP, pl, n_pl, lines, n_lines)
					   : shared(d, LINE_UDP, pl, n_pl, lines, n_lines);

	return count(d, kind, pl, n_pl, n_lines, sent, full);
}

unsigned dpdk_tx_fanout(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	struct port_dpdk *d = dpdk_self(p);
	unsigned sent = 0;

	for (; n_lines > TX_LINES_MAX; n_lines -= TX_LINES_MAX, lines += TX_LINES_MAX)
		sent += some_lines(d, kind, pl, n_pl, lines, TX_LINES_MAX);
	return sent + some_lines(d, kind, pl, n_pl, lines, n_lines);
}

// Sent at once, so that the private frames can be used again at once.
unsigned dpdk_tx_private(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines)
{
	struct port_dpdk *d = dpdk_self(p);
	uint64_t full = d->st.tx_full;
	unsigned sent = d->dev->chains && kind == LINE_SRT
				? fanout_whole(d, pl, n_pl, lines, n_lines)
				: fanout_flat(d, kind, pl, n_pl, n_pl, lines, n_lines);

	dpdk_tx_flush(p);
	return count(d, kind, pl, n_pl, n_lines, sent, full);
}

// --- own datagrams --------------------------------------------------------------------------

int dpdk_tx_send(struct port *p, const struct line *to, const uint8_t *data, uint16_t len)
{
	struct port_dpdk *d = dpdk_self(p);
	unsigned ip = line_is_v6(to) ? WIRE_IP6_HDR : WIRE_IP_HDR;
	uint8_t *line, *begin;
	struct rte_mbuf *m;

	if (ip + WIRE_UDP_HDR + len > d->mtu) {
		d->st.tx_error++;
		return -EMSGSIZE;
	}
	m = rte_pktmbuf_alloc(d->flat);
	if (!m) {
		d->st.tx_full++;
		return -ENOBUFS;
	}
	line = (uint8_t *)(m + 1) + DPDK_LINE;
	line_render_own(to, data, len, line);
	memcpy(line + WIRE_MEDIA, data, len);
	ethernet(line + (ip == WIRE_IP_HDR ? WIRE_IP : WIRE_IP6),
		ip == WIRE_IP_HDR ? d->eth4 : d->eth6);
	begin = ip == WIRE_IP_HDR ? line + WIRE_IP - d->eth_len : ethernet6(d, line);
	begin_at(m, begin);
	m->data_len = (uint16_t)(line + WIRE_MEDIA + len - begin);
	m->pkt_len = m->data_len;
	d->st.tx_packets++;
	d->st.tx_bytes += len;
	queue(d, m);
	return 0;
}

uint64_t dpdk_tx_posted(const struct port *p)
{
	return ((const struct port_dpdk *)p)->slots.posted;
}

uint64_t dpdk_tx_done(struct port *p)
{
	return dpdk_slots_reclaim(&dpdk_self(p)->slots);
}
