// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/dp_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DP_SOCKET_BACKLOG 16

static int refuse(int rc, const char *path, char *err, size_t cap)
{
	snprintf(err, cap, "%s: %s", path, strerror(-rc));
	return rc;
}

static void name_holder(int fd, const char *path, char *err, size_t cap)
{
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	if (n > 0 && atoi(pid) > 0)
		snprintf(err, cap, "another sluice-dp, pid %d, has %s", atoi(pid), path);
	else
		snprintf(err, cap, "another sluice-dp has %s", path);
}

// The file stays when we go: to remove it would let two others lock two different files.
static int lock(struct dp_socket *s, char *err, size_t cap)
{
	char path[sizeof(s->path) + 8];

	snprintf(path, sizeof(path), "%s.lock", s->path);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (s->lock_fd < 0)
		return refuse(-errno, path, err, cap);
	if (!flock(s->lock_fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return refuse(-errno, path, err, cap);
	name_holder(s->lock_fd, s->path, err, cap);
	return -EADDRINUSE;
}

static int write_pid(const struct dp_socket *s)
{
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	return ftruncate(s->lock_fd, 0) || pwrite(s->lock_fd, pid, (size_t)n, 0) != n ? -errno : 0;
}

static bool answers(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd >= 0 && (!connect(fd, (const struct sockaddr *)a, sizeof(*a)) ||
				      errno == EAGAIN || errno == EPROTOTYPE);

	if (fd >= 0)
		close(fd);
	return yes;
}

// Anything but a socket is not ours to remove, nor to put a lock beside.
static int check_place(const char *path, char *err, size_t cap)
{
	struct stat st;

	if (lstat(path, &st) || S_ISSOCK(st.st_mode))
		return 0;
	snprintf(err, cap, "%s is there and is not a socket", path);
	return -EEXIST;
}

// A socket that nobody listens on goes.
static int clear(const struct sockaddr_un *a, char *err, size_t cap)
{
	if (answers(a)) {
		snprintf(err, cap, "another program listens on %s", a->sun_path);
		return -EADDRINUSE;
	}
	return unlink(a->sun_path) && errno != ENOENT ? refuse(-errno, a->sun_path, err, cap) : 0;
}

static int listen_at(struct dp_socket *s, const struct sockaddr_un *a, char *err, size_t cap)
{
	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	// The mode before the name: nobody else connects in between. And after, whatever the umask.
	if (s->fd < 0 || fchmod(s->fd, 0660) ||
		bind(s->fd, (const struct sockaddr *)a, sizeof(*a)) || chmod(s->path, 0660) ||
		listen(s->fd, DP_SOCKET_BACKLOG))
		return refuse(-errno, s->path, err, cap);
	return 0;
}

int dp_socket_open(struct dp_socket *s, const char *path, char *err, size_t err_cap)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int rc;

	*s = (struct dp_socket){.fd = -1, .lock_fd = -1};
	if (!*path || strlen(path) >= sizeof(a.sun_path)) {
		snprintf(err, err_cap, "'%s': a socket's path has 1 to %zu bytes", path,
			sizeof(a.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(s->path, path, strlen(path) + 1);
	memcpy(a.sun_path, s->path, sizeof(a.sun_path));
	rc = check_place(path, err, err_cap);
	if (!rc)
		rc = lock(s, err, err_cap);
	if (!rc)
		rc = clear(&a, err, err_cap);
	if (!rc && write_pid(s))
		rc = refuse(-EIO, path, err, err_cap);
	if (!rc)
		rc = listen_at(s, &a, err, err_cap);
	if (!rc)
		return 0;
	s->path[0] = '\0'; // whatever is there is not ours
	dp_socket_close(s);
	return rc;
}

void dp_socket_close(struct dp_socket *s)
{
	if (s->path[0])
		unlink(s->path);
	if (s->fd >= 0)
		close(s->fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	*s = (struct dp_socket){.fd = -1, .lock_fd = -1};
}
