// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The two SRT roles: set up.

#include "load/bulk.h"
#include "load/call.h"
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
		c->rcv = &cs->rcvs[i];
	c->keys = cs->secret ? &cs->keys[i] : NULL;
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

static bool new_calls(struct calls *cs, uint32_t n)
{
	cs->n_max = n;
	cs->all = bulk_new(n, sizeof(*cs->all));
	if (!cs->publish)
		cs->rcvs = bulk_new(n, sizeof(*cs->rcvs));
	if (cs->secret)
		cs->keys = bulk_new(n, sizeof(*cs->keys));
	if (!cs->all || (!cs->publish && !cs->rcvs) || (cs->secret && !cs->keys))
		return false;
	cs->n = n;
	return true;
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
	if (!new_calls(cs, l->opts.count))
		return out_of_memory(err, cap);
	l->n_active = cs->n;
	l->net.peek = calls_peek;
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
	}
	if (cs) {
		secret_fini(cs);
		bulk_free(cs->all, cs->n_max, sizeof(*cs->all));
		bulk_free(cs->rcvs, cs->n_max, sizeof(*cs->rcvs));
		bulk_free(cs->keys, cs->n_max, sizeof(*cs->keys));
	}
	free(cs);
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
	.pace = calls_pace,
	.stop = calls_stop,
	.report = calls_report,
	.fini = calls_fini,
};
