#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The SEQPACKET server behind dp.sock: accepts, reads whole messages, writes what fits.
//
// One owner, some readers. An answer that a client's socket has no room for waits, and until it has
// gone nothing more is read from that client, so a slow one holds one answer's memory and itself.
// Notices are kept once for all (notice.h): a slow client loses the oldest and is told how many.

#include "ctl/dp/dp_proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_CLIENTS 16u
#define SERVER_READERS 12u // what is left is for an owner that comes back

struct control;
struct server;
struct answer;

struct client {
	int fd;	       // -1: free
	uint32_t role; // 0 before HELLO
	bool closing;
	uint32_t watched;	// epoll events
	uint64_t since;		// which connection this is, by number
	uint32_t notices;	// the next one it is to get
	struct answer *waiting; // what its socket had no room for
	struct answer **waiting_tail;
};

// Serve the clients of a listening socket, which stays the caller's. NULL: no memory.
struct server *server_new(struct control *c, int listen_fd);
void server_free(struct server *s);

// To watch for readability: everything behind one epoll descriptor.
int server_fd(const struct server *s);
// Accept, read, carry out; then hand out the notices.
void server_turn(struct server *s);

// Make the client owner, or reader. The owner that was before is closed. Returns 0, or -EUSERS when
// there are enough readers.
int server_role(struct server *s, struct client *k, uint32_t role);
// One message for the owner, when there is one with room for it.
void server_ask_owner(struct server *s, const void *msg, size_t len);
// One message, with a descriptor to pass (-1: none; must live as long as the server).
void server_send(struct client *to, const void *msg, size_t len, int fd);
