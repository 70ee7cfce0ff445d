// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/resource_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int says(char *err, size_t cap, const char *what)
{
	snprintf(err, cap, "%s", what);
	return -EINVAL;
}

int resource_check_stream(const char *text, char *err, size_t cap)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	const char *p = text;

	if (strlen(text) > RESOURCE_STREAM_MAX)
		return says(err, cap, "a stream name has at most 128 bytes");
	for (;; p++) {
		size_t n = strspn(p, set);

		if (!n || (p[n] && p[n] != '/'))
			return says(err, cap,
				"a stream name is made of A-Z a-z 0-9 . _ - with single slashes "
				"between");
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return says(err, cap, "a stream name has no segment . or ..");
		p += n;
		if (!*p)
			return 0;
	}
}

static int check_scheme(const char *text, const char *const *schemes, char *err, size_t cap)
{
	for (size_t i = 0; schemes[i]; i++)
		if (!strncmp(text, schemes[i], strlen(schemes[i])))
			return 0;
	return says(err, cap, "the URL's scheme does not fit here");
}

int resource_check_listener_url(const char *text, char *err, size_t cap)
{
	return check_scheme(text, (const char *const[]){"srt://", NULL}, err, cap);
}

int resource_check_source_url(const char *text, char *err, size_t cap)
{
	return check_scheme(text, (const char *const[]){"udp://", "rtp://", NULL}, err, cap);
}

int resource_check_route_url(const char *text, char *err, size_t cap)
{
	return check_scheme(text, (const char *const[]){"udp://", "rtp://", NULL}, err, cap);
}
