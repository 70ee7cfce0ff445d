// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIR_MODE 0750
#define FILE_MODE 0640

static int failed(const char *path, char *err, size_t cap)
{
	int rc = -errno;

	snprintf(err, cap, "%s: %s", path, strerror(-rc));
	return rc;
}

static int make_dirs(const char *dir, char *err, size_t cap)
{
	char path[PATH_MAX];
	size_t len = strlen(dir);

	if (len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return failed(dir, err, cap);
	}
	memcpy(path, dir, len + 1);
	for (char *at = path + 1; at <= path + len; at++) {
		if (*at && *at != '/')
			continue;
		*at = '\0';
		if (mkdir(path, DIR_MODE) && errno != EEXIST)
			return failed(path, err, cap);
		if (at < path + len)
			*at = '/';
	}
	return 0;
}

static int open_in(const char *dir, const char *name, int flags, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_CLOEXEC, FILE_MODE);
}

static int is_taken(int fd, const char *dir, char *err, size_t cap)
{
	char pid[24] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	close(fd);
	snprintf(err, cap, "another sluiced (pid %s) is using %s", *pid ? pid : "unknown", dir);
	return -EWOULDBLOCK;
}

int state_lock(const char *dir, char *err, size_t cap)
{
	char path[PATH_MAX], pid[24];
	int fd, rc, n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	rc = make_dirs(dir, err, cap);
	if (rc)
		return rc;
	fd = open_in(dir, "lock", O_RDWR | O_CREAT, path);
	if (fd < 0)
		return failed(path, err, cap);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return is_taken(fd, dir, err, cap);
		rc = failed(path, err, cap);
	} else if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n) {
		rc = failed(path, err, cap);
	}
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

// 0 when there is no file yet.
static int epoch_read(const char *dir, uint64_t *epoch, char *err, size_t cap)
{
	char path[PATH_MAX], text[32] = "", *end;
	int fd = open_in(dir, "epoch", O_RDONLY, path);
	ssize_t n;

	*epoch = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : failed(path, err, cap);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return failed(path, err, cap);
	errno = 0;
	*epoch = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !errno && !strcmp(end, "\n"))
		return 0;
	snprintf(err, cap, "%s: does not hold a number; remove it", path);
	return -EBADMSG;
}

// The new file is complete on disk before it takes the name of the old one.
static int epoch_write(const char *dir, uint64_t epoch, char *err, size_t cap)
{
	char path[PATH_MAX], final[PATH_MAX], text[32];
	int fd = open_in(dir, "epoch.new", O_WRONLY | O_CREAT | O_TRUNC, path), dir_fd, rc = 0;
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", epoch);

	if (fd < 0)
		return failed(path, err, cap);
	if (write(fd, text, (size_t)n) != n || fsync(fd))
		rc = failed(path, err, cap);
	close(fd);
	if (rc)
		return rc;
	snprintf(final, sizeof(final), "%s/epoch", dir);
	if (rename(path, final))
		return failed(final, err, cap);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 || fsync(dir_fd))
		rc = failed(dir, err, cap);
	if (dir_fd >= 0)
		close(dir_fd);
	return rc;
}

static uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int state_epoch_raise(const char *dir, uint64_t *epoch, char *err, size_t cap)
{
	int rc = epoch_read(dir, epoch, err, cap);

	if (rc)
		return rc;
	*epoch = *epoch + 1 > clock_ms() ? *epoch + 1 : clock_ms();
	return epoch_write(dir, *epoch, err, cap);
}
