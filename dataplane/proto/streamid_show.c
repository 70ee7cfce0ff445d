// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A stream id as it may be told: to logs, to operators. Told is what is known to be no secret: the
// names of keys, the values of r, h, u, m and t, the stream's name, the user's. All else is
// starred, and what could move a terminal's cursor is spelled out.

#include "proto/streamid_priv.h"

#include <stdio.h>
#include <string.h>

#define STARS "***"
#define SECRET_LEAST 4u // bytes: shorter ones are in every word
#define TOKEN_DOTS 5u	// of a token of ours: all but what is behind the last names it (B9)

struct shown {
	char *buf;
	size_t cap, at;
	bool full;
	const struct streamid *id;
	bool parsed; // else the text is of no form, and what stands where is not known
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

static void put_stars(struct shown *o)
{
	put(o, STARS, strlen(STARS));
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

// A name that nobody has read: two words of it, for a third may be srtrelay's password.
static void put_guess(struct shown *o, const char *p, const char *end)
{
	const char *at = p;
	unsigned slashes = 0;

	for (; at < end && (is_word_char(*at) || *at == '/'); at++)
		if (*at == '/' && ++slashes == 2) {
			at++;
			break;
		}
	put_escaped(o, p, at);
	if (at < end)
		put_stars(o);
}

// Of a token of ours all but its signature.
static void put_token(struct shown *o, const char *p, const char *end)
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
	put_stars(o);
}

static bool is(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) == n && !memcmp(p, word, n);
}

// Up to the separator; what parsing took for the token may hold some.
static const char *value_end(const struct shown *o, const char *p, const char *end, char separator)
{
	size_t n = strlen(o->id->token);
	const char *at;

	if (n && (size_t)(end - p) >= n && !memcmp(p, o->id->token, n))
		return p + n;
	at = memchr(p, separator, (size_t)(end - p));
	return at ? at : end;
}

static void put_query(struct shown *o, const char *p, const char *end);

static void put_name(struct shown *o, const char *p, const char *end)
{
	const char *query = memchr(p, '?', (size_t)(end - p));

	if (!o->parsed) {
		put_guess(o, p, end);
		return;
	}
	put_escaped(o, p, query ? query : end);
	if (query)
		put_query(o, query, end);
}

static void put_value(
	struct shown *o, const char *key, const char *key_end, const char *p, const char *end)
{
	if (is(key, key_end, "r") || is(key, key_end, "h"))
		put_name(o, p, end);
	else if (is(key, key_end, "u") || is(key, key_end, "m") || is(key, key_end, "t") ||
		 is(key, key_end, "mode"))
		o->parsed ? put_escaped(o, p, end) : put_guess(o, p, end);
	else if (is(key, key_end, "sluice_token") || is(key, key_end, "token"))
		put_token(o, p, end);
	else
		put_stars(o);
}

// key=value, or with a colon, up to `separator`. Returns where it ends.
static const char *put_pair(
	struct shown *o, const char *p, const char *end, char equals, char separator)
{
	const char *stop = memchr(p, separator, (size_t)(end - p)), *at = p;

	stop = stop ? stop : end;
	while (at < stop && (is_word_char(*at) || *at == ' '))
		at++;
	if (at == p || at == stop || *at != equals) {
		put_stars(o);
		return stop;
	}
	put_escaped(o, p, at + 1);
	stop = value_end(o, at + 1, end, separator);
	put_value(o, p, at, at + 1, stop);
	return stop;
}

static void put_pairs(struct shown *o, const char *p, const char *end, char equals, char separator)
{
	while (p < end) {
		p = put_pair(o, p, end, equals, separator);
		if (p < end)
			put_escaped(o, p, p + 1);
		p++;
	}
}

static void put_query(struct shown *o, const char *p, const char *end)
{
	put(o, p, 1);
	put_pairs(o, p + 1, end, '=', '&');
}

static bool is_action(const char *p, const char *end)
{
	return is(p, end, "publish") || is(p, end, "play") || is(p, end, "read") ||
	       is(p, end, "request");
}

// name[:user:password][:query], with publish: or so in front.
static void put_colons(struct shown *o, const char *p, const char *end)
{
	const char *begin = p;
	unsigned behind = 0; // the name

	for (const char *stop; p < end; p = stop + 1) {
		stop = memchr(p, ':', (size_t)(end - p));
		stop = stop ? stop : end;
		if (!behind)
			put_name(o, p, stop);
		else if (behind == 1 && is(p, stop, o->id->user))
			put_escaped(o, p, stop);
		else if (behind != 2 && memchr(p, '=', (size_t)(stop - p)))
			put_pairs(o, p, stop, '=', '&');
		else
			put_stars(o);
		behind += p > begin || !is_action(p, stop);
		if (stop < end)
			put(o, ":", 1);
	}
}

// Does it say what is to be done first? Then colons part it, wherever they stand.
static bool is_colons(const char *p, const char *end)
{
	const char *colon = memchr(p, ':', (size_t)(end - p)), *stop = p;

	while (stop < end && *stop != ':' && *stop != '/')
		stop++;
	return colon && (is_action(p, stop) || !memchr(p, '?', (size_t)(colon - p)));
}

static bool is_behind_slash(const char *p, const char *end, const char *secret)
{
	size_t n = strlen(secret);

	return n && (size_t)(end - p) > n && is(end - n, end, secret) && end[-(long)n - 1] == '/';
}

// A text that is not of the standard form, but of one that parsing knows.
static void put_dialect(struct shown *o, const char *p, const char *end)
{
	const char *comma = memchr(p, ',', (size_t)(end - p));

	if (comma) { // restreamer
		put_name(o, p, comma);
		put(o, ",", 1);
		put_pairs(o, comma + 1, end, ':', ',');
	} else if (end - p > 6 && !memcmp(p, "srt://", 6)) { // whoever stands in front of the host
		put(o, "srt://" STARS "/", 10);
		put_escaped(o, o->id->name, o->id->name + strlen(o->id->name));
	} else if (is_behind_slash(p, end, o->id->session)) { // srtrelay
		put_escaped(o, p, end - strlen(o->id->session));
		put_stars(o);
	} else if (is_colons(p, end)) {
		put_colons(o, p, end);
	} else {
		put_name(o, p, end);
	}
}

static void show(struct shown *o, const char *p, const char *end)
{
	size_t standard = end - p >= 4 && !memcmp(p, "#!::", 4)		      ? 4
			  : o->parsed && end - p >= 3 && !memcmp(p, "#!:", 3) ? 3
									      : 0;

	put_escaped(o, p, p + standard);
	if (standard)
		put_pairs(o, p + standard, end, '=', ',');
	else if (o->parsed)
		put_dialect(o, p, end);
	else
		put_guess(o, p, end);
}

static const char *signature(const char *token)
{
	const char *dot = strncmp(token, "v1.", 3) ? NULL : strrchr(token, '.');

	return dot ? dot + 1 : token;
}

// Who has the stream's name for a password is told nothing of; nor is what parsing reads otherwise
// than we do here.
static bool tells(const char *shown, const char *secret)
{
	return strlen(secret) >= SECRET_LEAST && strstr(shown, secret);
}

void streamid_show(const char *text, const struct streamid *id, char *out, size_t cap)
{
	struct shown o = {.buf = out, .cap = cap, .id = id};
	struct streamid_text t;

	o.parsed = *id->name || *id->token || *id->user || id->mode != STREAMID_UNSET;
	if (streamid_unwrap(text, &t)) { // nothing can be told apart in it
		t.p = t.end = text;
		o.full = true;
	}
	show(&o, t.p, t.end);
	if (o.full) {
		memcpy(out + o.at, "..", 2);
		o.at += 2;
	}
	out[o.at] = '\0';
	if (tells(out, id->session) || tells(out, signature(id->token)))
		snprintf(out, cap, STARS);
}
