#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Bounds-checked cursors over network bytes. A read or write past the end sets a sticky error and
// yields zero; check bytes_ok() once, after the last field.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

struct bytes_out {
	uint8_t *start;
	uint8_t *at;
	uint8_t *end;
	bool failed;
};

static inline uint16_t be16_get(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32_get(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline void be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be32_put(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

static inline struct bytes bytes_of(const uint8_t *data, size_t len)
{
	return (struct bytes){.at = data, .end = data + len};
}

static inline size_t bytes_left(const struct bytes *b)
{
	return b->failed ? 0 : (size_t)(b->end - b->at);
}

static inline bool bytes_ok(const struct bytes *b)
{
	return !b->failed;
}

// Step over n bytes. Returns their start, or NULL (and the sticky error) when fewer are left.
static inline const uint8_t *bytes_skip(struct bytes *b, size_t n)
{
	const uint8_t *p = b->at;

	if (n > bytes_left(b)) {
		b->failed = true;
		return NULL;
	}
	b->at += n;
	return p;
}

static inline uint8_t bytes_u8(struct bytes *b)
{
	const uint8_t *p = bytes_skip(b, 1);

	return p ? p[0] : 0;
}

static inline uint16_t bytes_u16(struct bytes *b)
{
	const uint8_t *p = bytes_skip(b, 2);

	return p ? be16_get(p) : 0;
}

static inline uint32_t bytes_u32(struct bytes *b)
{
	const uint8_t *p = bytes_skip(b, 4);

	return p ? be32_get(p) : 0;
}

static inline struct bytes_out bytes_out_of(uint8_t *buf, size_t cap)
{
	return (struct bytes_out){.start = buf, .at = buf, .end = buf + cap};
}

static inline size_t bytes_out_len(const struct bytes_out *b)
{
	return b->failed ? 0 : (size_t)(b->at - b->start);
}

// Make room for n bytes. Returns their start, or NULL (and the sticky error) when they do not fit.
static inline uint8_t *bytes_room(struct bytes_out *b, size_t n)
{
	uint8_t *p = b->at;

	if (b->failed || n > (size_t)(b->end - b->at)) {
		b->failed = true;
		return NULL;
	}
	b->at += n;
	return p;
}

static inline void bytes_put_u8(struct bytes_out *b, uint8_t v)
{
	uint8_t *p = bytes_room(b, 1);

	if (p)
		p[0] = v;
}

static inline void bytes_put_u16(struct bytes_out *b, uint16_t v)
{
	uint8_t *p = bytes_room(b, 2);

	if (p)
		be16_put(p, v);
}

static inline void bytes_put_u32(struct bytes_out *b, uint32_t v)
{
	uint8_t *p = bytes_room(b, 4);

	if (p)
		be32_put(p, v);
}

static inline void bytes_put(struct bytes_out *b, const void *src, size_t n)
{
	uint8_t *p = bytes_room(b, n);

	if (p && n)
		memcpy(p, src, n);
}
