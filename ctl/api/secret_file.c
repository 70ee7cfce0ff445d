// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(char *err, size_t cap, const char *path, const char *why)
{
	snprintf(err, cap, "%s %s", strcmp(path, "-") ? path : "the input", why);
	return -EINVAL;
}

// All there is, up to one byte more than a line may have. No stdio: it would keep a copy.
static ssize_t read_all(int fd, char *buf, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, buf + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int take_line(const char *path, char *text, size_t len, char *err, size_t cap)
{
	char *end = memchr(text, '\n', len);

	if (memchr(text, '\0', len))
		return fail(err, cap, path, "holds a NUL byte");
	if (end && text + len > end + 1)
		return fail(err, cap, path, "holds more than one line");
	if (!end && len > SECRET_FILE_MAX)
		return fail(err, cap, path, "holds a line that is too long for a secret");
	len = end ? (size_t)(end - text) : len;
	if (len && text[len - 1] == '\r')
		len--;
	memset(text + len, 0, SECRET_FILE_MAX + 2 - len);
	return len ? 0 : fail(err, cap, path, "is empty");
}

int secret_file_read(const char *path, char out[SECRET_FILE_MAX + 1], char *err, size_t cap)
{
	char text[SECRET_FILE_MAX + 2];
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO, rc;
	ssize_t n;

	memset(text, 0, sizeof(text));
	n = fd < 0 ? -errno : read_all(fd, text, sizeof(text));
	if (fd > STDIN_FILENO)
		close(fd);
	if (n < 0) {
		snprintf(err, cap, "%s cannot be read: %s", strcmp(path, "-") ? path : "the input",
			strerror((int)-n));
		return (int)n;
	}
	rc = take_line(path, text, (size_t)n, err, cap);
	if (!rc)
		memcpy(out, text, SECRET_FILE_MAX + 1);
	explicit_bzero(text, sizeof(text));
	return rc;
}
