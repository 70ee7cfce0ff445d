#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What a sender may send again: a memory of what it has just repaired, so that a repeated request
// is told from a new one, and a budget in bytes (decisions A15).

#include "base/ts.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SRT_REPAIR_SPANS = 14,
	SRT_REPAIR_HEADERS = 58, // bytes: Ethernet, IPv4, UDP and SRT headers count too
};

// Packets sent again for one report: some of the n from a number whose low 16 bits are `first`. The
// others in between are at the peer, or it would have asked for them too.
struct srt_repair_span {
	uint16_t first, n;
	uint16_t at_ms; // low 16 bits of the time
};

struct srt_repair {
	ts_us refilled;	 // when the budget was last topped up
	uint32_t budget; // bytes left
	uint32_t rate;	 // of the stream, bytes/s with headers; 0: not known yet
	uint32_t latency_us;
	uint8_t percent;    // of the rate
	uint8_t next;	    // span to overwrite
	uint8_t unasked;    // sent again without a request, of those since mark
	uint8_t copies : 2; // of the last one granted
	bool open : 1;	    // the newest one may grow: all asked for since its first were sent
	bool again : 1;	    // the last one granted had been sent again before
	bool hurry : 1;	    // a loss of this repair would not be reported soon
	bool heavy : 1;	    // many packets were asked for ...
	uint16_t mark;	    // ... of those before this one; low 16 bits of its number
	uint16_t firsts;    // asked for the first time since
	struct srt_repair_span spans[SRT_REPAIR_SPANS];
};

// percent 0: 50.
void srt_repair_init(struct srt_repair *r, ts_us now, uint32_t latency_us, uint8_t percent);
void srt_repair_set_rate(struct srt_repair *r, uint32_t rate);
// A report begins: what it asks for is remembered apart from the one before.
void srt_repair_begin(struct srt_repair *r);

enum srt_repair_say { SRT_REPAIR_YES, SRT_REPAIR_REPEATED, SRT_REPAIR_BROKE };

// When a repair is answered by another request: within window_us the request cannot know of it and
// is a repetition; within knows_us they may have crossed.
struct srt_repair_wait {
	uint32_t window_us, knows_us;
};

// A packet that was repaired before, in vain, has time for one more repair at most: it goes out
// twice, as it does when there is a hurry, as long as a quarter of the budget is there. So does
// every one where losses are heavy and the latency is short, as long as half is there. What may
// have arrived already goes out once.
//
// May the packet seq of len payload bytes be sent again? YES takes it from the budget and remembers
// it.
enum srt_repair_say srt_repair_ask(
	struct srt_repair *r, ts_us now, uint32_t seq, uint16_t len, struct srt_repair_wait wait);
// May it be sent again once although nobody asked for it? Not when it was sent again lately, not
// out of the last quarter of the budget, and not more than three for each that was asked for.
bool srt_repair_probe(struct srt_repair *r, ts_us now, uint32_t seq, uint16_t len);
// Are losses heavy, as far as the requests for packets before seq tell? Few of them do at a start.
bool srt_repair_heavy(const struct srt_repair *r, uint32_t seq);
