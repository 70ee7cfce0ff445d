// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const drop_names[] = {
#define X(id, name, words) [DP_DROP_##id] = name,
	DP_DROPS(X)
#undef X
};

static uint64_t place(uint64_t *at, uint64_t n, uint64_t size)
{
	uint64_t here = (*at + 63) & ~63ull; // writers do not share cache lines

	*at = here + n * size;
	return here;
}

static void lay_out(struct dp_stats_header *h)
{
	uint64_t at = sizeof(*h);

	h->off_drop_names = place(&at, h->n_drops, DP_STATS_NAME);
	h->off_ports = place(&at, h->n_ports, sizeof(struct dp_stats_port));
	h->off_workers = place(&at, h->n_workers, sizeof(struct dp_stats_worker));
	h->off_streams = place(&at, h->n_streams, sizeof(struct dp_stats_stream));
	h->off_stream_tx = place(
		&at, (uint64_t)h->n_workers * h->n_streams, sizeof(struct dp_stats_stream_tx));
	h->off_hists =
		place(&at, (uint64_t)h->n_workers * h->n_streams, sizeof(struct dp_stats_hists));
	h->size = (at + 4095) & ~4095ull;
}

static void write_names(struct dp_stats_header *h, const struct stats_port *ports, unsigned n_ports)
{
	char *names = (char *)h + h->off_drop_names;
	struct dp_stats_port *p = (struct dp_stats_port *)((char *)h + h->off_ports);

	for (unsigned i = 0; i < h->n_drops; i++)
		snprintf(names + (size_t)i * DP_STATS_NAME, DP_STATS_NAME, "%s", drop_names[i]);
	for (unsigned i = 0; i < n_ports; i++) {
		snprintf(p[i].name, DP_STATS_NAME, "%s", ports[i].name);
		snprintf(p[i].kind, DP_STATS_NAME, "%s", ports[i].kind);
		snprintf(p[i].mode, DP_STATS_NAME, "%s", ports[i].mode);
	}
}

// The seal keeps others from ever mapping it writable; ours exists already.
static struct dp_stats_header *map(int fd, uint64_t size)
{
	void *m;

	if (ftruncate(fd, (off_t)size))
		return NULL;
	m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED)
		return NULL;
	fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	return m;
}

struct dp_stats_header *stats_new(unsigned n_workers, unsigned n_streams, uint64_t instance,
	const struct stats_port *ports, unsigned n_ports, int *fd)
{
	struct dp_stats_header h = {
		.magic = DP_STATS_MAGIC,
		.abi = DP_STATS_ABI,
		.instance = instance,
		.n_workers = n_workers,
		.n_streams = n_streams,
		.n_ports = n_ports,
		.n_drops = DP_DROP_COUNT,
	};
	struct dp_stats_header *m;

	lay_out(&h);
	*fd = memfd_create("sluice-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	m = *fd >= 0 ? map(*fd, h.size) : NULL;
	if (!m)
		return NULL;
	*m = h;
	write_names(m, ports, n_ports);
	return m;
}
