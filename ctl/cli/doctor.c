// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/doctor.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define KERNEL_MAJOR 6u // the oldest we test on is 6.1 (decisions A25)
#define KERNEL_MINOR 1u
#define RMEM_WISH (8l << 20) // what port sock asks for
#define FILES_WISH 1024u

void doctor_find(json_t *findings, const char *name, enum doctor_state state, const char *advice,
	const char *fmt, ...)
{
	static const char *const states[] = {"ok", "note", "bad"};
	char detail[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	json_array_append_new(findings, json_pack("{s:s, s:s, s:s, s:s?}", "name", name, "state",
						states[state], "detail", detail, "advice", advice));
}

// The number in a file of /proc, or -1.
static long proc_number(const char *path)
{
	FILE *f = fopen(path, "re");
	long v = -1;

	if (f && fscanf(f, "%ld", &v) != 1)
		v = -1;
	if (f)
		fclose(f);
	return v;
}

void doctor_kernel(json_t *findings)
{
	struct utsname u;
	unsigned major = 0, minor = 0;
	bool old;

	uname(&u);
	sscanf(u.release, "%u.%u", &major, &minor);
	old = major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR);
	doctor_find(findings, "kernel", old ? DOCTOR_NOTE : DOCTOR_OK,
		old ? "use Linux 6.1 or newer" : NULL, "%s %s", u.sysname, u.release);
}

void doctor_io_uring(json_t *findings)
{
	struct io_uring_params p = {0};
	long fd = syscall(SYS_io_uring_setup, 4, &p);

	if (fd < 0) {
		doctor_find(findings, "io_uring", DOCTOR_NOTE,
			"allow io_uring_setup in the container's seccomp profile, and see sysctl "
			"kernel.io_uring_disabled",
			"not available (%s): port sock receives by epoll", strerror(errno));
		return;
	}
	close((int)fd);
	doctor_find(findings, "io_uring", DOCTOR_OK, NULL, "available");
}

void doctor_socket_buffers(json_t *findings)
{
	long rmem = proc_number("/proc/sys/net/core/rmem_max"),
	     wmem = proc_number("/proc/sys/net/core/wmem_max");
	bool small = geteuid() && (rmem < RMEM_WISH || wmem < RMEM_WISH); // root takes more

	doctor_find(findings, "socket buffers", small ? DOCTOR_NOTE : DOCTOR_OK,
		small ? "sysctl -w net.core.rmem_max=8388608 net.core.wmem_max=8388608, or run "
			"sluice-dp as root"
		      : NULL,
		"net.core.rmem_max %ld, wmem_max %ld bytes", rmem, wmem);
}

void doctor_cores(json_t *findings)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;
	int ours = sched_getaffinity(0, sizeof(set), &set) ? -1 : CPU_COUNT(&set);

	doctor_find(findings, "cores", DOCTOR_OK, NULL, "%d of %ld for us", ours, online);
}

void doctor_files(json_t *findings)
{
	struct rlimit l = {0};
	bool few;

	getrlimit(RLIMIT_NOFILE, &l);
	few = l.rlim_cur < FILES_WISH;
	doctor_find(findings, "open files", few ? DOCTOR_NOTE : DOCTOR_OK,
		few ? "raise it: ulimit -n 1024, or LimitNOFILE= in the unit" : NULL,
		"at most %llu", (unsigned long long)l.rlim_cur);
}

void doctor_hugepages(json_t *findings)
{
	long n = proc_number("/proc/sys/vm/nr_hugepages");

	doctor_find(findings, "hugepages", DOCTOR_OK, NULL, "%ld%s", n < 0 ? 0 : n,
		n > 0 ? "" : ", port sock does without");
}
