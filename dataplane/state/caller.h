#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A caller's conclusion is known by its address and its socket id.

#include "base/endpoint.h"
#include "proto/halfsiphash.h"

static inline uint32_t caller_hash(uint64_t key, const struct endpoint *peer, uint32_t caller_id)
{
	uint8_t in[22];

	memcpy(in, peer->ip, 16);
	memcpy(in + 16, &peer->port, 2);
	memcpy(in + 18, &caller_id, 4);
	return halfsiphash24(key, in, sizeof(in));
}
