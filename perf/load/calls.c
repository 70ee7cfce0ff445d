// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The two SRT roles: set up, and what they report.

#include "load/call.h"
#include "load/payload.h"
#include "load/report.h"
#include "load/secret.h"
#include "load/target.h"
#include "proto/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SOCKETS_MAX = 256, // unless asked for more
	LATENCY_DEFAULT = 120,
	HISTORY_MIN = 64,
	HISTORY_MAX = 65536,
};

static int out_of_memory(char *err, size_t cap)
{
	snprintf(err, cap, "out of memory");
	return -ENOMEM;
}

static int init_call(struct load *l, struct calls *cs, uint32_t i, char *err, size_t cap)
{
	struct call *c = &cs->all[i];
	const char *sid;
	struct url u;
	int rc = target_url(l->opts.url, i, URL_SRT, &u, err, cap);

	if (rc)
		return rc;
	sid = url_param(&u, URL_STREAMID);
	c->index = i;
	c->sock = &l->net.socks[i % l->net.n_socks];
	c->start_at = l->started + (ts_us)i * TS_S / l->opts.join_rate;
	c->streamid = sid ? strdup(sid) : NULL;
	if (cs->publish)
		c->sent_at = calloc(cs->history_mask + 1u, sizeof(*c->sent_at));
	else
		c->rcv = calloc(1, sizeof(*c->rcv));
	if ((sid && !c->streamid) || (!c->sent_at && !c->rcv))
		return out_of_memory(err, cap);
	call_dirty(cs, c);
	return 0;
}

// Two seconds, or two latencies, of packets: no repair is asked for later.
static uint32_t history_mask(const struct load *l, uint32_t latency_ms)
{
	ts_us span = ts_max(2 * TS_S, 2 * latency_ms * TS_MS);
	uint64_t packets = l->opts.rate_bps / 8 * span / TS_S / PAYLOAD_LEN;
	uint32_t n = HISTORY_MIN;

	while (n < packets && n < HISTORY_MAX)
		n *= 2;
	return n - 1;
}

int calls_start(struct load *l, bool publish, char *err, size_t cap)
{
	struct calls *cs = calloc(1, sizeof(*cs));
	uint32_t n_socks = l->opts.sockets;
	struct endpoint to;
	struct url u;
	int rc;

	l->peers = cs;
	if (!cs)
		return out_of_memory(err, cap);
	rc = target_url(l->opts.url, 0, URL_SRT, &u, err, cap);
	if (!rc)
		rc = target_resolve(&u, &to, err, cap);
	if (rc)
		return rc;
	if (!n_socks)
		n_socks = l->opts.count < SOCKETS_MAX ? l->opts.count : SOCKETS_MAX;
	rc = net_connect(&l->net, &to, n_socks, err, cap);
	if (rc)
		return rc;
	rc = secret_start(l, cs, err, cap);
	if (rc)
		return rc;
	cs->publish = publish;
	cs->latency_ms = l->opts.latency_ms != UINT32_MAX
				 ? l->opts.latency_ms
				 : (uint32_t)url_number(&u, URL_LATENCY, LATENCY_DEFAULT);
	cs->period = (ts_us)PAYLOAD_LEN * 8 * TS_S * 1000 / l->opts.rate_bps;
	cs->history_mask = history_mask(l, cs->latency_ms);
	cs->all = calloc(l->opts.count, sizeof(*cs->all));
	if (!cs->all)
		return out_of_memory(err, cap);
	cs->n = l->n_active = l->opts.count;
	for (uint32_t i = 0; !rc && i < cs->n; i++)
		rc = init_call(l, cs, i, err, cap);
	return rc;
}

void calls_fini(struct load *l)
{
	struct calls *cs = l->peers;

	for (uint32_t i = 0; cs && i < cs->n; i++) {
		free(cs->all[i].streamid);
		free(cs->all[i].sent_at);
		free(cs->all[i].rcv);
	}
	if (cs) {
		secret_fini(cs);
		free(cs->all);
	}
	free(cs);
}

// --- report -----------------------------------------------------------------------------------

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
	return good;
}

static int play_start(struct load *l, char *err, size_t cap)
{
	return calls_start(l, false, err, cap);
}

static int publish_start(struct load *l, char *err, size_t cap)
{
	return calls_start(l, true, err, cap);
}

const struct role role_play = {
	.name = "play",
	.start = play_start,
	.rx = calls_rx,
	.timer = calls_timer,
	.settle = calls_settle,
	.stop = calls_stop,
	.report = calls_report,
	.fini = calls_fini,
};

const struct role role_publish = {
	.name = "publish",
	.start = publish_start,
	.rx = calls_rx,
	.timer = calls_timer,
	.settle = calls_settle,
	.stop = calls_stop,
	.report = calls_report,
	.fini = calls_fini,
};
