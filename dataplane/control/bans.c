// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control/bans.h"

#include <stdio.h>
#include <string.h>

static bool is_of(const struct ban *b, const uint8_t ip[16], const char *stream)
{
	return !memcmp(b->ip, ip, sizeof(b->ip)) && !strcmp(b->stream, stream);
}

// Those whose time is over make room.
static void forget_ended(struct bans *t, ts_us now)
{
	for (uint32_t i = t->n; i-- > 0;)
		if (t->all[i].until <= now)
			t->all[i] = t->all[--t->n];
}

bool ban_put(struct bans *t, ts_us now, const uint8_t ip[16], const char *stream, ts_us until)
{
	struct ban *b;

	forget_ended(t, now);
	for (uint32_t i = 0; i < t->n; i++)
		if (is_of(&t->all[i], ip, stream)) {
			t->all[i].until = until;
			return true;
		}
	if (t->n == BANS_MAX)
		return false;
	b = &t->all[t->n++];
	b->until = until;
	memcpy(b->ip, ip, sizeof(b->ip));
	snprintf(b->stream, sizeof(b->stream), "%s", stream);
	return true;
}

bool ban_holds(const struct bans *t, ts_us now, const uint8_t ip[16], const char *stream)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (is_of(&t->all[i], ip, stream))
			return t->all[i].until > now;
	return false;
}
