// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/target.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int expand(const char *text, uint32_t index, char *out, size_t cap)
{
	size_t n = 0;

	while (*text) {
		if (text[0] == '%' && text[1] == 'd') {
			n += (size_t)snprintf(out + n, cap - n, "%u", index);
			text += 2;
		} else {
			out[n++] = *text++;
		}
		if (n + 1 >= cap)
			return -EINVAL;
	}
	out[n] = '\0';
	return 0;
}

int target_url(
	const char *text, uint32_t index, unsigned schemes, struct url *out, char *err, size_t cap)
{
	char one[URL_MAX + 2];
	int rc;

	if (expand(text, index, one, sizeof(one))) {
		snprintf(err, cap, "the URL is too long");
		return -EINVAL;
	}
	rc = url_parse(one, out, err, cap);
	if (!rc && !(out->scheme & schemes)) {
		snprintf(err, cap, "this takes %s URLs",
			schemes == URL_SRT ? "srt://" : "udp:// and rtp://");
		rc = -EINVAL;
	}
	return rc;
}

int target_resolve(const struct url *u, struct endpoint *out, char *err, size_t cap)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *found;
	struct sockaddr_storage sa = {0};
	int rc;

	*out = u->at;
	if (u->literal) {
		if (endpoint_is_any(out))
			*out = endpoint_of_v4(0x7f000001, u->at.port);
		return 0;
	}
	rc = getaddrinfo(u->host, NULL, &hints, &found);
	if (rc) {
		snprintf(err, cap, "%s: %s", u->host, gai_strerror(rc));
		return -EINVAL;
	}
	memcpy(&sa, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (endpoint_from_sockaddr(&sa, out))
		return -EINVAL;
	out->port = u->at.port;
	return 0;
}
