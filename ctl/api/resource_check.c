// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/resource_check.h"

#include "base/cidr.h"
#include "proto/streamid.h"
#include "proto/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int resource_check_stream(const char *text, char *err, size_t cap)
{
	if (stream_name_ok(text))
		return 0;
	snprintf(err, cap,
		"a stream name is made of A-Z a-z 0-9 . _ - with single slashes between, at most "
		"%d bytes, no segment . or ..",
		STREAM_NAME_MAX);
	return -EINVAL;
}

static int check_url(const char *text, int (*fits)(const struct url *u, char *err, size_t cap),
	char *err, size_t cap)
{
	struct url u;
	int rc = url_parse(text, &u, err, cap);

	return rc ? rc : fits(&u, err, cap);
}

int resource_check_listener_url(const char *text, char *err, size_t cap)
{
	return check_url(text, url_check_listener, err, cap);
}

int resource_check_source_url(const char *text, char *err, size_t cap)
{
	return check_url(text, url_check_source, err, cap);
}

int resource_check_route_url(const char *text, char *err, size_t cap)
{
	return check_url(text, url_check_route, err, cap);
}

static int says(char *err, size_t cap, const char *what)
{
	snprintf(err, cap, "%s", what);
	return -EINVAL;
}

// What is sent there stands in no log and no list, but the URL itself does.
int resource_check_hook(const char *text, char *err, size_t cap)
{
	const char *host = !strncmp(text, "http://", 7)	   ? text + 7
			   : !strncmp(text, "https://", 8) ? text + 8
							   : NULL;
	size_t len = host ? strcspn(host, "/?#") : 0;

	if (!len)
		return says(err, cap, "a hook is http://HOST/.. or https://HOST/..");
	if (memchr(host, '@', len))
		return says(err, cap, "a hook's URL is shown to readers and carries no password");
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at == 0x7f)
			return says(err, cap, "a hook's URL holds no blanks");
	return 0;
}

int resource_check_user(const char *text, char *err, size_t cap)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	if (*text && text[strspn(text, set)] == '\0' && strcmp(text, ".") && strcmp(text, ".."))
		return 0;
	return says(err, cap, "a user's name is made of A-Z a-z 0-9 . _ -");
}

int resource_check_prefix(const char *text, char *err, size_t cap)
{
	size_t len = strlen(text);
	char name[RESOURCE_STREAM_MAX + 1];

	if (len > 1 && len <= RESOURCE_STREAM_MAX) {
		snprintf(name, sizeof(name), "%.*s", (int)(len - (text[len - 1] == '/')), text);
		text = name;
	}
	if (stream_name_ok(text))
		return 0;
	return says(err, cap, "a prefix is how stream names may begin: live/");
}

int resource_check_range(const char *text, char *err, size_t cap)
{
	struct cidr c;

	if (!cidr_parse(text, &c))
		return 0;
	return says(err, cap,
		"a range is an address or ADDRESS/BITS with no bit set behind BITS: 192.0.2.0/24");
}

int resource_check_rule(const char *text, char *err, size_t cap)
{
	if (!strncmp(text, "allow ", 6))
		return resource_check_range(text + 6, err, cap);
	if (!strncmp(text, "deny ", 5))
		return resource_check_range(text + 5, err, cap);
	return says(err, cap, "a rule is \"allow RANGE\" or \"deny RANGE\"");
}

int resource_check_dialect(const char *text, char *err, size_t cap)
{
	const char *name;
	size_t at;

	if (streamid_dialect_find(text) >= 0)
		return 0;
	at = (size_t)snprintf(err, cap, "a dialect is one of");
	for (int i = 0; (name = streamid_dialect_name(i)) && at < cap; i++)
		at += (size_t)snprintf(err + at, cap - at, "%s %s", i ? "," : "", name);
	return -EINVAL;
}

int resource_check_passphrase(const char *text, char *err, size_t cap)
{
	size_t len = strlen(text);

	if (len >= RESOURCE_PASSPHRASE_MIN && len <= RESOURCE_PASSPHRASE_MAX)
		return 0;
	snprintf(err, cap, "a passphrase has %d to %d bytes, this one has %zu",
		RESOURCE_PASSPHRASE_MIN, RESOURCE_PASSPHRASE_MAX, len);
	return -EINVAL;
}
