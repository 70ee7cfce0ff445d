#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A server on loopback and raw sockets against it, in one thread: the tests write bytes as a
// hostile peer would, and turn the event loop until something has come true.

#include "ctl/http/server.h"

#include <event2/event.h>

#include <stdbool.h>

struct rig {
	struct event_base *base;
	struct http_server *server;
	int port;
	char path[96]; // of the unix socket
};

void rig_start(struct rig *g, const struct http_config *config);
void rig_stop(struct rig *g);

// Turn the loop until done(arg) or ms have passed. Returns done's last answer.
bool rig_until(struct rig *g, bool (*done)(void *arg), void *arg, unsigned ms);

int rig_connect(struct rig *g); // TCP; returns a non-blocking socket
int rig_connect_unix(struct rig *g);
void rig_send(struct rig *g, int fd, const void *data, size_t len);

// Read into out (terminated) until the peer closes or until `text` was seen. Returns false after
// two seconds without.
bool rig_read(struct rig *g, int fd, const char *text, char *out, size_t cap);

// Connect, send, read to the end of the connection, close. Asks for "Connection: close" itself
// when the text ends in a header without blank line.
void rig_ask(struct rig *g, const char *request, char *out, size_t cap);
