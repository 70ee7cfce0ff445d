#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Names of objects and of their contents on the dataplane protocol (decisions B1, B12).

#include <stddef.h>
#include <stdint.h>

// The first 40 bits of the SHA-256 of an identity: a stream's name, a listener's "ADDR:PORT", a
// route's or source's "STREAM URL NODE". Never 0.
uint64_t dp_id(const char *identity);

// 64-bit hash of a content, never 0. Structs are hashed as they are: zero them before they are
// filled.
uint64_t dp_version(const void *content, size_t len);
