// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Prefetching: with more peers than any cache holds, a packet of each costs a dozen misses one
// after the other, unless those of a whole burst are begun together.

#include "load/call.h"

enum { LINE_BYTES = 64 };

static void fetch(const void *from, size_t len)
{
	const uint8_t *p = from;

	for (size_t at = 0; at < len; at += LINE_BYTES)
		__builtin_prefetch(p + at, 1);
}

// What a packet touches of a receiver: its counters and clocks. The bitmaps are where they are.
static void fetch_rcv(const struct srt_rcv *r)
{
	const struct srt_intake *in = &r->intake;
	const struct srt_link *l = &r->link;

	fetch(r, LINE_BYTES);
	fetch(&in->late, sizeof(uint64_t));
	fetch(&in->tsbpd, sizeof(*in) - offsetof(struct srt_intake, tsbpd));
	fetch(l, offsetof(struct srt_link, acks.log));
	fetch(&l->acks.confirmed, sizeof(*l) - offsetof(struct srt_link, acks.confirmed));
}

void calls_peek(void *arg, const uint8_t *data, size_t len, unsigned stage)
{
	const struct load *l = arg;
	const struct calls *cs = l->peers;
	const struct call *c;

	if (stage == 0) {
		c = call_place(cs, data, len);
		if (c)
			fetch(c, offsetof(struct call, conn) + LINE_BYTES);
		return;
	}
	c = call_of(cs, data, len);
	if (c && c->rcv)
		fetch_rcv(c->rcv);
}
