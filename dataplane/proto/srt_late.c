// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_late.h"

enum { GRAINS = 48 };

void srt_late_init(struct srt_late *l, uint32_t latency_us)
{
	l->grain_us = latency_us / GRAINS;
	l->first = l->n = 0;
}

static struct srt_late_note *note_at(struct srt_late *l, unsigned i)
{
	return &l->notes[(l->first + i) % SRT_LATE_NOTES];
}

void srt_late_note(struct srt_late *l, uint64_t seq, ts_us play)
{
	struct srt_late_note *newest = l->n ? note_at(l, l->n - 1u) : NULL;

	if (newest && (l->n == SRT_LATE_NOTES || play < newest->since + l->grain_us)) {
		newest->seq = seq;
		newest->play = ts_max(play, newest->play);
		return;
	}
	*note_at(l, l->n++) = (struct srt_late_note){.seq = seq, .play = play, .since = play};
}

bool srt_late_due(struct srt_late *l, ts_us now, uint64_t *seq)
{
	if (!l->n || now < l->notes[l->first].play)
		return false;
	*seq = l->notes[l->first].seq;
	l->first = (l->first + 1) % SRT_LATE_NOTES;
	l->n--;
	return true;
}

void srt_late_forget(struct srt_late *l, uint64_t hole)
{
	while (l->n && l->notes[l->first].seq <= hole) {
		l->first = (l->first + 1) % SRT_LATE_NOTES;
		l->n--;
	}
}

ts_us srt_late_expiry(const struct srt_late *l)
{
	return l->n ? l->notes[l->first].play : TS_NEVER;
}
