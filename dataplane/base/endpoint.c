// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool endpoint_is_v4(const struct endpoint *e)
{
	return !memcmp(e->ip, v4_prefix, sizeof(v4_prefix));
}

bool endpoint_is_any(const struct endpoint *e)
{
	static const uint8_t zero[16];

	return endpoint_is_v4(e) ? !endpoint_v4(e) : !memcmp(e->ip, zero, sizeof(zero));
}

bool endpoint_is_multicast(const struct endpoint *e)
{
	return endpoint_is_v4(e) ? (e->ip[12] & 0xf0) == 0xe0 : e->ip[0] == 0xff;
}

uint32_t endpoint_v4(const struct endpoint *e)
{
	return (uint32_t)e->ip[12] << 24 | (uint32_t)e->ip[13] << 16 | (uint32_t)e->ip[14] << 8 |
	       e->ip[15];
}

struct endpoint endpoint_of_v4(uint32_t ip, uint16_t port)
{
	struct endpoint e = {.port = port};

	memcpy(e.ip, v4_prefix, sizeof(v4_prefix));
	e.ip[12] = (uint8_t)(ip >> 24);
	e.ip[13] = (uint8_t)(ip >> 16);
	e.ip[14] = (uint8_t)(ip >> 8);
	e.ip[15] = (uint8_t)ip;
	return e;
}

int endpoint_parse_ip(const char *s, struct endpoint *out)
{
	struct in_addr v4;

	if (!*s || inet_pton(AF_INET, s, &v4) == 1) {
		*out = endpoint_of_v4(*s ? ntohl(v4.s_addr) : 0, out->port);
		return 0;
	}
	return inet_pton(AF_INET6, s, out->ip) == 1 ? 0 : -EINVAL;
}

static int port_parse(const char *s, uint16_t *port)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	v = strtoul(s, &end, 10);
	if (*end || v > 65535)
		return -EINVAL;
	*port = (uint16_t)v;
	return 0;
}

int endpoint_parse(const char *s, struct endpoint *out)
{
	const char *colon = strrchr(s, ':');
	struct endpoint e = {0};
	char ip[ENDPOINT_STRLEN];
	size_t len;

	if (!colon)
		return -EINVAL;
	len = (size_t)(colon - s);
	if (len >= 2 && s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	} else if (memchr(s, ':', len)) {
		return -EINVAL;
	}
	if (len >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, s, len);
	ip[len] = '\0';
	if (port_parse(colon + 1, &e.port) || endpoint_parse_ip(ip, &e))
		return -EINVAL;
	*out = e;
	return 0;
}

const char *endpoint_ip_str(const struct endpoint *e, char *buf, size_t cap)
{
	bool v4 = endpoint_is_v4(e);

	return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? e->ip + 12 : e->ip, buf, (socklen_t)cap);
}

const char *endpoint_str(const struct endpoint *e, char *buf, size_t cap)
{
	char ip[ENDPOINT_STRLEN];

	endpoint_ip_str(e, ip, sizeof(ip));
	snprintf(buf, cap, endpoint_is_v4(e) ? "%s:%u" : "[%s]:%u", ip, e->port);
	return buf;
}

unsigned endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	if (endpoint_is_v4(e)) {
		*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(e->port)};
		memcpy(&v4->sin_addr, e->ip + 12, 4);
		return sizeof(*v4);
	}
	*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
	memcpy(&v6->sin6_addr, e->ip, 16);
	return sizeof(*v6);
}

int endpoint_from_sockaddr(const struct sockaddr_storage *sa, struct endpoint *out)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;

	if (sa->ss_family == AF_INET) {
		*out = endpoint_of_v4(ntohl(v4->sin_addr.s_addr), ntohs(v4->sin_port));
		return 0;
	}
	if (sa->ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(out->ip, &v6->sin6_addr, 16);
	out->port = ntohs(v6->sin6_port);
	return 0;
}
