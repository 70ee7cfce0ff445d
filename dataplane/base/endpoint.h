#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// An IP address and a UDP port. IPv4 addresses are kept v4-mapped (::ffff:a.b.c.d), so equality is
// one comparison of 18 bytes.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sockaddr_storage;

struct endpoint {
	uint8_t ip[16];
	uint16_t port; // host order
};

#define ENDPOINT_STRLEN 56

bool endpoint_is_v4(const struct endpoint *e);
bool endpoint_is_any(const struct endpoint *e);
bool endpoint_is_multicast(const struct endpoint *e);

static inline bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

// The four address bytes of an IPv4 endpoint, in host order.
uint32_t endpoint_v4(const struct endpoint *e);
struct endpoint endpoint_of_v4(uint32_t ip, uint16_t port);

// Parse an address without port: "10.0.0.1", "::1", "" (any IPv4). The port is left alone.
// Returns 0 or -EINVAL.
int endpoint_parse_ip(const char *s, struct endpoint *out);

// Parse "10.0.0.1:9000" or "[::1]:9000". Returns 0 or -EINVAL.
int endpoint_parse(const char *s, struct endpoint *out);

// Write "10.0.0.1:9000" or "[::1]:9000" into buf (at least ENDPOINT_STRLEN bytes); returns buf.
const char *endpoint_str(const struct endpoint *e, char *buf, size_t cap);
const char *endpoint_ip_str(const struct endpoint *e, char *buf, size_t cap);

// sockaddr of the endpoint's family; returns its length. And back: 0 or -EAFNOSUPPORT.
unsigned endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *out);
int endpoint_from_sockaddr(const struct sockaddr_storage *sa, struct endpoint *out);
