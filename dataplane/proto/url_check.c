// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What a URL may say as listener, source and route.

#include "proto/url.h"
#include "proto/url_param.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int says(char *err, size_t cap, const char *what)
{
	snprintf(err, cap, "%s", what);
	return -EINVAL;
}

// Only these parameters, which the list ends with URL_N_KEYS.
static int only(
	const struct url *u, const enum url_key *keys, const char *use, char *err, size_t cap)
{
	for (int k = 0; k < URL_N_KEYS; k++) {
		const enum url_key *allowed = keys;

		while (*allowed != URL_N_KEYS && (int)*allowed != k)
			allowed++;
		if (u->params[k] && *allowed == URL_N_KEYS) {
			snprintf(err, cap, "%s means nothing to a %s", url_rules[k].name, use);
			return -EINVAL;
		}
	}
	return 0;
}

int url_check_listener(const struct url *u, char *err, size_t cap)
{
	static const enum url_key keys[] = {URL_MODE, URL_N_KEYS};
	const char *mode = url_param(u, URL_MODE);

	if (u->scheme != URL_SRT)
		return says(err, cap, "a listener is srt://ADDR:PORT");
	if (!u->literal || endpoint_is_multicast(&u->at))
		return says(err, cap,
			"a listener binds an address of this machine, not a name or a group");
	if (mode && strcmp(mode, "listener") != 0)
		return says(err, cap, "a listener's mode is listener");
	return only(u, keys, "listener", err, cap);
}

static int check_source_filter(const struct url *u, char *err, size_t cap)
{
	const char *from = url_param(u, URL_SOURCE);
	struct endpoint e = {0};

	if (!from)
		return 0;
	if (u->literal && *u->host && endpoint_parse_ip(from, &e) == 0 &&
		endpoint_is_v4(&e) != endpoint_is_v4(&u->at))
		return says(err, cap, "source and group are of different IP versions");
	return 0;
}

// A call of ours (srt-wire 5.6). What only tunes a sender's or receiver's own machinery is taken
// and passed over, as other programs do.
static int check_call(const struct url *u, const char *what, char *err, size_t cap)
{
	const char *mode = url_param(u, URL_MODE), *type = url_param(u, URL_TRANSTYPE);

	if (!*u->host ||
		(u->literal && (endpoint_is_any(&u->at) || endpoint_is_multicast(&u->at)))) {
		snprintf(err, cap,
			"a %s calls somebody: srt://HOST:PORT; callers come to a listener", what);
		return -EINVAL;
	}
	if (mode && strcmp(mode, "caller") != 0) {
		snprintf(err, cap,
			"a %s calls, its mode is caller; for the other way round add a "
			"listener",
			what);
		return -EINVAL;
	}
	if (type && strcmp(type, "live") != 0)
		return says(err, cap, "only live transmission is served, not transtype=file");
	if (url_param(u, URL_PACKETFILTER))
		return says(err, cap, "packet filters are not served");
	if (!url_number(u, URL_ENFORCEDENCRYPTION, 1))
		return says(err, cap,
			"a peer without the passphrase is never served: "
			"enforcedencryption is yes");
	if (!url_number(u, URL_TSBPDMODE, 1) || !url_number(u, URL_TLPKTDROP, 1) ||
		!url_number(u, URL_NAKREPORT, 1) || !url_number(u, URL_MESSAGEAPI, 1))
		return says(
			err, cap, "live mode needs tsbpdmode, tlpktdrop, nakreport and messageapi");
	return 0;
}

int url_check_source(const struct url *u, char *err, size_t cap)
{
	static const enum url_key keys[] = {URL_IFACE, URL_REORDER, URL_SOURCE, URL_N_KEYS};

	if (u->scheme == URL_SRT)
		return check_call(u, "source", err, cap);
	if (only(u, keys, "source", err, cap))
		return -EINVAL;
	return check_source_filter(u, err, cap);
}

int url_check_route(const struct url *u, char *err, size_t cap)
{
	static const enum url_key keys[] = {URL_DSCP, URL_IFACE, URL_TTL, URL_N_KEYS};

	if (u->scheme == URL_SRT)
		return check_call(u, "route", err, cap);
	if (!*u->host || (u->literal && endpoint_is_any(&u->at)))
		return says(err, cap, "a route needs a host to send to");
	return only(u, keys, "route", err, cap);
}
