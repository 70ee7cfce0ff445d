// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Receive by io_uring: one multishot recvmsg per socket, buffers from one provided ring. A request
// ends when the buffers run out (the datagrams stay in the socket) and is armed again once some
// are back. The ring belongs to the thread that first fills or waits (SINGLE_ISSUER), so it starts
// disabled and sockets that were added before are armed then.

#include "io/sock.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// A sockaddr_in6 is 28 bytes; the control messages behind it are read where they lie.
#define NAME_ROOM 32u
#define ENTRIES 64u
#define CQ_ENTRIES 1024u // an end for each of many sockets at once
#define GROUP 0
#define BUFS_LEN (SOCK_STAGING * sizeof(struct io_uring_buf))

enum kind { KIND_RECV, KIND_WAKE, KIND_CANCEL };

static uint64_t data_of(enum kind k, unsigned slot, uint16_t generation)
{
	return (uint64_t)k << 48 | (uint64_t)generation << 32 | slot;
}

// With room made when the submission queue is full.
static struct io_uring_sqe *sqe_get(struct sock_uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	if (!sqe) {
		io_uring_submit(&u->ring);
		sqe = io_uring_get_sqe(&u->ring);
	}
	return sqe;
}

static void arm_recv(struct port_sock *s, unsigned slot)
{
	struct io_uring_sqe *sqe = sqe_get(&s->uring);
	struct sock *k = &s->socks[slot];

	if (!sqe)
		return; // stays in the list
	io_uring_prep_recvmsg_multishot(sqe, k->fd, &s->uring.shape, MSG_TRUNC);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	io_uring_sqe_set_data64(sqe, data_of(KIND_RECV, slot, k->generation));
	k->waits = false;
	s->uring.n_waits--;
}

static void arm_wake(struct port_sock *s)
{
	struct io_uring_sqe *sqe = sqe_get(&s->uring);

	if (!sqe)
		return;
	io_uring_prep_poll_multishot(sqe, s->wake_fd, POLLIN);
	io_uring_sqe_set_data64(sqe, data_of(KIND_WAKE, 0, 0));
	s->uring.wake_armed = true;
}

// liburing 2.3 declares io_uring_enable_rings() but its shared library lacks it.
static int enable(struct io_uring *ring)
{
	return (int)syscall(
		SYS_io_uring_register, ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

// Arm what is not armed, as long as there is a buffer to receive into. Submits nothing when there
// is nothing to arm.
static void arm_all(struct port_sock *s)
{
	struct sock_uring *u = &s->uring;

	if (!u->enabled)
		u->enabled = !enable(&u->ring);
	if (!u->wake_armed)
		arm_wake(s);
	if (u->n_waits && sock_staging_free(s))
		for (unsigned i = 0; i < s->n_socks; i++)
			if (s->socks[i].waits)
				arm_recv(s, i);
	if (io_uring_sq_ready(&u->ring))
		io_uring_submit_and_get_events(&u->ring);
}

static void on_datagram(struct port_sock *s, struct sock *from, struct io_uring_cqe *c)
{
	uint16_t staging = (uint16_t)(c->flags >> IORING_CQE_BUFFER_SHIFT);
	struct io_uring_recvmsg_out *o =
		io_uring_recvmsg_validate(sock_staging_at(s, staging), c->res, &s->uring.shape);
	struct msghdr m = {0};
	struct iovec v;

	if (!from || !o) {
		s->rx->recycle(s, staging);
		return;
	}
	v.iov_base = io_uring_recvmsg_payload(o, &s->uring.shape);
	m.msg_name = io_uring_recvmsg_name(o);
	m.msg_iov = &v;
	m.msg_iovlen = 1;
	m.msg_control = (uint8_t *)io_uring_recvmsg_name(o) + s->uring.shape.msg_namelen;
	m.msg_controllen = o->controllen;
	m.msg_flags = (int)o->flags;
	sock_rx_stage(
		s, from, staging, &m, io_uring_recvmsg_payload_length(o, c->res, &s->uring.shape));
}

static void on_recv(struct port_sock *s, struct io_uring_cqe *c)
{
	unsigned slot = (uint32_t)c->user_data;
	uint16_t generation = (uint16_t)(c->user_data >> 32);
	struct sock *k = slot < s->n_socks ? &s->socks[slot] : NULL;

	if (k && (k->fd < 0 || k->generation != generation))
		k = NULL;
	if (c->flags & IORING_CQE_F_BUFFER)
		on_datagram(s, k, c);
	if (k && !(c->flags & IORING_CQE_F_MORE)) {
		k->waits = true;
		s->uring.n_waits++;
	}
}

static void on_cqe(struct port_sock *s, struct io_uring_cqe *c)
{
	enum kind k = (enum kind)(c->user_data >> 48);

	if (k == KIND_RECV) {
		on_recv(s, c);
	} else if (k == KIND_WAKE) {
		sock_rx_clear_wake(s);
		if (!(c->flags & IORING_CQE_F_MORE))
			s->uring.wake_armed = false;
	}
}

// Completions carry at most as many buffers as there are, so the queue of bundles cannot overflow.
static void reap(struct port_sock *s)
{
	struct io_uring_cqe *c[2 * SOCK_STAGING];
	unsigned n = io_uring_peek_batch_cqe(&s->uring.ring, c, 2 * SOCK_STAGING);

	for (unsigned i = 0; i < n; i++)
		on_cqe(s, c[i]);
	io_uring_cq_advance(&s->uring.ring, n);
}

static void fill(struct port_sock *s)
{
	arm_all(s);
	reap(s);
}

static void recycle(struct port_sock *s, uint16_t staging)
{
	io_uring_buf_ring_add(s->uring.bufs, sock_staging_at(s, staging), SOCK_STAGING_LEN, staging,
		SOCK_STAGING - 1, 0);
	io_uring_buf_ring_advance(s->uring.bufs, 1);
}

static int add(struct port_sock *s, unsigned slot)
{
	s->socks[slot].waits = true;
	s->uring.n_waits++;
	return 0;
}

// The request holds the socket open until its cancellation has run.
static void del(struct port_sock *s, unsigned slot)
{
	struct sock *k = &s->socks[slot];
	struct io_uring_sqe *sqe;

	if (k->waits) {
		k->waits = false;
		s->uring.n_waits--;
		return;
	}
	sqe = sqe_get(&s->uring);
	if (!sqe)
		return;
	io_uring_prep_cancel64(sqe, data_of(KIND_RECV, slot, k->generation), 0);
	io_uring_sqe_set_data64(sqe, data_of(KIND_CANCEL, 0, 0));
	io_uring_submit_and_get_events(&s->uring.ring);
}

static void rx_wait(struct port_sock *s, uint32_t timeout_us)
{
	struct __kernel_timespec t = {timeout_us / TS_S, (long long)(timeout_us % TS_S) * 1000};
	struct io_uring_cqe *c;

	fill(s);
	if (s->head != s->tail || s->uring.n_waits)
		return; // something to read, or no buffer to read it into before the next burst
	if (atomic_load(&s->sleep) == SOCK_WOKEN)
		return; // its completion may be among those that fill has just taken
	io_uring_wait_cqe_timeout(&s->uring.ring, &c, &t);
	reap(s);
}

static void fini(struct port_sock *s)
{
	io_uring_queue_exit(&s->uring.ring);
	munmap(s->uring.bufs, BUFS_LEN);
}

const struct sock_rx sock_uring_rx = {
	.name = "io_uring",
	.fill = fill,
	.recycle = recycle,
	.add = add,
	.del = del,
	.wait = rx_wait,
	.fini = fini,
};

static int bufs_register(struct port_sock *s)
{
	struct io_uring_buf_reg reg = {.ring_entries = SOCK_STAGING, .bgid = GROUP};
	void *at = mmap(NULL, BUFS_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (at == MAP_FAILED)
		return -ENOMEM;
	s->uring.bufs = at;
	reg.ring_addr = (uintptr_t)at;
	rc = io_uring_register_buf_ring(&s->uring.ring, &reg, 0);
	if (rc) {
		munmap(at, BUFS_LEN);
		return rc;
	}
	io_uring_buf_ring_init(s->uring.bufs);
	for (unsigned i = 0; i < SOCK_STAGING; i++)
		recycle(s, (uint16_t)i);
	return 0;
}

int sock_uring_init(struct port_sock *s)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
		.cq_entries = CQ_ENTRIES,
	};
	int rc;

	memset(&s->uring, 0, sizeof(s->uring));
	rc = io_uring_queue_init_params(ENTRIES, &s->uring.ring, &p);
	if (rc)
		return rc;
	s->uring.shape.msg_namelen = NAME_ROOM;
	s->uring.shape.msg_controllen = SOCK_CONTROL;
	rc = bufs_register(s);
	if (rc)
		io_uring_queue_exit(&s->uring.ring);
	return rc;
}
