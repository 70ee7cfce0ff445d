// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/rundir.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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
		cmocka_unit_test_setup(too_long_is_refused, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
