#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The listening socket dp.sock. A lock beside it (dp.sock.lock, which holds the pid) says whether
// another sluice-dp is alive: the kernel lets it go with the process, so what a dead one left
// behind is replaced and a live one never is.

#include <stddef.h>
#include <sys/un.h>

struct dp_socket {
	int fd, lock_fd; // -1: not open
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

// Listen on path, mode 0660. Returns 0, or -errno with one sentence in err: -EADDRINUSE names the
// pid that has it, -EEXIST: a file that is no socket stands there and is left alone.
int dp_socket_open(struct dp_socket *s, const char *path, char *err, size_t err_cap);

// Close and remove it.
void dp_socket_close(struct dp_socket *s);
