#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/load.h"

// One line of JSON while it runs: time, sessions up, packets so far.
void report_progress(const struct load *l, ts_us now);

// Print the run's report, JSON or text; returns what the role says of it.
bool report_print(struct load *l);

// {"min": .., "median": .., "max": ..} of n values, which are sorted in place.
json_t *report_spread(uint64_t *values, uint32_t n);

// {"n": .., "min": .., "mean": .., "p50": .., .., "max": ..}, or null when there is none.
void report_put_hist(json_t *out, const char *key, const struct hist *h);

// What receivers measured: latency_us, first_copy_us, last_copy_us. True.
bool report_put_meter(struct load *l, json_t *out);

// How senders kept their rate: lag_us, kept_rate. False, and a sentence, when they did not.
bool report_put_sending(const struct load *l, json_t *out);
