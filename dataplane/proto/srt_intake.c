// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_intake.h"

#include "base/seq.h"

#include <string.h>

enum { AHEAD_STEP = 64 }; // two packets this near to each other prove a jump of the sender

void srt_intake_init(
	struct srt_intake *in, uint32_t isn, ts_us arrival, uint32_t ts, uint32_t latency_us)
{
	memset(in, 0, sizeof(*in));
	srt_window_init(&in->window);
	srt_late_init(&in->late, latency_us);
	srt_tsbpd_init(&in->tsbpd, arrival, ts, latency_us);
	in->isn = isn & SEQ31_MASK;
}

uint32_t srt_intake_seq(const struct srt_intake *in, uint64_t number)
{
	return seq31_add(in->isn, (uint32_t)(number & SEQ31_MASK));
}

bool srt_intake_number(const struct srt_intake *in, uint32_t seq, uint64_t *out)
{
	int64_t off = seq31_off(srt_intake_seq(in, in->window.next), seq);

	if (off < 0 && (uint64_t)-off > in->window.next)
		return false;
	*out = in->window.next + (uint64_t)off;
	return true;
}

void srt_intake_drop(struct srt_intake *in, uint64_t first, uint64_t last)
{
	in->given_up += srt_window_drop(&in->window, first, last);
	srt_late_forget(&in->late, in->window.hole);
}

void srt_intake_late(struct srt_intake *in, ts_us now)
{
	uint64_t seq;

	while (srt_late_due(&in->late, now, &seq))
		if (seq > in->window.hole)
			srt_intake_drop(in, in->window.hole, seq - 1);
}

// Packets beyond the window. One may be a stray; a second one near it says that the sender has gone
// on there: what is missing is given up, and once that has been listed the window follows. True
// when it did.
static bool follow_ahead(struct srt_intake *in, uint64_t number)
{
	bool proved = in->ahead && number > in->ahead && number - in->ahead <= AHEAD_STEP;
	uint64_t skipped;

	in->ahead = number;
	if (!proved)
		return false;
	if (in->window.missing)
		srt_intake_drop(in, in->window.hole, in->window.next - 1);
	skipped = number - in->window.next;
	if (!srt_window_jump(&in->window, number))
		return false;
	in->given_up += skipped;
	in->ahead = 0;
	return true;
}

enum srt_window_put srt_intake_put(struct srt_intake *in, uint64_t number, ts_us play)
{
	uint64_t next = in->window.next;
	enum srt_window_put put = srt_window_put(&in->window, number);

	if (put == SRT_WINDOW_AHEAD && follow_ahead(in, number)) {
		next = number;
		put = srt_window_put(&in->window, number);
	}
	if (put == SRT_WINDOW_NEW && number > next)
		srt_late_note(&in->late, number, play);
	if (put == SRT_WINDOW_FILLED)
		srt_late_forget(&in->late, in->window.hole);
	return put;
}
