#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The SEQPACKET server behind dp.sock: accepts, reads whole messages, writes what fits. One owner,
// some readers; a client that does not read loses notices, then its connection.

#include "ctl/dp/dp_proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_CLIENTS 16u

struct control;
struct server;

struct client {
	int fd;	       // -1: free
	uint32_t role; // 0 before HELLO
	uint64_t owner_epoch;
	bool closing;
};

// NULL and a sentence in err; a socket that nobody answers on any more is replaced.
struct server *server_open(struct control *c, const char *path, char *err, size_t err_cap);
void server_close(struct server *s);

// To watch for readability: a listening socket and the clients behind one epoll descriptor.
int server_fd(const struct server *s);
// Accept, read, carry out; then hand out the notices.
void server_turn(struct server *s);

struct client *server_owner(struct server *s);
// One message, with a descriptor to pass (-1: none). A client whose socket is full is closed.
void server_send(struct client *to, const void *msg, size_t len, int fd);
