// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Times, revisions and session ids, as the API spells them.

#include "ctl/daemon/daemon_priv.h"

#include "ctl/dp/dp_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *time_text(ts_us us_ago, char buf[40])
{
	struct timespec now;
	struct tm tm;
	int64_t us;
	time_t s;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	us = (int64_t)now.tv_sec * TS_S + now.tv_nsec / 1000 - (int64_t)us_ago;
	s = (time_t)(us / TS_S);
	gmtime_r(&s, &tm);
	n = strftime(buf, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, 40 - n, ".%03" PRId64 "Z", us % TS_S / 1000);
	return buf;
}

const char *unix_time_text(int64_t s, char buf[40])
{
	time_t t = (time_t)s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, 40, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	return buf;
}

static void session_prefix(const struct daemon *d, char *buf, size_t cap)
{
	const struct dp_hello_r *h = dplink_hello(d->dplink);

	snprintf(buf, cap, "s-%s-%08" PRIx32 "-", d->config->node, h ? (uint32_t)h->instance : 0);
}

const char *session_id(const struct daemon *d, uint64_t key, char *buf, size_t cap)
{
	size_t n;

	session_prefix(d, buf, cap);
	n = strlen(buf);
	snprintf(buf + n, cap - n, "%u.%u.%u", session_key_worker(key), session_key_slot(key),
		session_key_generation(key));
	return buf;
}

uint64_t session_key_parse(const struct daemon *d, const char *id)
{
	char prefix[SESSION_ID_MAX], again[SESSION_ID_MAX];
	unsigned worker, slot, generation;
	uint64_t key;

	session_prefix(d, prefix, sizeof(prefix));
	if (strncmp(id, prefix, strlen(prefix)) != 0 ||
		sscanf(id + strlen(prefix), "%3u.%8u.%10u", &worker, &slot, &generation) != 3)
		return 0;
	key = session_key_make(worker, slot, generation);
	// One spelling only: nothing behind it, no leading zeros.
	return strcmp(session_id(d, key, again, sizeof(again)), id) == 0 ? key : 0;
}

const char *etag_text(store_rev rev, char buf[ETAG_MAX])
{
	snprintf(buf, ETAG_MAX, "\"%" PRId64 "\"", rev);
	return buf;
}
