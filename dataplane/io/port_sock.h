#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Port `sock`: kernel UDP sockets, no privileges. Receive by io_uring multishot recvmsg with
// UDP_GRO into staging buffers (epoll and recvmmsg where io_uring is not allowed); send by sendmmsg
// with UDP_SEGMENT bundles per subscriber (decisions A2, A3, A14; packet-io 4).

#include "base/endpoint.h"
#include "io/port.h"

#include <stddef.h>
#include <stdint.h>

struct port_sock_opts {
	bool no_uring;	  // take the epoll path even where io_uring works
	uint32_t sockbuf; // SO_RCVBUF and SO_SNDBUF wanted, bytes; 0: 8 MiB
	bool no_wait;	  // a busy UDP port fails at once, for callers that try again themselves
};

// One worker's port. Called on any thread; used only on the worker's afterwards (an io_uring with
// SINGLE_ISSUER is armed by the first rx_burst). NULL and a sentence in err when it fails.
struct port *port_sock_open(const struct port_sock_opts *o, char *err, size_t err_cap);

// "io_uring" or "epoll": what receives.
const char *port_sock_mode(const struct port *p);

// Open one SO_REUSEPORT socket per worker on local, in worker order, with the cBPF program that
// steers by the worker number in the SRT destination id (handshakes: by the caller's id) and thins
// ACKs (A14). :: serves IPv4 too, and IPv4 alone on a machine without IPv6. fds has room for
// n_workers. Returns 0 or -errno; err says which port is busy and so on. An io_uring keeps a socket
// open a moment after its process ended: EADDRINUSE is retried for a second. All workers of the
// listener must serve their socket, or close it by port_sock_close().
int port_sock_listen(const struct endpoint *local, unsigned n_workers,
	const struct port_sock_opts *o, int *fds, char *err, size_t err_cap);

struct port_sock_source {
	struct endpoint bind;	// group address for multicast
	struct endpoint source; // source-specific multicast; all zero: any source
	char iface[16];		// interface to join on; empty: routing decides
};

// Bind one socket for a udp:// or rtp:// source, joined to its group. Returns the fd or -errno.
int port_sock_bind(const struct port_sock_source *asked, const struct port_sock_opts *o, char *err,
	size_t err_cap);

// Close a socket of port_sock_listen or port_sock_bind that no port has taken.
void port_sock_close(int fd);

// ACKs of this listener that ended in the kernel. Any of the listener's fds that is the first one
// given out by port_sock_listen; 0 for others.
uint64_t port_sock_thinned(int fd);

// What the kernel really gave a socket for its two buffers, in bytes as SO_RCVBUF counts them.
void port_sock_buffers(int fd, uint32_t *rcv, uint32_t *snd);
