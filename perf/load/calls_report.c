// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the SRT roles say in the end.

#include "load/call.h"
#include "load/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { SPREAD_PACKETS, SPREAD_MISSING, SPREAD_RTT, SPREAD_DELAY, SPREADS };

static uint64_t figure(const struct call *c, int which)
{
	switch (which) {
	case SPREAD_PACKETS:
		return c->publish ? c->sent : c->unique;
	case SPREAD_MISSING:
		return c->publish ? c->unacked : c->missing;
	case SPREAD_RTT:
		return c->rtt_us;
	default:
		return c->check.marked ? c->check.delay_us / c->check.marked : 0;
	}
}

static void put_spreads(const struct call *all, uint32_t n_all, bool publish, json_t *out)
{
	static const char *const keys[][SPREADS] = {
		{"unique", "missing", "rtt_us", "delay_us"}, {"sent", "unacked", "rtt_us"}};
	uint64_t *values = calloc(n_all, sizeof(*values));
	json_t *per_peer = json_object();

	for (int which = 0; values && which < (publish ? SPREAD_DELAY : SPREADS); which++) {
		uint32_t n = 0;

		for (uint32_t i = 0; i < n_all; i++)
			if (all[i].was_up)
				values[n++] = figure(&all[i], which);
		json_object_set_new(per_peer, keys[publish][which], report_spread(values, n));
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
static void put_failures(const struct call *all, uint32_t n, json_t *out)
{
	json_t *rejects = json_object();

	for (uint32_t i = 0; i < n; i++) {
		const struct call *c = &all[i];
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

// Of those who play, or of those who publish. False when something is missing or was refused.
static bool put_side(const struct call *all, uint32_t n, json_t *out)
{
	bool good = true;

	for (uint32_t i = 0; i < n; i++) {
		const struct call *c = &all[i];

		add(out, "peers_up", c->was_up);
		add(out, "sessions", c->n_up);
		add(out, "closed_by_peer", c->n_closed);
		if (c->publish)
			put_publish(c, out);
		else
			put_play(c, out);
		good &= c->was_up && !c->missing && !c->check.skipped && !c->check.corrupt;
		good &= c->publish ? c->sent > 0 : c->unique > 0;
	}
	put_failures(all, n, out);
	put_spreads(all, n, all->publish, out);
	return good;
}

bool calls_report(struct load *l, json_t *out)
{
	const struct calls *cs = l->peers;
	uint32_t n_publish = cs->n - cs->n_play;
	json_t *sender = out;
	bool good = true;

	if (cs->n_play) {
		good = put_side(cs->all, cs->n_play, out);
		good &= report_put_meter(l, out);
	}
	report_put_hist(out, "join_us", &l->meter.join);
	if (!n_publish)
		return good;
	if (cs->n_play) {
		sender = json_object();
		json_object_set_new(out, "publish", sender);
	}
	good &= put_side(cs->all + cs->n_play, n_publish, sender);
	good &= report_put_sending(l, sender);
	return good;
}
