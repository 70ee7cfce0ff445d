// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_cookie.h"

#include "base/bytes.h"
#include "proto/halfsiphash.h"

enum { COOKIE_INPUT = 24 };

static uint32_t make(
	uint64_t key, const struct endpoint *peer, uint16_t local_port, uint32_t minute)
{
	uint8_t in[COOKIE_INPUT];
	uint32_t cookie;

	memcpy(in, peer->ip, 16);
	be16_put(in + 16, peer->port);
	be16_put(in + 18, local_port);
	be32_put(in + 20, minute);
	cookie = halfsiphash24(key, in, sizeof(in));
	return cookie ? cookie : 1; // 0 is what a caller sends that has none
}

static uint32_t minute_of(ts_us now)
{
	return (uint32_t)(now / (60 * (ts_us)TS_S));
}

uint32_t srt_cookie_make(
	const struct srt_cookie_key *k, const struct endpoint *peer, uint16_t local_port, ts_us now)
{
	return make(k->now, peer, local_port, minute_of(now));
}

bool srt_cookie_ok(const struct srt_cookie_key *k, const struct endpoint *peer, uint16_t local_port,
	ts_us now, uint32_t cookie)
{
	uint32_t minute = minute_of(now);

	return cookie == make(k->now, peer, local_port, minute) ||
	       cookie == make(k->now, peer, local_port, minute - 1) ||
	       cookie == make(k->before, peer, local_port, minute) ||
	       cookie == make(k->before, peer, local_port, minute - 1);
}
