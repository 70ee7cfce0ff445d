#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Layout of the dataplane's shared counters: a memfd that sluice-dp hands out read-only with
// HELLO_R. Plain 64-bit words, each with one writing thread; readers take them with relaxed loads.
// Sections stand at the offsets the header gives, so that a reader of ABI N-1 finds its way.

#include <stdint.h>

#define DP_STATS_MAGIC 0x534c5354u // "SLST"
#define DP_STATS_ABI 1u
#define DP_STATS_DROPS_MAX 64u
#define DP_STATS_NAME 32u
#define DP_WORKERS_MAX 64u // six bits of an SRT socket id (decisions A13)
#define DP_SESSION_WORKER_SHIFT 24u
#define DP_SESSION_WORKER_MASK (DP_WORKERS_MAX - 1)
#define DP_STREAM_NAME 132u // 128 bytes, terminated

// Why packets die. Names are what CLI, JSON and metrics print.
#define DP_DROPS(X)                                                                               \
	X(NONE, "none")                                                                           \
	X(MALFORMED, "malformed")	      /* shorter or other than its protocol says */       \
	X(UNKNOWN_SESSION, "unknown_session") /* no session has this SRT socket id */             \
	X(WRONG_ADDRESS, "wrong_address")     /* right id, other source address */                \
	X(BAD_COOKIE, "bad_cookie")	      /* conclusion whose cookie we did not make */       \
	X(NOT_MEDIA, "not_media")	      /* neither RTP nor TS on a source */                \
	X(WRONG_SOURCE, "wrong_source")	      /* RTP of another SSRC than the pinned one */       \
	X(OVERSIZE, "oversize")		      /* payload larger than an SRT packet may carry */   \
	X(UNEXPECTED, "unexpected")	      /* data from a subscriber, ACK from a publisher, */ \
	X(UNDECRYPTABLE, "undecryptable")     /* under no key of the session */                   \
	X(DUPLICATE, "duplicate")                                                                 \
	X(LATE, "late")			/* came after it had been given up */                     \
	X(AHEAD, "ahead")		/* beyond the receive window */                           \
	X(LATE_INORDER, "late_inorder") /* missed its turn in an in-order egress */               \
	X(ARENA_FULL, "arena_full")	/* no frame, or a follower still reads the oldest */      \
	X(FORWARD_FULL, "forward_full") /* ring to another worker full */                         \
	X(PARK_FULL, "park_full")	/* conclusions waiting for admission: answered 1005 */    \
	X(TX_FULL, "tx_full")		/* socket buffer or ring full */                          \
	X(TX_ERROR, "tx_error")		/* refused by the kernel */                               \
	X(SOCKET_OVERFLOW, "socket_overflow") /* lost by the kernel before we read it */          \
	X(TRUNCATED, "truncated")	      /* larger than a receive buffer */                  \
	X(NO_STREAM, "no_stream")	      /* media for a stream that is going away */         \
	X(NAK_PENDING, "nak_pending")	/* asked for what we lack too: comes when it comes */     \
	X(NAK_REPEATED, "nak_repeated") /* repeated request suppressed */                         \
	X(NAK_BUDGET, "nak_budget")	/* over the repair budget */                              \
	X(NAK_LATE, "nak_late")		/* too late, or gone: DROPREQ */                          \
	X(OVERLOAD, "overload")		/* a limit is reached: refused with 2402 */               \
	X(REFUSED_REQUEST, "refused_request") /* 2400, 2405, 2001, 1004-1015: what it asks for */ \
	X(REFUSED_NAME, "refused_name")	      /* 2404: no such stream */                          \
	X(REFUSED_AUTH, "refused_auth")	      /* 2401: token or user */                           \
	X(REFUSED_ACCESS, "refused_access")   /* 2403: address, prefix, mode */                   \
	X(REFUSED_SECRET, "refused_secret")   /* 1010, 1011, 1017: passphrase or cipher */        \
	X(REFUSED_CONFLICT, "refused_conflict") /* 2409: the stream has a publisher */            \
	X(REFUSED_HOOK, "refused_hook")		/* 2424: the hook does not answer */              \
	X(REFUSED_OTHER, "refused_other")	/* the rest: draining, closing, media, path */    \
	X(BAD_HEADER, "bad_header")	  /* Ethernet, IP or UDP: cut short, or a fragment */     \
	X(BAD_CSUM, "bad_csum")		  /* IP or UDP checksum, where no kernel looks */         \
	X(NOT_OURS, "not_ours")		  /* to an address or UDP port that nothing serves */     \
	X(ACK_THINNED, "ack_thinned")	  /* full ACKs that the next one says as well */          \
	X(CLOSED_SILENT, "closed_silent") /* sessions that said nothing for 5 s */                \
	X(CLOSED_STUCK, "closed_stuck")	  /* subscribers that acknowledged nothing */             \
	X(CLOSED_GREEDY, "closed_greedy") /* and over their repair budget for too long */

enum dp_drop {
#define X(id, name) DP_DROP_##id,
	DP_DROPS(X)
#undef X
		DP_DROP_COUNT
};

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
