#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One worker on port mem with an SRT publisher and N SRT subscribers, to time its rounds.

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct path_bed;

// Regions of a freed bed stay mapped: a process makes a handful. suite: enum srt_suite, of every
// subscriber; shared: as targets that we call, under one key.
struct path_bed *path_bed_new(unsigned n_subscribers, unsigned suite, bool shared);
void path_bed_free(struct path_bed *b);

// Put n packets of 1316 bytes in front of the port, as the publisher's next.
void path_bed_load(struct path_bed *b, unsigned n);
// One round of the worker; returns the copies it sent since the last call.
uint64_t path_bed_turn(struct path_bed *b);

#ifdef __cplusplus
}
#endif
