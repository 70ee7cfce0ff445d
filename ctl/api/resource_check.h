#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Checks of meaning for the resource table: stream names and the URLs of listeners, sources and
// routes, by the parsers that the dataplane uses (proto/): one rule for a name, not two.
//
// Each returns 0, or -EINVAL and one sentence in err.

#include <stddef.h>

#define RESOURCE_STREAM_MAX 128 // bytes of a stream name

int resource_check_stream(const char *text, char *err, size_t cap);
int resource_check_listener_url(const char *text, char *err, size_t cap);
int resource_check_source_url(const char *text, char *err, size_t cap);
int resource_check_route_url(const char *text, char *err, size_t cap);
