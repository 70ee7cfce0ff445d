#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The inside of port `sock`, shared by its files:
//
//   sock_open     create and configure one UDP socket
//   sock_filter   the classic BPF programs: steering, thinning, drop everything
//   sock_listen   a listener: one socket per worker, and the sink its thinned ACKs end in
//   sock_bind     a source: unicast or multicast
//   sock_rx       staging buffers -> datagrams; sock_uring and sock_epoll fill the staging buffers
//   sock_msg      what a message says besides its bytes: socket, address, control messages
//   sock_tx       fan-out
//   sock_own      own datagrams
//   port_sock     puts them together

#include "io/port.h"
#include "io/port_sock.h"

#include <liburing.h>

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define SOCK_STAGING 32u // staging buffers, power of two
// The largest UDP datagram or GRO bundle, and in front of it what io_uring writes there: its own
// header, the peer's address, control messages.
#define SOCK_STAGING_LEN (65536u + 512u)
#define SOCK_CONTROL 128u // control messages of one receive: UDP_GRO, PKTINFO, SO_RXQ_OVFL
#define SOCK_BY_PORT 65536u
#define SOCK_TX_MSGS 64u   // messages of one sendmmsg
#define SOCK_TX_ERRORS 64u // failed destinations remembered

enum {
	SOCK_NONE = -1,
	SOCK_TTL = 64, // what sockets send with unless a line says otherwise
	SOCK_TTL_MULTICAST = 1,
};

// A socket that is served: a listener's share, or a source.
struct sock {
	int fd; // -1: free slot
	uint16_t tag;
	uint16_t generation; // of the slot: an old completion does not reach its next tenant
	bool v6;	     // AF_INET6; bound to :: it serves IPv4 too
	bool any;	     // bound to no address
	uint8_t ip[16];	     // bound address as in struct endpoint
	uint16_t port;
	uint32_t overflow; // SO_RXQ_OVFL as last seen, a running counter
	bool waits;	   // uring: not armed, stands in the rearm list
	int next;	   // next slot on the same port, or SOCK_NONE
};

// What one staging buffer holds: one datagram, or several of one peer (UDP_GRO) of seg bytes each.
struct sock_bundle {
	const uint8_t *data;
	uint32_t len, seg, at; // at: next byte to hand out
	uint16_t staging;
	uint16_t tag;
	struct endpoint peer, local;
};

struct port_sock;

// How staging buffers get filled.
struct sock_rx {
	const char *name;
	// Take what has arrived, as far as staging buffers are free. Never waits.
	void (*fill)(struct port_sock *s);
	void (*recycle)(struct port_sock *s, uint16_t staging);
	int (*add)(struct port_sock *s, unsigned slot);
	void (*del)(struct port_sock *s, unsigned slot);
	void (*wait)(struct port_sock *s, uint32_t timeout_us);
	void (*fini)(struct port_sock *s);
};

struct sock_uring {
	struct io_uring ring;
	struct io_uring_buf_ring *bufs;
	struct msghdr shape; // room for name and control in each buffer
	bool enabled;	     // by the first call on the worker's thread
	bool wake_armed;
	unsigned n_waits; // sockets to arm
};

struct sock_epoll {
	int fd;
	uint16_t free[SOCK_STAGING];
	unsigned n_free;
};

struct sock_own;
struct sock_tx;

enum sock_sleep { SOCK_AWAKE, SOCK_ASLEEP, SOCK_WOKEN };

struct port_sock {
	struct port port;
	const struct sock_rx *rx;
	struct sock *socks;
	unsigned n_socks; // slots in use or free
	int16_t *by_port; // head slot of each local port, SOCK_NONE: not ours

	uint8_t *staging;
	struct sock_bundle staged[SOCK_STAGING]; // FIFO: [head, tail), counters
	unsigned head, tail;
	uint16_t lent[SOCK_STAGING]; // handed out completely; free again at the next burst
	unsigned n_lent;

	int wake_fd; // eventfd
	_Atomic int sleep;

	struct sock egress[2]; // of IPv4 and IPv6, bound to no listener's port: for pushes
	struct sock_tx *tx;
	struct sock_own *own;
	struct port_stats st;

	union {
		struct sock_uring uring;
		struct sock_epoll epoll;
	};
};

static inline unsigned sock_staging_free(const struct port_sock *s)
{
	return SOCK_STAGING - (s->tail - s->head) - s->n_lent;
}

static inline uint8_t *sock_staging_at(const struct port_sock *s, unsigned i)
{
	return s->staging + (size_t)i * SOCK_STAGING_LEN;
}

// --- sock_open ------------------------------------------------------------------------------

// What is bound for `asked`: 0.0.0.0 for :: on a machine without IPv6.
struct endpoint sock_local(const struct endpoint *asked);
// A UDP socket of the family of `local`, with all options that receiving and sending want, not
// bound. One for :: takes IPv4 too. The fd or -errno.
int sock_open(
	const struct endpoint *local, const struct port_sock_opts *o, char *err, size_t err_cap);
// Bind; EADDRINUSE is retried for a second. `link` is the interface that an IPv6 address of one
// link belongs to, 0: none. 0 or -errno with a sentence; the fd stays open.
int sock_open_bind(int fd, const struct endpoint *local, unsigned link,
	const struct port_sock_opts *o, char *err, size_t err_cap);

// --- sock_filter ----------------------------------------------------------------------------

// Steer a SO_REUSEPORT group of n_workers sockets plus, last, the sink for thinned ACKs.
int sock_filter_steer(int fd, unsigned n_workers);
// Let nothing in.
int sock_filter_drop_all(int fd);

// --- sock_rx --------------------------------------------------------------------------------

unsigned sock_rx_burst(struct port *p, struct port_rx *rx, unsigned n);
// Note a received datagram or bundle. The staging buffer belongs to the queue from here on, or is
// recycled at once when there is nothing to hand out.
void sock_rx_stage(
	struct port_sock *s, struct sock *from, uint16_t staging, struct msghdr *m, uint32_t len);
void sock_rx_wait(struct port *p, uint32_t timeout_us);
void sock_rx_wake(struct port *p);
void sock_rx_clear_wake(struct port_sock *s);

extern const struct sock_rx sock_uring_rx, sock_epoll_rx;
int sock_uring_init(struct port_sock *s); // 0 or -errno: not allowed, too old
int sock_epoll_init(struct port_sock *s);

// --- sock_msg -------------------------------------------------------------------------------

union sock_name {
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

// PKTINFO, TTL, TOS, UDP_SEGMENT, in this order and only those that are needed.
struct sock_control {
	alignas(struct cmsghdr)
		uint8_t b[CMSG_SPACE(sizeof(struct in6_pktinfo)) + 3 * CMSG_SPACE(sizeof(int))];
};

// The socket whose port the line sends from, else the worker's own.
const struct sock *sock_of_line(const struct port_sock *s, const struct line *l);
// How long names are on this socket.
socklen_t sock_name_len(const struct sock *from);
void sock_name_put(union sock_name *name, const struct sock *from, const struct line *l);
void sock_control_put(struct msghdr *m, int level, int type, const void *data, size_t len);
// Only what differs from the socket's own setting: the kernel parses each control message anew.
void sock_control_of_line(struct msghdr *m, const struct sock *from, const struct line *l);

// --- sock_tx --------------------------------------------------------------------------------

struct sock_tx *sock_tx_new(void);
unsigned sock_tx_fanout(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines);
unsigned sock_tx_private(struct port *p, enum line_kind kind, const struct port_payload *pl,
	unsigned n_pl, const struct line *lines, unsigned n_lines);
unsigned sock_tx_errors(struct port *p, struct port_tx_error *out, unsigned n);
// Count and remember that a datagram was not sent. Returns -EAGAIN when the buffer is full, else
// -error.
int sock_tx_failed(struct port_sock *s, const struct line *to, int error);

// --- sock_own -------------------------------------------------------------------------------

struct sock_own *sock_own_new(void);
// One of 64 bytes or less waits for sock_own_flush(), or for the next fan-out, which it precedes.
// Returns 0, or -errno of one that was sent at once.
int sock_own_send(struct port *p, const struct line *to, const uint8_t *data, uint16_t len);
void sock_own_flush(struct port *p);
