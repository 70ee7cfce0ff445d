// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A stream id as it may be told: to logs, to operators. What may be a password or signs a token is
// starred, and what could move a terminal's cursor is spelled out.

#include "proto/streamid_priv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define STARS "***"
#define TOKEN_DOTS 5u // of a token of ours: all but what is behind the last names it (B9)

struct shown {
	char *buf;
	size_t cap, at;
	bool full;
};

// All of it or nothing, and room is kept for the end.
static void put(struct shown *o, const char *s, size_t len)
{
	if (o->full || o->at + len + sizeof("..") > o->cap) {
		o->full = true;
		return;
	}
	memcpy(o->buf + o->at, s, len);
	o->at += len;
}

static void put_escaped(struct shown *o, const char *s, const char *end)
{
	for (; s < end; s++) {
		char code[5];

		if (*s > ' ' && *s < 0x7f && *s != '\\' && *s != '"') {
			put(o, s, 1);
		} else {
			snprintf(code, sizeof(code), "\\x%02x", (unsigned char)*s);
			put(o, code, 4);
		}
	}
}

static bool is_secret_key(const char *key, size_t len)
{
	static const char *const words[] = {"token", "pass", "pw", "secret", "key", "auth", "sig"};

	if (len == 1)
		return *key == 's' || *key == 'S';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (size_t at = 0, n = strlen(words[i]); at + n <= len; at++)
			if (!strncasecmp(key + at, words[i], n))
				return true;
	return false;
}

// "token=" or "token:" at p: its bytes, 0 when it is no such key.
static size_t secret_key_at(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z') ||
				      p[n] == '_' || p[n] == '-'))
		n++;
	if (!n || p + n >= end || (p[n] != '=' && p[n] != ':') || !is_secret_key(p, n))
		return 0;
	return n + 1;
}

static const char *value_end(const char *p, const char *end, const struct streamid *id)
{
	size_t n = strlen(id->token);

	if (n && (size_t)(end - p) >= n && !memcmp(p, id->token, n))
		return p + n; // it may hold commas
	while (p < end && *p != ',' && *p != '&')
		p++;
	return p;
}

static void put_starred(struct shown *o, const char *p, const char *end)
{
	const char *last = NULL;
	unsigned dots = 0;

	for (const char *q = p; end - p > 3 && !memcmp(p, "v1.", 3) && q < end; q++)
		if (*q == '.') {
			last = q;
			dots++;
		}
	if (dots >= TOKEN_DOTS)
		put_escaped(o, p, last + 1);
	put(o, STARS, strlen(STARS));
}

// The password of a dialect that has no key for it.
static bool is_session_at(const char *p, const char *end, const struct streamid *id)
{
	size_t n = strlen(id->session);

	return n && (size_t)(end - p) >= n && !memcmp(p, id->session, n) &&
	       (p + n == end || strchr(",&?:/", p[n]));
}

// publish:name:user:password in a text that could not be taken apart: what follows the third colon.
static const char *untaken_password(const char *p, const char *end)
{
	const char *at = p;

	if (end - p < 2 || *p == '#')
		return end;
	for (unsigned colons = 0; at < end; at++)
		if (*at == ':' && ++colons == 3)
			return at + 1;
	return end;
}

static void show(struct shown *o, const char *begin, const char *end, const struct streamid *id)
{
	const char *stop = *id->name ? end : untaken_password(begin, end);
	const char *p = begin;

	while (p < stop) {
		char before = p == begin ? ',' : p[-1];
		size_t key = strchr(",&?:", before) ? secret_key_at(p, stop) : 0;

		if (p > begin && strchr(":/=", before) && is_session_at(p, stop, id)) {
			put(o, STARS, strlen(STARS));
			p += strlen(id->session);
		} else if (key) {
			const char *value = p + key;

			put_escaped(o, p, value);
			p = value_end(value, stop, id);
			put_starred(o, value, p);
		} else {
			put_escaped(o, p, p + 1);
			p++;
		}
	}
	if (stop < end)
		put(o, STARS, strlen(STARS));
}

void streamid_show(const char *text, const struct streamid *id, char *out, size_t cap)
{
	struct shown o = {.buf = out, .cap = cap};
	struct streamid_text t;

	if (streamid_unwrap(text, &t)) { // nothing can be told apart in it
		t.p = t.end = text;
		o.full = true;
	}
	show(&o, t.p, t.end, id);
	if (o.full) {
		memcpy(out + o.at, "..", 2);
		o.at += 2;
	}
	out[o.at] = '\0';
}
