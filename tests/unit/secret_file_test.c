// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/secret_file.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64], out[SECRET_FILE_MAX + 1], err[256];

static int read_of(const char *text, size_t len)
{
	int fd, rc;

	snprintf(path, sizeof(path), "/tmp/secret-XXXXXX");
	fd = mkstemp(path);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	memset(out, 'x', sizeof(out));
	rc = secret_file_read(path, out, err, sizeof(err));
	unlink(path);
	return rc;
}

static void takes_the_first_line(void **state)
{
	static const char *const same[] = {"correct horse", "correct horse\n", "correct horse\r\n"};
	char longest[SECRET_FILE_MAX + 1];

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(read_of(same[i], strlen(same[i])), 0);
		assert_string_equal(out, "correct horse");
	}
	memset(longest, 'k', sizeof(longest));
	longest[SECRET_FILE_MAX] = '\n';
	assert_int_equal(read_of(longest, sizeof(longest)), 0);
	assert_int_equal(strlen(out), SECRET_FILE_MAX);
}

// A sentence names the file and nothing of what it holds.
static void refuses_in_one_sentence(void **state)
{
	char line[SECRET_FILE_MAX + 2];

	assert_int_equal(read_of("", 0), -EINVAL);
	assert_non_null(strstr(err, "is empty"));
	assert_int_equal(read_of("\n", 1), -EINVAL);
	assert_int_equal(read_of("correct horse\nbattery\n", 22), -EINVAL);
	assert_non_null(strstr(err, "more than one line"));
	assert_null(strstr(err, "horse"));
	assert_int_equal(read_of("correct\0horse", 13), -EINVAL);
	memset(line, 'k', sizeof(line));
	assert_int_equal(read_of(line, sizeof(line)), -EINVAL);
	assert_non_null(strstr(err, "too long"));
	assert_int_equal(secret_file_read("/nowhere/x", out, err, sizeof(err)), -ENOENT);
	assert_string_equal(err, "/nowhere/x cannot be read: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_first_line),
		cmocka_unit_test(refuses_in_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
