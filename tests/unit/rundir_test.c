// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/rundir.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int clear(void **)
{
	static const char *const names[] = {"SLUICE_RUN_DIR", "SLUICE_STATE_DIR", "XDG_RUNTIME_DIR",
		"XDG_STATE_HOME", "TMPDIR", "HOME"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unsetenv(names[i]);
	return 0;
}

static void own_variable_wins(void **)
{
	char path[128];

	setenv("SLUICE_RUN_DIR", "/x/run", 1);
	setenv("SLUICE_STATE_DIR", "/x/state", 1);
	setenv("XDG_RUNTIME_DIR", "/y", 1);
	assert_int_equal(rundir_path("api.sock", path, sizeof(path)), 0);
	assert_string_equal(path, "/x/run/api.sock");
	assert_int_equal(rundir_path(NULL, path, sizeof(path)), 0);
	assert_string_equal(path, "/x/run");
	assert_int_equal(statedir_path("sluice.db", path, sizeof(path)), 0);
	assert_string_equal(path, "/x/state/sluice.db");
}

static void root_and_others_have_their_defaults(void **)
{
	char path[128], want[128];

	setenv("SLUICE_RUN_DIR", "", 1);
	setenv("XDG_STATE_HOME", "/y/state", 1);
	setenv("TMPDIR", "/z", 1);
	snprintf(want, sizeof(want), "/z/sluice-%u", (unsigned)geteuid());
	assert_int_equal(rundir_path(NULL, path, sizeof(path)), 0);
	assert_string_equal(path, geteuid() ? want : "/run/sluice");
	assert_int_equal(statedir_path(NULL, path, sizeof(path)), 0);
	assert_string_equal(path, geteuid() ? "/y/state/sluice" : "/var/lib/sluice");
	setenv("XDG_RUNTIME_DIR", "/y/run", 1);
	assert_int_equal(rundir_path(NULL, path, sizeof(path)), 0);
	assert_string_equal(path, geteuid() ? "/y/run/sluice" : "/run/sluice");
}

// Who is first in a place that all may write to could be anybody.
static void the_directory_is_made_and_must_be_ours(void **)
{
	char base[] = "/tmp/sluice-rundir-XXXXXX", dir[64], err[128] = "";
	struct stat st;

	assert_non_null(mkdtemp(base));
	snprintf(dir, sizeof(dir), "%s/run", base);
	setenv("SLUICE_RUN_DIR", dir, 1);
	assert_int_equal(rundir_make(err, sizeof(err)), 0);
	assert_int_equal(rundir_make(err, sizeof(err)), 0); // there already
	assert_int_equal(stat(dir, &st), 0);
	assert_true(S_ISDIR(st.st_mode) && !(st.st_mode & S_IRWXO));
	chmod(dir, 0777);
	assert_int_equal(rundir_make(err, sizeof(err)), -EPERM);
	chmod(dir, 01777);
	assert_int_equal(rundir_make(err, sizeof(err)), 0);
	if (!geteuid()) {
		assert_int_equal(chown(dir, 65534, 65534), 0);
		chmod(dir, 0700);
		assert_int_equal(rundir_make(err, sizeof(err)), -EPERM);
	}
	rmdir(dir);
	close(creat(dir, 0600));
	assert_int_equal(rundir_make(err, sizeof(err)), -EPERM);
	assert_non_null(strstr(err, "is not a directory of ours"));
	unlink(dir);
	rmdir(base);
	assert_int_equal(rundir_make(err, sizeof(err)), -ENOENT);
}

static void too_long_is_refused(void **)
{
	char path[16];

	setenv("SLUICE_RUN_DIR", "/0123456789", 1);
	assert_int_equal(rundir_path("dp.sock", path, sizeof(path)), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(own_variable_wins, clear),
		cmocka_unit_test_setup(root_and_others_have_their_defaults, clear),
		cmocka_unit_test_setup(the_directory_is_made_and_must_be_ours, clear),
		cmocka_unit_test_setup(too_long_is_refused, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
