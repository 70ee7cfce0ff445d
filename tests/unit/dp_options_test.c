// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The command line of sluice-dp. A wrong one ends the process, so each row runs in one of its own.

#include "options.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 8

static void split(char *line, char **argv, int *argc)
{
	static char self[] = "some/path/sluice-dp";
	char *save;

	argv[0] = self;
	*argc = 1;
	for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[(*argc)++] = w;
	argv[*argc] = NULL;
}

static void parse(struct options *o, const char *line)
{
	static char copy[512];
	static char *argv[ARGS_MAX + 2];
	int argc;

	snprintf(copy, sizeof(copy), "%s", line);
	split(copy, argv, &argc);
	options_parse(o, argc, argv);
}

// Exit status of a process that parses the line; what it says on stderr.
static int status_of(const char *line, char *said, size_t cap)
{
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		struct options o;

		dup2(fds[1], 2);
		parse(&o, line);
		_exit(77);
	}
	close(fds[1]);
	n = read(fds[0], said, cap - 1);
	said[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void a_wrong_line_is_one_sentence_and_status_2(void **)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{"", "sluice-dp: no port is given: --port sock serves kernel UDP sockets\n"},
		{"--port xdp:eth0", "sluice-dp: --port 'xdp:eth0' is not served yet"},
		{"--port dpdk:0000:3b:00.0,addr=10.0.0.1",
			"sluice-dp: --port dpdk: '0000:3b:00.0'"},
		{"--port dpdk:net_null0", "sluice-dp: --port dpdk: net_null0 has no address"},
		{"--port sock --port dpdk:net_null0,addr=10.0.0.1",
			"sluice-dp: --port: this version serves one port"},
		{"--port dpdk:net_null0,addr=10.0.0.1 --port sock",
			"sluice-dp: --port: this version serves one port"},
		{"--port sock,mtu=9000", "sluice-dp: --port sock does not know 'mtu=9000'"},
		{"--port sock,name=", "sluice-dp: --port sock,name takes 1 to 31 bytes"},
		{"--port sock,sockbuf=1x", "sluice-dp: --port sock,sockbuf takes a number"},
		{"--port sock --workers 65", "sluice-dp: --workers takes a number from 1 to 64"},
		{"--port sock --workers -1", "sluice-dp: --workers takes a number from 1 to 64"},
		{"--port sock --cores 0,0", "sluice-dp: --cores names core 0 twice"},
		{"--port sock --cores 1023", "sluice-dp: --cores: this process may not use"},
		{"--port sock --cores 3-1", "sluice-dp: --cores takes a list as 2,4-7"},
		{"--port sock --cores 0 --workers 1", "sluice-dp: --cores gives the number"},
		{"--port sock --workers 1 --cores 0", "sluice-dp: --cores gives the number"},
		{"--port sock --idle never", "sluice-dp: --idle takes adaptive or spin"},
		{"--port sock --log loud", "sluice-dp: --log takes error, warn, info or debug"},
		{"--port sock --memory 10", "sluice-dp: --memory takes a number from 64"},
		{"--port sock --max-streams 0", "sluice-dp: --max-streams takes a number"},
		{"--port sock word", "sluice-dp: 'word' is not understood"},
		{"--no-such-flag", "sluice-dp: unrecognized option"},
	};
	char said[512];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(status_of(rows[i].line, said, sizeof(said)), 2);
		if (strncmp(said, rows[i].says, strlen(rows[i].says)))
			fail_msg("'%s' says '%s'", rows[i].line, said);
	}
}

static void defaults_are_as_documented(void **)
{
	struct options o;

	setenv("SLUICE_RUN_DIR", "/some/run", 1);
	parse(&o, "--port sock");
	assert_string_equal(o.port_name, "sock");
	assert_string_equal(o.socket, "/some/run/dp.sock");
	assert_false(o.socket_given);
	assert_int_equal(o.n_workers, 1);
	assert_int_equal(o.cores[0], -1);
	assert_int_equal(o.idle, WORKER_ADAPTIVE);
	assert_int_equal(o.memory_mb, 256);
	assert_int_equal(o.max_streams, 1024);
	assert_int_equal(o.max_subscribers, 10000);
	assert_false(o.no_uring);
	assert_int_equal(o.sockbuf, 0);
}

static void everything_can_be_said(void **)
{
	struct options o;

	parse(&o,
		"--port=sock,rx=epoll,sockbuf=212992,name=lo --cores 0 --idle=spin --socket /x/y");
	assert_string_equal(o.port_name, "lo");
	assert_true(o.no_uring);
	assert_int_equal(o.sockbuf, 212992);
	assert_int_equal(o.n_workers, 1);
	assert_int_equal(o.cores[0], 0);
	assert_int_equal(o.idle, WORKER_SPIN);
	assert_string_equal(o.socket, "/x/y");
	assert_true(o.socket_given);
	parse(&o, "--port sock,rx=epoll,sockbuf=8192,name=a --port sock");
	assert_string_equal(o.port_name, "sock"); // the last word counts
	assert_false(o.no_uring);
	assert_int_equal(o.sockbuf, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_line_is_one_sentence_and_status_2),
		cmocka_unit_test(defaults_are_as_documented),
		cmocka_unit_test(everything_can_be_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
