// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/state_lock.h"
#include "test.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct place {
	char top[64], dir[128];
};

static void path_in(char path[PATH_MAX], const char *dir, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", dir, name);
}

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->top, "/tmp/sluice-lock-XXXXXX");
	*state = p;
	if (!mkdtemp(p->top))
		return -1;
	snprintf(p->dir, sizeof(p->dir), "%s/a/b", p->top);
	return 0;
}

static int remove_place(void **state)
{
	static const char *const names[] = {"lock", "epoch", "epoch.new"};
	struct place *p = *state;
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		path_in(path, p->dir, names[i]);
		unlink(path);
	}
	rmdir(p->dir);
	*strrchr(p->dir, '/') = '\0';
	rmdir(p->dir);
	rmdir(p->top);
	free(p);
	return 0;
}

static void directory_is_made_for_us_alone(void **state)
{
	const struct place *p = *state;
	char err[256];
	struct stat st;
	int fd = state_lock(p->dir, err, sizeof(err));

	assert_true(fd >= 0);
	assert_int_equal(stat(p->dir, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	close(fd);
}

// A process that holds the lock until its pipe is closed; it tells when it has it.
static pid_t hold(const char *dir, int *hold_fd)
{
	int ready[2], stop[2];
	char err[256], c;
	pid_t pid;

	assert_int_equal(pipe(ready) | pipe(stop), 0);
	pid = fork();
	if (!pid) {
		close(stop[1]);
		if (state_lock(dir, err, sizeof(err)) < 0 || write(ready[1], "y", 1) != 1)
			_exit(1);
		_exit(read(stop[0], &c, 1) ? 1 : 0);
	}
	close(ready[1]);
	close(stop[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*hold_fd = stop[1];
	return pid;
}

static void second_is_told_the_pid_of_the_first(void **state)
{
	const struct place *p = *state;
	char err[256], want[256];
	int stop, status, fd;
	pid_t pid = hold(p->dir, &stop);

	assert_int_equal(state_lock(p->dir, err, sizeof(err)), -EWOULDBLOCK);
	snprintf(want, sizeof(want), "another sluiced (pid %d) is using %s", (int)pid, p->dir);
	assert_string_equal(err, want);
	kill(pid, SIGKILL); // nothing is left behind
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(stop);
	fd = state_lock(p->dir, err, sizeof(err));
	assert_true(fd >= 0);
	close(fd);
}

static void write_epoch(const struct place *p, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	path_in(path, p->dir, "epoch");
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void epoch_rises_with_each_start(void **state)
{
	const struct place *p = *state;
	uint64_t epoch;
	char err[256];
	int fd = state_lock(p->dir, err, sizeof(err));

	write_epoch(p, "5000000000000\n"); // later than the clock
	for (uint64_t i = 5000000000001; i <= 5000000000003; i++) {
		assert_int_equal(state_epoch_raise(p->dir, &epoch, err, sizeof(err)), 0);
		assert_int_equal(epoch, i);
	}
	close(fd);
}

static void a_new_directory_is_a_later_owner_too(void **state)
{
	const struct place *p = *state;
	uint64_t now = (uint64_t)time(NULL) * 1000, epoch;
	char err[256];
	int fd = state_lock(p->dir, err, sizeof(err));

	assert_int_equal(state_epoch_raise(p->dir, &epoch, err, sizeof(err)), 0);
	assert_in_range(epoch, now, now + 60000);
	write_epoch(p, "17\n"); // of an old copy
	assert_int_equal(state_epoch_raise(p->dir, &epoch, err, sizeof(err)), 0);
	assert_in_range(epoch, now, now + 60000);
	close(fd);
}

static void a_spoilt_epoch_is_not_guessed_at(void **state)
{
	static const char *const texts[] = {"", "x\n", "12", "-3\n", "99999999999999999999999\n"};
	const struct place *p = *state;
	char err[256];
	uint64_t epoch;
	int fd = state_lock(p->dir, err, sizeof(err));

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		write_epoch(p, texts[i]);
		assert_int_equal(state_epoch_raise(p->dir, &epoch, err, sizeof(err)), -EBADMSG);
		assert_non_null(strstr(err, "does not hold a number"));
	}
	close(fd);
}

static void a_file_in_the_way_is_one_sentence(void **)
{
	char err[256];

	assert_int_equal(state_lock("/dev/null/x", err, sizeof(err)), -ENOTDIR);
	assert_string_equal(err, "/dev/null/x: Not a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			directory_is_made_for_us_alone, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			second_is_told_the_pid_of_the_first, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			epoch_rises_with_each_start, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_new_directory_is_a_later_owner_too, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_spoilt_epoch_is_not_guessed_at, make_place, remove_place),
		cmocka_unit_test(a_file_in_the_way_is_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
