#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Shares of a pool by where callers come from (cidr_source), so that a flood from one network does
// not keep the others out.
//
// A sketch, not a table: two rows of counters, a source's count the lower of its two. It never says
// less than the source holds, costs the same however many sources there are, and without the key
// nobody can choose whom to share counters with.

#include <stdbool.h>
#include <stdint.h>

#define SHARE_COLUMNS 1024u
#define SHARE_PARTS 64u // a share is this part of a pool

struct share {
	uint64_t key;
	uint16_t held[2][SHARE_COLUMNS];
};

// key: random. Nobody holds anything.
void share_init(struct share *s, uint64_t key);
void share_take(struct share *s, const uint8_t ip[16]);
void share_give(struct share *s, const uint8_t ip[16]); // what it took before
unsigned share_held(const struct share *s, const uint8_t ip[16]);

// May it take one more, of a pool of `cap` places of which `used` are taken? While half of them are
// free, anybody; then only who holds less than a share.
bool share_lets_in(const struct share *s, const uint8_t ip[16], uint32_t used, uint32_t cap);
