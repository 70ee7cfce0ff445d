#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The dataplane's counters as they stand: one picture that status, lists, metrics and page use
// (decisions B13). Counters are read when somebody looks, rates once a second.

#include "base/ts.h"
#include "ctl/dp/dp_stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_stream {
	uint64_t id, slot_generation, publisher; // publisher: session key, 0: none, ~0: a source
	char name[DP_STREAM_NAME];
	bool declared;
	uint32_t state, format; // enum dp_stream_state, dp_stream_format
	uint64_t rx_packets, rx_bytes, lost_packets, recovered_packets, late_packets;
	uint64_t subscribers, tx_packets, tx_bytes, retransmitted_packets, dropped_packets;
	uint64_t rx_bitrate; // bits a second, over the last full second
	uint32_t slot;
};

struct live_worker {
	struct dp_stats_worker counters;
	double busy_ratio;
	uint64_t rx_pps, tx_pps; // over the last full second
};

struct snapshot {
	void *map; // NULL: no dataplane
	size_t size;
	const struct dp_stats_header *header;
	struct live_stream *streams; // sorted by name
	size_t n_streams;
	struct live_worker *workers;
	uint64_t subscribers;
	struct rate *rates; // by stream slot
	ts_us read_at, rated_at;
};

// Take the segment that came with HELLO_R; fd is closed. Returns 0, -EBADMSG when it is none of
// ours, or -errno.
int snapshot_map(struct snapshot *s, int fd);
// The dataplane is away: nothing is known.
void snapshot_unmap(struct snapshot *s);

// Read the counters anew if the picture is older than max_age.
void snapshot_read(struct snapshot *s, ts_us now, ts_us max_age);
// The next look reads anew, however old the picture may be.
void snapshot_expire(struct snapshot *s);
// Once a second: rates too.
void snapshot_tick(struct snapshot *s, ts_us now);

const struct live_stream *snapshot_stream(const struct snapshot *s, const char *name);
// The first stream behind `after` in name order (NULL: the first). NULL: no more.
const struct live_stream *snapshot_next(const struct snapshot *s, const char *after);

// How often what took how long, of all workers, as it stands now. False: nothing is known.
bool snapshot_hist(const struct snapshot *s, const struct live_stream *stream,
	enum dp_hist_kind kind, struct dp_hist *out);

unsigned snapshot_n_drops(const struct snapshot *s);
const char *snapshot_drop_name(const struct snapshot *s, unsigned reason);
uint64_t snapshot_drops(const struct snapshot *s, unsigned reason); // all workers
