#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/load.h"

// Print the run's report, JSON or text; returns what the role says of it.
bool report_print(struct load *l);

// {"min": .., "median": .., "max": ..} of n values, which are sorted in place.
json_t *report_spread(uint64_t *values, uint32_t n);
