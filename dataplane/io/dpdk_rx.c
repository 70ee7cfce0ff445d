// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena.h"
#include "io/dpdk.h"

#include <rte_ethdev.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RX_SPIN_US 50u	   // a packet is seldom alone
#define RX_NAP_US 50u	   // virtual devices have no interrupt: look again this often ...
#define RX_BUSY_US TS_S	   // ... while something has come within this time, ...
#define RX_NAP_MAX_US 500u // ... else this often

// --- what is served -------------------------------------------------------------------------

static int slot_take(struct port_dpdk *d)
{
	struct dpdk_bind *grown;

	for (unsigned i = 0; i < d->n_binds; i++)
		if (d->binds[i].fd < 0)
			return (int)i;
	if (d->n_binds == INT16_MAX)
		return -ENFILE;
	grown = realloc(d->binds, (d->n_binds + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	d->binds = grown;
	return (int)d->n_binds++;
}

int dpdk_rx_add(struct port *p, int fd, uint16_t tag)
{
	struct port_dpdk *d = dpdk_self(p);
	struct sockaddr_storage sa;
	struct endpoint e;
	int slot;

	if (getsockname(fd, (struct sockaddr *)&sa, &(socklen_t){sizeof(sa)}))
		return -errno;
	if (endpoint_from_sockaddr(&sa, &e))
		return -EAFNOSUPPORT;
	slot = slot_take(d);
	if (slot < 0)
		return slot;
	d->binds[slot] = (struct dpdk_bind){
		.fd = fd,
		.tag = tag,
		.next = d->by_port[e.port],
		.local = e,
		.any = endpoint_is_any(&e),
	};
	d->by_port[e.port] = (int16_t)slot;
	return 0;
}

void dpdk_rx_del(struct port *p, uint16_t tag)
{
	struct port_dpdk *d = dpdk_self(p);

	for (unsigned i = 0; i < d->n_binds; i++) {
		struct dpdk_bind *b = &d->binds[i];
		int16_t *at = &d->by_port[b->local.port];

		if (b->fd < 0 || b->tag != tag)
			continue;
		while (*at != (int16_t)i)
			at = &d->binds[*at].next;
		*at = b->next;
		close(b->fd);
		b->fd = -1;
	}
}

static bool is_ours(const struct port_dpdk *d, const struct endpoint *local)
{
	for (unsigned i = 0; i < d->n_addr; i++)
		if (!memcmp(d->addr[i].ip, local->ip, sizeof(local->ip)))
			return true;
	return false;
}

static bool is_served(const struct port_dpdk *d, struct port_rx *rx)
{
	if (d->any_port) {
		rx->tag = 0;
		return is_ours(d, &rx->local);
	}
	for (int i = d->by_port[rx->local.port]; i != DPDK_NO_BIND; i = d->binds[i].next) {
		const struct dpdk_bind *b = &d->binds[i];

		if (b->any ? !is_ours(d, &rx->local) : !endpoint_eq(&b->local, &rx->local))
			continue;
		rx->tag = b->tag;
		return true;
	}
	return false;
}

// --- receiving ------------------------------------------------------------------------------

// Chains, and mbufs of other pools (a ring in memory hands over what was sent, as it is), become a
// frame. NULL: there is none, or the packet is larger than one.
static struct rte_mbuf *frame_of(struct port_dpdk *d, struct rte_mbuf *m)
{
	struct rte_mbuf *frame = m;
	uint8_t *to;

	if (m->pool == arena_pool(d->arena) && m->nb_segs == 1)
		return m;
	frame = m->pkt_len <= ARENA_ROOM ? rte_pktmbuf_alloc(arena_pool(d->arena)) : NULL;
	if (frame) {
		to = rte_pktmbuf_mtod(frame, uint8_t *);
		for (const struct rte_mbuf *s = m; s; s = s->next) {
			memcpy(to, rte_pktmbuf_mtod(s, const uint8_t *), s->data_len);
			to += s->data_len;
		}
		frame->data_len = (uint16_t)m->pkt_len;
		frame->pkt_len = m->pkt_len;
	} else {
		d->st.rx_truncated += m->pkt_len > ARENA_ROOM;
		d->st.rx_overflow += m->pkt_len <= ARENA_ROOM;
	}
	rte_pktmbuf_free(m);
	return frame;
}

static bool csum_known_good(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD &&
	       (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
}

static bool is_good(struct port_dpdk *d, struct rte_mbuf *m, bool csum_good, struct port_rx *rx)
{
	enum dpdk_parsed what = dpdk_parse(
		rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, d->vlan, csum_good, rx);

	if (what == DPDK_UDP && is_served(d, rx))
		return true;
	d->st.rx_bad_header += what == DPDK_BAD_HEADER;
	d->st.rx_bad_csum += what == DPDK_BAD_CSUM;
	d->st.rx_not_ours += what == DPDK_UDP || what == DPDK_NOT_OURS;
	return false;
}

static bool take(struct port_dpdk *d, struct rte_mbuf *m, ts_us now, struct port_rx *rx)
{
	bool good = csum_known_good(m);
	struct rte_mbuf *frame = frame_of(d, m);

	if (!frame)
		return false;
	if (!is_good(d, frame, good, rx)) {
		rte_pktmbuf_free(frame);
		return false;
	}
	rx->frame = frame;
	rx->arrival = now;
	d->st.rx_bytes += rx->len;
	return true;
}

unsigned dpdk_rx_burst(struct port *p, struct port_rx *rx, unsigned n)
{
	struct port_dpdk *d = dpdk_self(p);
	struct rte_mbuf *m[PORT_BURST];
	unsigned came, got = 0;

	came = rte_eth_rx_burst(
		d->dev->id, d->queue, m, (uint16_t)(n < PORT_BURST ? n : PORT_BURST));
	if (!came)
		return 0;
	d->rx_at = ts_now();
	for (unsigned i = 0; i < came; i++)
		got += take(d, m[i], d->rx_at, &rx[got]);
	d->st.rx_packets += got;
	return got;
}

// --- waiting --------------------------------------------------------------------------------

void dpdk_rx_wait(struct port *p, uint32_t timeout_us)
{
	struct port_dpdk *d = dpdk_self(p);
	struct pollfd f = {.fd = d->wake_fd, .events = POLLIN};
	ts_us since = ts_now() - d->rx_at;
	uint32_t nap = since < RX_BUSY_US ? RX_NAP_US : RX_NAP_MAX_US;
	struct timespec t = {.tv_nsec = (timeout_us < nap ? timeout_us : nap) * 1000l};
	uint64_t count;

	if (since < RX_SPIN_US)
		return;
	// A wake-up between the worker's last look and this line is late by one nap.
	atomic_store_explicit(&d->asleep, true, memory_order_relaxed);
	if (ppoll(&f, 1, &t, NULL) > 0)
		(void)!read(d->wake_fd, &count, sizeof(count));
	atomic_store_explicit(&d->asleep, false, memory_order_relaxed);
}

void dpdk_rx_wake(struct port *p)
{
	struct port_dpdk *d = dpdk_self(p);

	if (atomic_load_explicit(&d->asleep, memory_order_relaxed))
		(void)!write(d->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
}
