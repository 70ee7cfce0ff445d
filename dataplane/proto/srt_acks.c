// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_acks.h"

#include "base/seq.h"

#include <string.h>

void srt_acks_init(struct srt_acks *a, ts_us now)
{
	memset(a, 0, sizeof(*a));
	// Nothing has been said: so a session whose very first packet is lost gets an ACK, and its
	// round trip, all the same.
	a->acked = UINT64_MAX;
	a->confirmed = true;
	a->calm_at = now + SRT_ACK_CALM_AFTER;
}

void srt_acks_note_loss(struct srt_acks *a, ts_us now)
{
	a->calm_at = now + SRT_ACK_CALM_AFTER;
}

void srt_acks_note_packet(struct srt_acks *a)
{
	if (++a->packets % SRT_ACK_LIGHT == 0)
		a->light_due = true;
}

ts_us srt_acks_expiry(const struct srt_acks *a, uint64_t hole, const struct srt_rtt *rtt)
{
	ts_us soon = a->at + SRT_ACK_PERIOD, answer = a->at + srt_rtt_ack_repeat(rtt);

	if (hole == a->acked) // the same again, on libsrt's tick at the soonest
		return a->confirmed ? TS_NEVER : ts_max(soon, answer);
	if (a->eager || soon < a->calm_at || a->packets >= SRT_ACK_CALM_PACKETS ||
		!srt_rtt_even(rtt))
		return soon;
	// One that is not answered in time tells of losses before any packet does.
	return ts_min(a->at + SRT_ACK_CALM_PERIOD, a->confirmed ? TS_NEVER : ts_max(soon, answer));
}

uint32_t srt_acks_send(struct srt_acks *a, ts_us now, uint64_t hole)
{
	a->number = seq31_add(a->number, 1);
	if (hole != a->acked)
		a->first = a->number;
	a->acked = hole;
	a->confirmed = false;
	a->at = now;
	a->log[a->number % SRT_ACK_LOG] = (uint32_t)now ? (uint32_t)now : 1;
	a->packets = 0;
	a->light_due = false;
	return a->number;
}

bool srt_acks_answered(struct srt_acks *a, ts_us now, uint32_t number, uint32_t *rtt_us)
{
	uint32_t *sent = &a->log[number % SRT_ACK_LOG];
	int32_t age = seq31_off(number, a->number);

	if (!number || number & ~SEQ31_MASK || age < 0 || age >= SRT_ACK_LOG || !*sent)
		return false;
	*rtt_us = (uint32_t)now - *sent;
	*sent = 0;
	if (seq31_off(a->first, number) >= 0)
		a->confirmed = true;
	return true;
}
