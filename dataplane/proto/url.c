// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/url.h"

#include "proto/percent.h"
#include "proto/url_param.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int says(char *err, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int says(char *err, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, cap, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static const struct scheme {
	const char *prefix;
	enum url_scheme scheme;
} schemes[] = {{"udp://", URL_UDP}, {"rtp://", URL_RTP}, {"srt://", URL_SRT}};

static const char *scheme_name(enum url_scheme s)
{
	return s == URL_UDP ? "udp" : s == URL_RTP ? "rtp" : "srt";
}

// Step over the scheme. Returns what follows, or NULL.
static const char *parse_scheme(const char *text, struct url *u)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i].prefix);

		if (!strncasecmp(text, schemes[i].prefix, n)) {
			u->scheme = schemes[i].scheme;
			return text + n;
		}
	}
	return NULL;
}

// A host name: letters, digits, - and _ in labels joined by dots; the last one is no number, for
// then it was meant to be an address (RFC 3696, 2).
static bool host_name_ok(const char *s)
{
	const char *last = strrchr(s, '.');

	if (s[0] == '.' || s[0] == '-' || strstr(s, "..") || s[strlen(s) - 1] == '.')
		return false;
	if (s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.")])
		return false;
	last = last ? last + 1 : s;
	return last[strspn(last, "0123456789")];
}

static int set_host(struct url *u, const char *s, size_t len, bool brackets)
{
	if (len > URL_HOST_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		u->host[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]);
	u->host[len] = '\0';
	if (strlen(u->host) != len)
		return -EINVAL;
	u->literal = !endpoint_parse_ip(u->host, &u->at);
	if (brackets)
		return u->literal && strchr(u->host, ':') ? 0 : -EINVAL;
	if (strchr(u->host, ':'))
		return -EINVAL; // IPv6 needs its brackets
	return u->literal || host_name_ok(u->host) ? 0 : -EINVAL;
}

static int set_port(struct url *u, const char *s, size_t len)
{
	unsigned port = 0;

	if (!len || len > 5)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	if (!port || port > 65535)
		return -EINVAL;
	u->at.port = (uint16_t)port;
	return 0;
}

// HOST:PORT, [IPv6]:PORT, :PORT; a leading @ (multicast, as players write it) says nothing.
static int parse_authority(struct url *u, const char *s, size_t len, char *err, size_t cap)
{
	const char *end = s + len, *colon;
	bool brackets;

	if (len && *s == '@' && u->scheme != URL_SRT)
		s++;
	if (memchr(s, '@', (size_t)(end - s)))
		return says(err, cap, "the URL carries a user, which means nothing here");
	brackets = s < end && *s == '[';
	colon = brackets ? memchr(s, ']', (size_t)(end - s)) : s;
	if (colon)
		colon = memrchr(colon, ':', (size_t)(end - colon));
	if (!colon)
		return says(err, cap, "the URL has no port");
	if (brackets && colon[-1] != ']')
		return says(err, cap, "the URL has no valid host");
	if (set_host(u, s + brackets, (size_t)(colon - s) - 2 * brackets, brackets))
		return says(err, cap,
			"the URL's host is neither an address nor a name (IPv6 goes in brackets)");
	if (set_port(u, colon + 1, (size_t)(end - colon - 1)))
		return says(err, cap, "the URL's port is a number from 1 to 65535");
	return 0;
}

static int unknown_param(const struct url *u, const char *s, size_t len, char *err, size_t cap)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const char *scheme = scheme_name(u->scheme);

	if (!len || len > 40 || strspn(s, set) < len)
		return says(
			err, cap, "the URL has a parameter that %s:// URLs do not know", scheme);
	return says(err, cap, "%.*s is no parameter of %s:// URLs", (int)len, s, scheme);
}

static int parse_param(struct url *u, const char *s, size_t len, char *err, size_t cap)
{
	const char *equals = memchr(s, '=', len);
	size_t name_len = equals ? (size_t)(equals - s) : len;
	int key = url_key_find(s, name_len);
	char *value = u->text + u->used;
	int rc;

	if (key < 0 || !(url_rules[key].schemes & u->scheme))
		return unknown_param(u, s, name_len, err, cap);
	if (u->params[key])
		return says(err, cap, "%s is given twice", url_rules[key].name);
	if (!equals)
		return says(err, cap, "%s has no value", url_rules[key].name);
	if (percent_decode(equals + 1, len - name_len - 1, value, sizeof(u->text) - u->used, NULL))
		return says(err, cap, "%s holds a control character", url_rules[key].name);
	rc = url_value_check((enum url_key)key, value, err, cap);
	if (rc)
		return rc;
	u->params[key] = u->used;
	u->used = (uint16_t)(u->used + strlen(value) + 1);
	return 0;
}

static int parse_query(struct url *u, const char *s, char *err, size_t cap)
{
	while (*s) {
		size_t len = strcspn(s, "&");
		int rc = len ? parse_param(u, s, len, err, cap) : 0;

		if (rc)
			return rc;
		s += len + (s[len] == '&');
	}
	return 0;
}

int url_parse(const char *text, struct url *out, char *err, size_t cap)
{
	struct url u = {.used = 1};
	const char *s;
	size_t len;
	int rc;

	if (strlen(text) > URL_MAX)
		return says(err, cap, "a URL has at most %d bytes", URL_MAX);
	s = parse_scheme(text, &u);
	if (!s)
		return says(err, cap, "a URL starts with srt://, rtp:// or udp://");
	len = strcspn(s, "/?");
	rc = parse_authority(&u, s, len, err, cap);
	if (rc)
		return rc;
	s += len + (s[len] == '/');
	if (*s && *s != '?')
		return says(err, cap, "the URL has a path, which means nothing here");
	rc = parse_query(&u, s + (*s == '?'), err, cap);
	if (!rc)
		*out = u;
	return rc;
}

const char *url_param(const struct url *u, enum url_key key)
{
	return u->params[key] ? u->text + u->params[key] : NULL;
}

int64_t url_number(const struct url *u, enum url_key key, int64_t fallback)
{
	const char *v = url_param(u, key);

	return v ? strtoll(v, NULL, 10) : fallback;
}

static int write_param(
	const struct url *u, enum url_key key, const char *value, char sep, char *buf, size_t cap)
{
	struct endpoint e = {0};
	char ip[ENDPOINT_STRLEN];
	size_t len = strlen(buf);
	int n = snprintf(buf + len, cap - len, "%c%s=", sep, url_rules[key].name);

	if (n < 0 || (size_t)n >= cap - len)
		return -ENAMETOOLONG;
	if (url_rules[key].type == URL_T_ADDRESS && !endpoint_parse_ip(value, &e))
		value = endpoint_ip_str(&e, ip, sizeof(ip));
	return percent_append(buf, cap, value) ? -ENAMETOOLONG : 0;
}

// One spelling: addresses normalised, parameters in the table's order; secret in place of a
// passphrase, NULL: without.
static int write_url(const struct url *u, const char *secret, char *buf, size_t cap)
{
	char at[ENDPOINT_STRLEN];
	char sep = '?';
	int n;

	if (u->literal && *u->host)
		n = snprintf(buf, cap, "%s://%s", scheme_name(u->scheme),
			endpoint_str(&u->at, at, sizeof(at)));
	else
		n = snprintf(buf, cap, "%s://%s:%u", scheme_name(u->scheme), u->host, u->at.port);
	if (n < 0 || (size_t)n >= cap)
		return -ENAMETOOLONG;
	for (int k = 0; k < URL_N_KEYS; k++) {
		const char *v = url_param(u, (enum url_key)k);

		if (v && k == URL_PASSPHRASE)
			v = secret;
		if (!v)
			continue;
		if (write_param(u, (enum url_key)k, v, sep, buf, cap))
			return -ENAMETOOLONG;
		sep = '&';
	}
	return 0;
}

int url_canonical(const struct url *u, char *buf, size_t cap)
{
	return write_url(u, NULL, buf, cap);
}

int url_show(const struct url *u, char *buf, size_t cap)
{
	return write_url(u, URL_HIDDEN, buf, cap);
}
