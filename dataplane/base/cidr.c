// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/cidr.h"

#include "base/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define V4_BITS 96u // of ::ffff:0:0/96

// The bits of byte i that a prefix covers.
static uint8_t mask_at(unsigned bits, unsigned i)
{
	if (bits >= 8 * i + 8)
		return 0xff;
	return bits <= 8 * i ? 0 : (uint8_t)(0xff00 >> (bits - 8 * i));
}

static int prefix_parse(const char *text, unsigned max, unsigned *bits)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9' || (*text == '0' && text[1]))
		return -EINVAL;
	v = strtoul(text, &end, 10);
	if (*end || v > max)
		return -EINVAL;
	*bits = (unsigned)v;
	return 0;
}

int cidr_parse(const char *text, struct cidr *out)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct endpoint e = {0};
	char ip[ENDPOINT_STRLEN];
	unsigned bits, base;

	if (!len || len >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (endpoint_parse_ip(ip, &e))
		return -EINVAL;
	base = strchr(ip, ':') ? 0 : V4_BITS;
	bits = 128 - base;
	if (slash && prefix_parse(slash + 1, bits, &bits))
		return -EINVAL;
	bits += base;
	for (unsigned i = 0; i < 16; i++)
		if (e.ip[i] & (uint8_t)~mask_at(bits, i))
			return -EINVAL;
	memcpy(out->ip, e.ip, sizeof(out->ip));
	out->bits = (uint8_t)bits;
	return 0;
}

const char *cidr_str(const struct cidr *c, char *buf, size_t cap)
{
	struct endpoint e = {0};
	char ip[ENDPOINT_STRLEN];
	bool v4;

	memcpy(e.ip, c->ip, sizeof(e.ip));
	v4 = endpoint_is_v4(&e) && c->bits >= V4_BITS;
	endpoint_ip_str(&e, ip, sizeof(ip));
	if (c->bits == 128)
		snprintf(buf, cap, "%s", ip);
	else
		snprintf(buf, cap, "%s/%u", ip, c->bits - (v4 ? V4_BITS : 0));
	return buf;
}

bool cidr_holds(const struct cidr *c, const uint8_t ip[16])
{
	unsigned different = 0;

	for (unsigned i = 0; i < 16; i++)
		different |= (c->ip[i] ^ ip[i]) & mask_at(c->bits, i);
	return !different;
}

struct cidr cidr_source(const uint8_t ip[16])
{
	struct cidr c = {.bits = 56};
	struct endpoint e = {0};

	memcpy(e.ip, ip, sizeof(e.ip));
	if (endpoint_is_v4(&e))
		c.bits = V4_BITS + 24;
	for (unsigned i = 0; i < 16; i++)
		c.ip[i] = ip[i] & mask_at(c.bits, i);
	return c;
}
