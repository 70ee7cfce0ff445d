#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Checks of meaning for the resource table: stream names, the URLs of listeners, sources and
// routes, who may come in, by the parsers that the dataplane uses (proto/): one rule for a name,
// not two.
//
// Each returns 0, or -EINVAL and one sentence in err.

#include <stddef.h>

#define RESOURCE_STREAM_MAX 128	    // bytes of a stream name
#define RESOURCE_USER_MAX 63	    // bytes of a user's name
#define RESOURCE_PASSPHRASE_MIN 10  // bytes, as libsrt takes them;
#define RESOURCE_PASSPHRASE_MAX 80  // its documents say 79 (decisions A26)
#define RESOURCE_TTL_S_MAX 31536000 // of a token: a year

int resource_check_stream(const char *text, char *err, size_t cap);
int resource_check_listener_url(const char *text, char *err, size_t cap);
int resource_check_source_url(const char *text, char *err, size_t cap);
int resource_check_route_url(const char *text, char *err, size_t cap);
int resource_check_hook(const char *text, char *err, size_t cap);
int resource_check_user(const char *text, char *err, size_t cap);
int resource_check_prefix(const char *text, char *err, size_t cap);
int resource_check_range(const char *text, char *err, size_t cap);   // "10.0.0.0/8"
int resource_check_rule(const char *text, char *err, size_t cap);    // "allow 10.0.0.0/8"
int resource_check_dialect(const char *text, char *err, size_t cap); // of stream ids: "srs"

// Never repeats it.
int resource_check_passphrase(const char *text, char *err, size_t cap);
