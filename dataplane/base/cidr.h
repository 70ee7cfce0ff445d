#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A range of IP addresses: "10.0.0.0/8", "2001:db8::/32", a single address. IPv4 is kept v4-mapped
// as in endpoints, so that one comparison serves both.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cidr {
	uint8_t ip[16]; // bits behind the prefix are 0
	uint8_t bits;	// of 128: a /24 of IPv4 is 120
};

#define CIDR_STRLEN 60

// Returns 0 or -EINVAL: no address, a prefix longer than the address, bits set behind the prefix
// (10.0.0.1/8 is more likely a slip than 10.0.0.0/8).
int cidr_parse(const char *text, struct cidr *out);

// The one spelling: a single address without its /32 or /128. Returns buf, of CIDR_STRLEN bytes.
const char *cidr_str(const struct cidr *c, char *buf, size_t cap);

bool cidr_holds(const struct cidr *c, const uint8_t ip[16]);

// The network that an address counts as one of where callers have shares of something: what one
// customer is usually given. IPv4 a /24, IPv6 a /56.
struct cidr cidr_source(const uint8_t ip[16]);
