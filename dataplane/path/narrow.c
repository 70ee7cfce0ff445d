// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path/path.h"

// Subscribers that take no packet of the stream's size, by what they announced (decisions A23).
// Without a word they would wait for ever.

#define LARGEST_US (10 * TS_S) // the largest packet counts for that long, and at most twice

void narrow_join(struct session *s, uint32_t mss, bool gcm)
{
	struct view *v = s->view;

	s->payload_max = srt_hs_payload_max(mss, !endpoint_is_v4(&s->peer), gcm);
	if (s->payload_max < v->fits)
		v->fits = s->payload_max;
}

static uint16_t largest(const struct view *v)
{
	return v->largest > v->largest_before ? v->largest : v->largest_before;
}

static void close_smaller(struct path *p, struct view *v, uint16_t size)
{
	struct session *next;

	v->fits = UINT16_MAX;
	for (struct session *s = v->sessions; s; s = next) {
		next = s->next_of_view;
		if (s->kind != SESSION_SUB || s->closing)
			continue;
		if (s->payload_max < size)
			leave_session(p, s, DP_CLOSE_NARROW);
		else if (s->payload_max < v->fits)
			v->fits = s->payload_max;
	}
}

void narrow_view(struct path *p, struct view *v)
{
	if (p->now - v->largest_at >= LARGEST_US) {
		v->largest_before = v->largest;
		v->largest = 0;
		v->largest_at = p->now;
	}
	if (v->owner)
		v->stats->payload = largest(v);
	if (largest(v) > v->fits)
		close_smaller(p, v, largest(v));
}
