#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Layout of the dataplane's shared counters: a memfd that sluice-dp hands out read-only with
// HELLO_R. Plain 64-bit words, each with one writing thread; readers take them with relaxed loads.
// Sections stand at the offsets the header gives, so that a reader of ABI N-1 finds its way.

#include "ctl/dp/dp_drops.h"

#include <stdint.h>

#define DP_STATS_MAGIC 0x534c5354u // "SLST"
#define DP_STATS_ABI 1u
#define DP_STATS_DROPS_MAX 64u
#define DP_STATS_NAME 32u
#define DP_WORKERS_MAX 64u // six bits of an SRT socket id (decisions A13)
#define DP_SESSION_WORKER_SHIFT 24u
#define DP_SESSION_WORKER_MASK (DP_WORKERS_MAX - 1)
#define DP_STREAM_NAME 132u // 128 bytes, terminated

// What a stream carries, known from its first packet on.
enum dp_stream_format {
	DP_FORMAT_UNKNOWN,
	DP_FORMAT_TS,	  // MPEG-TS over SRT or UDP
	DP_FORMAT_RTP_TS, // MPEG-TS that came as RTP
	DP_FORMAT_RTP,	  // any other RTP
	DP_FORMAT_RAW,	  // anything else
};

enum dp_stream_state { DP_STREAM_IDLE, DP_STREAM_LIVE, DP_STREAM_STALLED };

struct dp_stats_header {
	uint32_t magic, abi;
	uint64_t size;
	uint64_t instance;
	uint32_t n_workers, n_streams, n_ports, n_drops;
	uint64_t off_drop_names; // n_drops names of DP_STATS_NAME bytes
	uint64_t off_workers;	 // n_workers x dp_stats_worker
	uint64_t off_streams;	 // n_streams x dp_stats_stream
	uint64_t off_stream_tx;	 // n_workers x n_streams x dp_stats_stream_tx
	uint64_t off_ports;	 // n_ports x dp_stats_port
	uint64_t off_hists;	 // n_workers x n_streams x dp_stats_hists; 0: there are none
};

// Written by its worker.
struct dp_stats_worker {
	uint32_t id;
	int32_t core;		   // -1: not pinned
	uint64_t heartbeat;	   // rounds; moves at least once a second
	uint64_t busy_ns, wall_ns; // busy_ratio = differences' quotient
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t frames_used, sessions;
	uint64_t handshakes; // inductions answered
	uint64_t joins, rejects;
	uint64_t forwarded; // packets handed to another worker
	uint64_t drops[DP_STATS_DROPS_MAX];
};

// Written by the stream's owner worker, but for the first line, which control writes: a slot is
// in use when generation is odd.
struct dp_stats_stream {
	uint64_t generation;
	uint64_t id; // object id; of an undeclared stream the same hash of its name
	uint32_t declared;
	uint32_t owner; // worker
	char name[DP_STREAM_NAME];
	uint32_t state;	    // enum dp_stream_state
	uint64_t publisher; // session key {worker:8, slot:24, generation:32}; 0: none
	uint64_t rx_packets, rx_bytes, lost_packets, recovered_packets, late_packets;
	uint64_t last_rx_us; // CLOCK_MONOTONIC
	uint32_t format;     // enum dp_stream_format
	uint32_t payload;    // bytes of the largest packet's payload lately; 0: nothing came
};

// One worker's deliveries for one stream.
struct dp_stats_stream_tx {
	uint64_t subscribers; // now
	uint64_t tx_packets, tx_bytes, retransmitted_packets, dropped_packets;
};

// Durations by size: two buckets an octave, from 250 us to 8 s, and what is longer.
#define DP_HIST_BUCKETS 32u
#define DP_HIST_LEAST_US 250u

struct dp_hist {
	uint64_t sum_us;
	uint64_t buckets[DP_HIST_BUCKETS];
};

enum dp_hist_kind {
	DP_HIST_PUBLISHER_RTT,
	DP_HIST_SUBSCRIBER_RTT,
	DP_HIST_RECOVERY, // from when a lost packet would have come until it came
	DP_HIST_KINDS,
};

// One worker's for one stream.
struct dp_stats_hists {
	struct dp_hist of[DP_HIST_KINDS];
};

// The longest that bucket i counts; of the last one: all the rest.
static inline uint64_t dp_hist_bound_us(unsigned i)
{
	uint64_t octave = (uint64_t)DP_HIST_LEAST_US << i / 2;

	return i == DP_HIST_BUCKETS - 1 ? UINT64_MAX : i & 1 ? octave + octave / 2 : octave;
}

static inline unsigned dp_hist_bucket(uint64_t us)
{
	unsigned octave, i;

	if (us <= DP_HIST_LEAST_US)
		return 0;
	octave = 63u - (unsigned)__builtin_clzll((us - 1) / DP_HIST_LEAST_US);
	i = 2 * octave + (us > dp_hist_bound_us(2 * octave + 1) ? 2 : 1);
	return i < DP_HIST_BUCKETS ? i : DP_HIST_BUCKETS - 1;
}

struct dp_stats_port {
	char name[DP_STATS_NAME], kind[DP_STATS_NAME], mode[DP_STATS_NAME];
};
