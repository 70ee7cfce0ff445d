// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The master key's file.

#include "ctl/daemon/seal.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS (2 * SEAL_KEY_BYTES)

static int fail(int rc, char *err, size_t cap, const char *path, const char *why)
{
	snprintf(err, cap, "the master key %s %s", path, why);
	return rc;
}

// The key's name: a hash, so that it tells nothing of the key.
static void name_key(struct seal_key *k)
{
	static const char use[] = "sluice master key id";
	uint8_t text[sizeof(use) + SEAL_KEY_BYTES], d[SHA256_DIGEST_LENGTH];

	memcpy(text, use, sizeof(use));
	memcpy(text + sizeof(use), k->bytes, SEAL_KEY_BYTES);
	SHA256(text, sizeof(text), d);
	for (unsigned i = 0; i < SEAL_ID_LEN / 2; i++)
		snprintf(k->id + 2 * i, 3, "%02x", d[i]);
	OPENSSL_cleanse(text, sizeof(text));
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

// 64 digits, and blanks behind them at most.
static int parse(struct seal_key *k, const char *text)
{
	for (unsigned i = 0; i < SEAL_KEY_BYTES; i++) {
		int hi = digit(text[2 * i]), lo = hi < 0 ? -1 : digit(text[2 * i + 1]);

		if (lo < 0)
			return -EINVAL;
		k->bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	return text[DIGITS + strspn(text + DIGITS, " \t\r\n")] ? -EINVAL : 0;
}

static int check_mode(int fd, const char *path, char *err, size_t cap)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail(-errno, err, cap, path, strerror(errno));
	// A group that may read it is how root hands it to the daemon's user.
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return fail(-EPERM, err, cap, path,
			"can be read by anybody or written by others: chmod 0600 it");
	return 0;
}

int seal_key_read(struct seal_key *k, const char *path, char *err, size_t cap)
{
	char text[DIGITS + 16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	ssize_t n;

	if (fd < 0) {
		rc = -errno;
		snprintf(err, cap, "the master key %s cannot be read: %s", path, strerror(-rc));
		return rc;
	}
	rc = check_mode(fd, path, err, cap);
	if (!rc) {
		n = read(fd, text, sizeof(text) - 1);
		if (n < 0)
			rc = fail(-errno, err, cap, path, strerror(errno));
		else if (parse(k, text))
			rc = fail(-EINVAL, err, cap, path,
				"is not a key: it has to hold 64 hex digits");
	}
	close(fd);
	OPENSSL_cleanse(text, sizeof(text));
	if (rc)
		seal_key_wipe(k);
	else
		name_key(k);
	return rc;
}

static int sync_folder(const char *path)
{
	char dir[PATH_MAX], *slash;
	int fd, rc;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 || fsync(fd) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

// Whole or not at all: written beside its place, then linked there, which fails when there is one.
static int put_file(const char *path, const char *text)
{
	char tmp[PATH_MAX];
	size_t len = strlen(text);
	int fd, rc = 0;

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path) >= sizeof(tmp))
		return -ENAMETOOLONG;
	fd = mkostemp(tmp, O_CLOEXEC); // mode 0600
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len || fsync(fd))
		rc = errno ? -errno : -EIO;
	close(fd);
	if (!rc && link(tmp, path))
		rc = -errno;
	unlink(tmp);
	return rc ? rc : sync_folder(path);
}

int seal_key_make(struct seal_key *k, const char *path, char *err, size_t cap)
{
	char text[DIGITS + 2];
	int rc = 0;

	if (getrandom(k->bytes, SEAL_KEY_BYTES, 0) != SEAL_KEY_BYTES)
		rc = -EIO;
	for (unsigned i = 0; i < SEAL_KEY_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", k->bytes[i]);
	memcpy(text + DIGITS, "\n", 2);
	rc = rc ? rc : put_file(path, text);
	OPENSSL_cleanse(text, sizeof(text));
	if (!rc) {
		name_key(k);
		return 0;
	}
	seal_key_wipe(k);
	snprintf(err, cap, "the master key %s cannot be made: %s", path, strerror(-rc));
	return rc;
}

void seal_key_wipe(struct seal_key *k)
{
	OPENSSL_cleanse(k, sizeof(*k));
}
