// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/arena_eal.h"
#include "io/arena.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_MB_MIN 48u
#define EAL_MB_BASE 16u // its own tables, and caches of 128 possible threads in each pool
#define HUGEPAGE_MB 2u

static struct {
	bool huge;
	size_t frame_bytes; // still to be had by arenas
} eal;

static unsigned hugepages(const char *which)
{
	char path[80];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-2048kB/%s_hugepages",
		which);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%u", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

// 2 MiB hugepages of this machine that nobody has, nor was promised; 0 when it does not say.
static unsigned hugepages_free(void)
{
	unsigned n = hugepages("free"), promised = hugepages("resv");

	return n > promised ? n - promised : 0;
}

// EAL pins the thread that starts it to its one lcore: the first core this process may use.
static int first_core(const cpu_set_t *set)
{
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, set))
			return i;
	return 0;
}

// Pools are stacks: the frame that was freed last is used next, so an arena takes only the pages of
// as many frames as were ever in use at a time. A ring would walk through all of them.
static int start(unsigned eal_mb, bool huge, int core)
{
	static char line[256]; // EAL keeps pointers into its arguments
	char *argv[16], *rest = line;
	int argc = 0;

	snprintf(line, sizeof(line),
		"sluice-dp %s -m %u --no-shconf --no-telemetry --no-pci --iova-mode=va "
		"--file-prefix sluice-%d --lcores 0@%d --log-level=error "
		"--mbuf-pool-ops-name stack",
		huge ? "--in-memory" : "--no-huge", eal_mb, (int)getpid(), core);
	while ((argv[argc] = strsep(&rest, " ")))
		argc++;
	return rte_eal_init(argc, argv) < 0 ? -(rte_errno ? rte_errno : EIO) : 0;
}

int arena_eal_start(unsigned memory_mb, char *err, size_t err_cap)
{
	unsigned eal_mb = EAL_MB_BASE + memory_mb / 4;
	cpu_set_t before;
	int rc;

	if (memory_mb < MEMORY_MB_MIN) {
		snprintf(err, err_cap, "%u MB of packet memory asked, at least %u are needed",
			memory_mb, MEMORY_MB_MIN);
		return -EINVAL;
	}
	if (sched_getaffinity(0, sizeof(before), &before))
		CPU_ZERO(&before);
	eal.huge = hugepages_free() >= memory_mb / HUGEPAGE_MB;
	rc = start(eal_mb, eal.huge, first_core(&before));
	if (CPU_COUNT(&before))
		sched_setaffinity(0, sizeof(before), &before);
	if (rc) {
		snprintf(err, err_cap, "DPDK did not start with %u MB of %s: %s", eal_mb,
			eal.huge ? "hugepages" : "memory", strerror(-rc));
		return rc;
	}
	rmdir(rte_eal_get_runtime_dir()); // made in spite of --no-shconf, and never used
	eal.frame_bytes = (size_t)(memory_mb - eal_mb) / HUGEPAGE_MB * HUGEPAGE_MB << 20;
	return 0;
}

bool arena_eal_has_hugepages(void)
{
	return eal.huge;
}

unsigned arena_frames_max(void)
{
	return (unsigned)(eal.frame_bytes / ARENA_FRAME);
}

bool arena_eal_take(size_t bytes)
{
	if (bytes > eal.frame_bytes)
		return false;
	eal.frame_bytes -= bytes;
	return true;
}

void arena_eal_give(size_t bytes)
{
	eal.frame_bytes += bytes;
}
