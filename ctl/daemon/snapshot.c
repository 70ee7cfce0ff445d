// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// What a slot's counters were when rates were last made.
struct rate {
	uint64_t generation, rx_bytes, bitrate;
	uint64_t busy_ns, wall_ns; // of the worker with this index, and all below
	double busy_ratio;
	uint64_t rx_packets, tx_packets, rx_pps, tx_pps;
};

#define LOAD(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

static const void *section(const struct snapshot *s, uint64_t offset)
{
	return (const char *)s->map + offset;
}

static bool fits(const struct snapshot *s, uint64_t offset, uint64_t n, uint64_t size)
{
	return offset <= s->size && n <= (s->size - offset) / size;
}

static bool is_ours(const struct snapshot *s)
{
	const struct dp_stats_header *h = s->map;

	return s->size >= sizeof(*h) && h->magic == DP_STATS_MAGIC && h->abi == DP_STATS_ABI &&
	       h->n_drops <= DP_STATS_DROPS_MAX && h->n_workers <= DP_WORKERS_MAX &&
	       fits(s, h->off_drop_names, h->n_drops, DP_STATS_NAME) &&
	       fits(s, h->off_workers, h->n_workers, sizeof(struct dp_stats_worker)) &&
	       fits(s, h->off_streams, h->n_streams, sizeof(struct dp_stats_stream)) &&
	       fits(s, h->off_stream_tx, (uint64_t)h->n_workers * h->n_streams,
		       sizeof(struct dp_stats_stream_tx)) &&
	       fits(s, h->off_hists, h->off_hists ? (uint64_t)h->n_workers * h->n_streams : 0,
		       sizeof(struct dp_stats_hists)) &&
	       fits(s, h->off_ports, h->n_ports, sizeof(struct dp_stats_port));
}

static int map_fd(struct snapshot *s, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	s->size = (size_t)st.st_size;
	s->map = mmap(NULL, s->size, PROT_READ, MAP_SHARED, fd, 0);
	if (s->map == MAP_FAILED) {
		s->map = NULL;
		return -errno;
	}
	if (!is_ours(s))
		return -EBADMSG;
	s->header = s->map;
	s->streams = calloc(s->header->n_streams + 1, sizeof(*s->streams));
	s->workers = calloc(s->header->n_workers + 1, sizeof(*s->workers));
	s->rates = calloc(s->header->n_streams + DP_WORKERS_MAX, sizeof(*s->rates));
	return s->streams && s->workers && s->rates ? 0 : -ENOMEM;
}

int snapshot_map(struct snapshot *s, int fd)
{
	int rc;

	snapshot_unmap(s);
	rc = map_fd(s, fd);
	close(fd);
	if (rc)
		snapshot_unmap(s);
	return rc;
}

void snapshot_unmap(struct snapshot *s)
{
	if (s->map)
		munmap(s->map, s->size);
	free(s->streams);
	free(s->workers);
	free(s->rates);
	*s = (struct snapshot){0};
}

static void add_tx(const struct snapshot *s, uint32_t slot, struct live_stream *out)
{
	const struct dp_stats_stream_tx *tx = section(s, s->header->off_stream_tx);

	for (uint32_t w = 0; w < s->header->n_workers; w++) {
		const struct dp_stats_stream_tx *t = &tx[(size_t)w * s->header->n_streams + slot];

		out->subscribers += LOAD(t->subscribers);
		out->tx_packets += LOAD(t->tx_packets);
		out->tx_bytes += LOAD(t->tx_bytes);
		out->retransmitted_packets += LOAD(t->retransmitted_packets);
		out->dropped_packets += LOAD(t->dropped_packets);
	}
}

// Copy a slot. False when it is free, or was given to another stream meanwhile.
static bool read_slot(const struct snapshot *s, uint32_t slot, struct live_stream *out)
{
	const struct dp_stats_stream *all = section(s, s->header->off_streams), *t = &all[slot];
	uint64_t generation = __atomic_load_n(&t->generation, __ATOMIC_ACQUIRE);

	if (!(generation & 1))
		return false;
	*out = (struct live_stream){.slot_generation = generation,
		.id = t->id,
		.slot = slot,
		.declared = t->declared,
		.state = LOAD(t->state),
		.format = LOAD(t->format),
		.publisher = LOAD(t->publisher),
		.rx_packets = LOAD(t->rx_packets),
		.rx_bytes = LOAD(t->rx_bytes),
		.lost_packets = LOAD(t->lost_packets),
		.recovered_packets = LOAD(t->recovered_packets),
		.late_packets = LOAD(t->late_packets)};
	memcpy(out->name, t->name, sizeof(out->name) - 1);
	add_tx(s, slot, out);
	if (s->rates[slot].generation == generation)
		out->rx_bitrate = s->rates[slot].bitrate;
	return __atomic_load_n(&t->generation, __ATOMIC_ACQUIRE) == generation;
}

bool snapshot_hist(const struct snapshot *s, const struct live_stream *stream,
	enum dp_hist_kind kind, struct dp_hist *out)
{
	*out = (struct dp_hist){0};
	if (!s->map || !s->header->off_hists)
		return false;
	for (uint32_t w = 0; w < s->header->n_workers; w++) {
		const struct dp_stats_hists *all = section(s, s->header->off_hists);
		const struct dp_hist *h =
			&all[(size_t)w * s->header->n_streams + stream->slot].of[kind];

		out->sum_us += LOAD(h->sum_us);
		for (unsigned i = 0; i < DP_HIST_BUCKETS; i++)
			out->buckets[i] += LOAD(h->buckets[i]);
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct live_stream *)a)->name, ((const struct live_stream *)b)->name);
}

static void read_all(struct snapshot *s)
{
	const struct dp_stats_worker *workers = section(s, s->header->off_workers);

	s->n_streams = 0;
	s->subscribers = 0;
	for (uint32_t i = 0; i < s->header->n_streams; i++)
		if (read_slot(s, i, &s->streams[s->n_streams]))
			s->subscribers += s->streams[s->n_streams++].subscribers;
	if (s->n_streams)
		qsort(s->streams, s->n_streams, sizeof(*s->streams), by_name);
	for (uint32_t w = 0; w < s->header->n_workers; w++) {
		s->workers[w].counters = workers[w];
		s->workers[w].busy_ratio = s->rates[w].busy_ratio;
		s->workers[w].rx_pps = s->rates[w].rx_pps;
		s->workers[w].tx_pps = s->rates[w].tx_pps;
	}
}

void snapshot_read(struct snapshot *s, ts_us now, ts_us max_age)
{
	if (!s->map || (s->read_at && now - s->read_at < max_age))
		return;
	s->read_at = now;
	read_all(s);
}

void snapshot_expire(struct snapshot *s)
{
	s->read_at = 0;
}

static void rate_streams(struct snapshot *s, ts_us dt)
{
	const struct dp_stats_stream *all = section(s, s->header->off_streams);

	for (uint32_t i = 0; i < s->header->n_streams; i++) {
		uint64_t generation = __atomic_load_n(&all[i].generation, __ATOMIC_ACQUIRE);
		uint64_t bytes = LOAD(all[i].rx_bytes);
		struct rate *r = &s->rates[i];

		r->bitrate = dt && r->generation == generation && bytes >= r->rx_bytes
				     ? (bytes - r->rx_bytes) * 8 * TS_S / dt
				     : 0;
		r->generation = generation;
		r->rx_bytes = bytes;
	}
}

static uint64_t per_second(uint64_t now, uint64_t before, ts_us dt)
{
	return dt && now > before ? (now - before) * TS_S / dt : 0;
}

static void rate_workers(struct snapshot *s, ts_us dt)
{
	const struct dp_stats_worker *all = section(s, s->header->off_workers);

	for (uint32_t w = 0; w < s->header->n_workers; w++) {
		uint64_t busy = LOAD(all[w].busy_ns), wall = LOAD(all[w].wall_ns);
		uint64_t rx = LOAD(all[w].rx_packets), tx = LOAD(all[w].tx_packets);
		struct rate *r = &s->rates[w];

		// An idle worker sleeps up to a second: no wall time, no busy time.
		r->busy_ratio = wall > r->wall_ns
					? (double)(busy - r->busy_ns) / (double)(wall - r->wall_ns)
					: 0;
		if (r->busy_ratio > 1)
			r->busy_ratio = 1;
		r->busy_ns = busy;
		r->wall_ns = wall;
		r->rx_pps = per_second(rx, r->rx_packets, dt);
		r->tx_pps = per_second(tx, r->tx_packets, dt);
		r->rx_packets = rx;
		r->tx_packets = tx;
	}
}

void snapshot_tick(struct snapshot *s, ts_us now)
{
	ts_us dt = s->rated_at ? now - s->rated_at : 0;

	if (!s->map)
		return;
	rate_streams(s, dt);
	rate_workers(s, dt);
	s->rated_at = now;
	snapshot_read(s, now, 0);
}

// Index of the first stream whose name is not less than `name`.
static size_t place_of(const struct snapshot *s, const char *name)
{
	size_t from = 0, to = s->n_streams;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (strcmp(s->streams[mid].name, name) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

const struct live_stream *snapshot_stream(const struct snapshot *s, const char *name)
{
	size_t at = place_of(s, name);

	return at < s->n_streams && !strcmp(s->streams[at].name, name) ? &s->streams[at] : NULL;
}

const struct live_stream *snapshot_next(const struct snapshot *s, const char *after)
{
	size_t at = after ? place_of(s, after) : 0;

	if (after && at < s->n_streams && !strcmp(s->streams[at].name, after))
		at++;
	return at < s->n_streams ? &s->streams[at] : NULL;
}

unsigned snapshot_n_drops(const struct snapshot *s)
{
	return s->map ? s->header->n_drops : 0;
}

const char *snapshot_drop_name(const struct snapshot *s, unsigned reason)
{
	return (const char *)section(s, s->header->off_drop_names) + (size_t)reason * DP_STATS_NAME;
}

uint64_t snapshot_drops(const struct snapshot *s, unsigned reason)
{
	uint64_t n = 0;

	for (uint32_t w = 0; w < s->header->n_workers; w++)
		n += s->workers[w].counters.drops[reason];
	return n;
}
