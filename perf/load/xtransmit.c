// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/xtransmit.h"

#include <openssl/evp.h>

#include <string.h>
#include <time.h>

enum {
	NUMBER_AT = 0,
	SYSTEM_AT = 8,
	MONOTONIC_AT = 16,
	LENGTH_AT = 32,
	MD5_AT = 40,
	MD5_LEN = 16,
	FILL_AT = MD5_AT + MD5_LEN,
};

static void put(uint8_t *out, unsigned at, uint64_t v)
{
	memcpy(out + at, &v, sizeof(v));
}

static uint64_t get(const uint8_t *data, unsigned at)
{
	uint64_t v;

	memcpy(&v, data + at, sizeof(v));
	return v;
}

static void md5(const uint8_t *data, size_t len, uint8_t out[MD5_LEN])
{
	uint8_t hole[PAYLOAD_LEN];

	memcpy(hole, data, MD5_AT);
	memcpy(hole + MD5_AT, data + FILL_AT, len - FILL_AT);
	EVP_Digest(hole, len - MD5_LEN, out, NULL, EVP_md5(), NULL);
}

// The system clock's time at a moment of the monotonic one: the same each time a payload is made
// anew, as long as nobody sets the clock meanwhile.
static uint64_t system_us(ts_us monotonic)
{
	static uint64_t offset;
	struct timespec t;

	if (!offset) {
		clock_gettime(CLOCK_REALTIME, &t);
		offset = (uint64_t)t.tv_sec * TS_S + (uint64_t)t.tv_nsec / 1000 - ts_now();
	}
	return monotonic + offset;
}

void xtransmit_make(const struct payload *p, uint8_t out[PAYLOAD_LEN])
{
	for (unsigned i = 0; i < PAYLOAD_LEN; i++)
		out[i] = (uint8_t)(i + p->n);
	memset(out, 0, FILL_AT);
	put(out, NUMBER_AT, p->n);
	put(out, SYSTEM_AT, system_us(p->sent));
	put(out, MONOTONIC_AT, p->sent);
	put(out, LENGTH_AT, PAYLOAD_LEN);
	md5(out, PAYLOAD_LEN, out + MD5_AT);
}

int xtransmit_check(const uint8_t *data, size_t len, struct payload *out)
{
	uint8_t sum[MD5_LEN];

	if (len < FILL_AT || len > PAYLOAD_LEN)
		return PAYLOAD_FOREIGN;
	md5(data, len, sum);
	if (get(data, LENGTH_AT) != len || memcmp(sum, data + MD5_AT, MD5_LEN) != 0)
		return PAYLOAD_CORRUPT;
	*out = (struct payload){.n = get(data, NUMBER_AT), .sent = get(data, MONOTONIC_AT)};
	return 0;
}
