#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Names of objects, of their contents and of sessions on the dataplane protocol (decisions B1,
// B12).

#include <stddef.h>
#include <stdint.h>

// The first 40 bits of the SHA-256 of an identity: a stream's name, a listener's "ADDR:PORT", a
// route's or source's "STREAM URL NODE". Never 0.
uint64_t dp_id(const char *identity);

// 64-bit hash of a content, never 0. Structs are hashed as they are: zero them before they are
// filled.
uint64_t dp_version(const void *content, size_t len);

// A session anywhere in the dataplane: {worker:8, slot:24, generation:32}, never 0.
typedef uint64_t session_key;

static inline session_key session_key_make(unsigned worker, unsigned slot, uint32_t generation)
{
	return (uint64_t)worker << 56 | (uint64_t)(slot & 0xffffff) << 32 | generation;
}

static inline unsigned session_key_worker(session_key k)
{
	return (unsigned)(k >> 56);
}

static inline unsigned session_key_slot(session_key k)
{
	return (unsigned)(k >> 32) & 0xffffff;
}

static inline uint32_t session_key_generation(session_key k)
{
	return (uint32_t)k;
}
