// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the SRT roles say in the end.

#include "load/call.h"
#include "load/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { SPREAD_PACKETS, SPREAD_MISSING, SPREAD_RTT, SPREAD_DELAY, SPREADS };

static uint64_t figure(const struct calls *cs, const struct call *c, int which)
{
	switch (which) {
	case SPREAD_PACKETS:
		return cs->publish ? c->sent : c->unique;
	case SPREAD_MISSING:
		return cs->publish ? c->unacked : c->missing;
	case SPREAD_RTT:
		return c->rtt_us;
	default:
		return c->check.marked ? c->check.delay_us / c->check.marked : 0;
	}
}

static void put_spreads(const struct calls *cs, json_t *out)
{
	static const char *const play[] = {"unique", "missing", "rtt_us", "delay_us"};
	static const char *const publish[] = {"sent", "unacked", "rtt_us"};
	uint64_t *values = calloc(cs->n, sizeof(*values));
	json_t *per_peer = json_object();

	for (int which = 0; values && which < (cs->publish ? SPREAD_DELAY : SPREADS); which++) {
		uint32_t n = 0;

		for (uint32_t i = 0; i < cs->n; i++)
			if (cs->all[i].was_up)
				values[n++] = figure(cs, &cs->all[i], which);
		json_object_set_new(per_peer, cs->publish ? publish[which] : play[which],
			report_spread(values, n));
	}
	free(values);
	json_object_set_new(out, "per_peer", per_peer);
}

static void add(json_t *out, const char *key, uint64_t n)
{
	json_int_t old = json_integer_value(json_object_get(out, key));

	json_object_set_new(out, key, json_integer(old + (json_int_t)n));
}

// Why calls failed: wire values of rejections, or "timeout".
static void put_failures(const struct calls *cs, json_t *out)
{
	json_t *rejects = json_object();

	for (uint32_t i = 0; i < cs->n; i++) {
		const struct call *c = &cs->all[i];
		char key[16];

		if (!c->n_failed)
			continue;
		snprintf(key, sizeof(key), "%d", c->error);
		add(rejects,
			c->error > 0	      ? key
			: c->error == -EPROTO ? "protocol"
					      : "timeout",
			c->n_failed);
	}
	json_object_set_new(out, "failed_calls", rejects);
}

static void put_play(const struct call *c, json_t *out)
{
	add(out, "received", c->received);
	add(out, "unique", c->unique);
	add(out, "missing", c->missing);
	add(out, "skipped", c->check.skipped);
	add(out, "corrupt", c->check.corrupt);
	add(out, "misplaced", c->check.misplaced);
	add(out, "foreign", c->check.foreign);
	add(out, "duplicates", c->duplicates);
	add(out, "late", c->late);
	add(out, "recovered", c->recovered);
	add(out, "undecryptable", c->undecryptable);
	add(out, "retransmitted", c->retransmitted);
}

static void put_publish(const struct call *c, json_t *out)
{
	add(out, "sent", c->sent);
	add(out, "retransmitted", c->resent);
	add(out, "naks", c->naks);
	add(out, "late_requests", c->nak_late);
	add(out, "refused_requests", c->nak_refused);
	add(out, "unacked", c->unacked);
}

bool calls_report(struct load *l, json_t *out)
{
	const struct calls *cs = l->peers;
	bool good = true;

	for (uint32_t i = 0; i < cs->n; i++) {
		const struct call *c = &cs->all[i];

		add(out, "peers_up", c->was_up);
		add(out, "sessions", c->n_up);
		add(out, "closed_by_peer", c->n_closed);
		if (cs->publish)
			put_publish(c, out);
		else
			put_play(c, out);
		good &= c->was_up && !c->missing && !c->check.skipped && !c->check.corrupt;
		good &= cs->publish ? c->sent > 0 : c->unique > 0;
	}
	put_failures(cs, out);
	put_spreads(cs, out);
	report_put_hist(out, "join_us", &l->meter.join);
	return cs->publish ? report_put_sending(l, out) && good : report_put_meter(l, out) && good;
}
