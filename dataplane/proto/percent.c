// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/percent.h"

#include <string.h>

// -1: not a hex digit.
static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

int percent_decode(const char *s, size_t len, char *out, size_t cap, size_t *out_len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (c == '%' && len - i > 2 && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			c = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
			i += 2;
		}
		if (is_control(c) || n + 1 >= cap)
			return -1;
		out[n++] = c;
	}
	if (n >= cap)
		return -1;
	out[n] = '\0';
	if (out_len)
		*out_len = n;
	return 0;
}

int percent_append(char *buf, size_t cap, const char *s)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = strlen(buf);

	for (; *s; s++) {
		bool plain = *s > ' ' && *s < 0x7f && *s != '%' && *s != '&';

		if (n + (plain ? 1 : 3) >= cap)
			return -1;
		if (plain) {
			buf[n++] = *s;
		} else {
			buf[n++] = '%';
			buf[n++] = digits[(unsigned char)*s >> 4];
			buf[n++] = digits[*s & 15];
		}
		buf[n] = '\0';
	}
	return 0;
}
