#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A worker with an SRT publisher and N SRT subscribers, to time its rounds. Beyond what one worker
// can hold there are several, each with a stream of its own, served in turn by the one core.

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct path_bed;

struct path_bed_opts {
	unsigned n_subscribers;
	const char *device; // of port dpdk, to be sent by; NULL: port mem
	unsigned suite;	    // enum srt_suite, of every subscriber
	bool shared;	    // as targets that we call, under one key
	bool secret;	    // of the publisher, too: its packets come under that suite
	bool passes;	    // the targets have its passphrase, and get what it has encrypted
	bool v6;
};

// The memory of a freed bed goes back but for its ports' devices.
struct path_bed *path_bed_new(const struct path_bed_opts *o);
void path_bed_free(struct path_bed *b);

// Put n (at most 16) packets of 1316 bytes in front of every worker, as its publisher's next.
void path_bed_load(struct path_bed *b, unsigned n);
// One round of every worker; returns the copies they sent.
uint64_t path_bed_turn(struct path_bed *b);

// Put a report of `lost` packets, each alone, in front of the worker, from each of n subscribers:
// the packets are all in the history. Before path_bed_turn(), of one worker only.
void path_bed_load_naks(struct path_bed *b, unsigned n, unsigned lost);

// Bytes of this process's memory that are in use, hugepages included.
uint64_t path_bed_memory(void);

#ifdef __cplusplus
}
#endif
