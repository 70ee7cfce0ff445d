// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/resource_check.h"

#include "proto/streamid.h"
#include "proto/url.h"

#include <errno.h>
#include <stdio.h>

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
