// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/dp/dp_id.h"

#include <openssl/sha.h>

#include <string.h>

static uint64_t hash(const void *data, size_t len, unsigned bytes)
{
	uint8_t d[SHA256_DIGEST_LENGTH];
	uint64_t v = 0;

	SHA256(data, len, d);
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | d[i];
	return v ? v : 1;
}

uint64_t dp_id(const char *identity)
{
	return hash(identity, strlen(identity), 5);
}

uint64_t dp_version(const void *content, size_t len)
{
	return hash(content, len, 8);
}
