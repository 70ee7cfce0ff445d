// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/rundir.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// An empty variable counts as not set (XDG base directory specification).
static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static int join(const char *dir, const char *file, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, file ? "%s/%s" : "%s", dir, file);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

int rundir_path(const char *file, char *buf, size_t cap)
{
	const char *own = env("SLUICE_RUN_DIR"), *xdg = env("XDG_RUNTIME_DIR"),
		   *tmp = env("TMPDIR");
	char dir[PATH_MAX];
	int n;

	if (own)
		return join(own, file, buf, cap);
	if (!geteuid())
		return join("/run/sluice", file, buf, cap);
	if (xdg)
		n = snprintf(dir, sizeof(dir), "%s/sluice", xdg);
	else
		n = snprintf(
			dir, sizeof(dir), "%s/sluice-%u", tmp ? tmp : "/tmp", (unsigned)geteuid());
	if (n < 0 || (size_t)n >= sizeof(dir))
		return -ENAMETOOLONG;
	return join(dir, file, buf, cap);
}

int statedir_path(const char *file, char *buf, size_t cap)
{
	const char *own = env("SLUICE_STATE_DIR"), *xdg = env("XDG_STATE_HOME"),
		   *home = env("HOME");
	char dir[PATH_MAX];
	int n;

	if (own)
		return join(own, file, buf, cap);
	if (!geteuid())
		return join("/var/lib/sluice", file, buf, cap);
	if (xdg)
		n = snprintf(dir, sizeof(dir), "%s/sluice", xdg);
	else
		n = snprintf(dir, sizeof(dir), "%s/.local/state/sluice", home ? home : "");
	if (n < 0 || (size_t)n >= sizeof(dir))
		return -ENAMETOOLONG;
	return join(dir, file, buf, cap);
}

int rundir_make(char *err, size_t cap)
{
	char dir[PATH_MAX];
	struct stat st;

	if (rundir_path(NULL, dir, sizeof(dir))) {
		snprintf(err, cap, "the path of the run directory is too long");
		return -ENAMETOOLONG;
	}
	if ((mkdir(dir, 0770) && errno != EEXIST) || lstat(dir, &st)) {
		int rc = -errno;

		snprintf(err, cap, "%s: %s", dir, strerror(-rc));
		return rc;
	}
	if ((st.st_uid == geteuid() || !st.st_uid) &&
		(S_ISLNK(st.st_mode) ||
			(S_ISDIR(st.st_mode) && (!(st.st_mode & S_IWOTH) || st.st_mode & S_ISVTX))))
		return 0;
	snprintf(err, cap, "%s is not a directory of ours that others keep out of", dir);
	return -EPERM;
}
