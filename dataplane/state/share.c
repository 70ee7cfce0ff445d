// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/share.h"

#include "base/cidr.h"
#include "proto/halfsiphash.h"

void share_init(struct share *s, uint64_t key)
{
	*s = (struct share){.key = key};
}

struct cells {
	unsigned at[2];
};

static struct cells cells_of(const struct share *s, const uint8_t ip[16])
{
	struct cidr c = cidr_source(ip);
	uint32_t h = halfsiphash24(s->key, c.ip, sizeof(c.ip));

	return (struct cells){{h % SHARE_COLUMNS, (h >> 16) % SHARE_COLUMNS}};
}

void share_take(struct share *s, const uint8_t ip[16])
{
	struct cells c = cells_of(s, ip);

	for (unsigned row = 0; row < 2; row++)
		s->held[row][c.at[row]]++;
}

void share_give(struct share *s, const uint8_t ip[16])
{
	struct cells c = cells_of(s, ip);

	for (unsigned row = 0; row < 2; row++)
		s->held[row][c.at[row]]--;
}

unsigned share_held(const struct share *s, const uint8_t ip[16])
{
	struct cells c = cells_of(s, ip);
	unsigned a = s->held[0][c.at[0]], b = s->held[1][c.at[1]];

	return a < b ? a : b;
}

bool share_lets_in(const struct share *s, const uint8_t ip[16], uint32_t used, uint32_t cap)
{
	if (used < cap / 2)
		return true;
	return used < cap && share_held(s, ip) < cap / SHARE_PARTS;
}
