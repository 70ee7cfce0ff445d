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

// Those who play, or those who publish.
struct side {
	const char *url;
	uint32_t n;
	bool publish, waits; // waits: until somebody says when to call
	uint32_t latency_ms;
};

static int out_of_memory(char *err, size_t cap)
{
	snprintf(err, cap, "out of memory");
	return -ENOMEM;
}

static int init_call(struct load *l, struct call *c, const struct side *of, char *err, size_t cap)
{
	struct calls *cs = l->peers;
	const char *sid;
	struct url u;
	int rc = target_url(of->url, c->index, URL_SRT, &u, err, cap);

	if (rc)
		return rc;
	sid = url_param(&u, URL_STREAMID);
	c->sock = &l->net.socks[(c - cs->all) % l->net.n_socks];
	c->start_at =
		of->waits ? TS_NEVER : l->started + (ts_us)c->index * TS_S / l->opts.join_rate;
	c->streamid = sid ? strdup(sid) : NULL;
	if (c->publish)
		c->sent_at = calloc(cs->history_mask + 1u, sizeof(*c->sent_at));
	else
		c->rcv = &cs->rcvs[c->index];
	c->keys = cs->secret && call_is_main(cs, c) ? &cs->keys[c->index] : NULL;
	if ((sid && !c->streamid) || (!c->sent_at && !c->rcv))
		return out_of_memory(err, cap);
	call_dirty(cs, c);
	return 0;
}

static int init_side(
	struct load *l, const struct side *of, struct call *first, char *err, size_t cap)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < of->n; i++) {
		first[i].index = i;
		first[i].publish = of->publish;
		rc = init_call(l, &first[i], of, err, cap);
	}
	return rc;
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

static bool new_calls(struct calls *cs, uint32_t n_play, uint32_t n_publish)
{
	uint32_t n = n_play + n_publish, n_main = n_play ? n_play : n_publish;

	cs->all = bulk_new(n, sizeof(*cs->all));
	if (n_play)
		cs->rcvs = bulk_new(n_play, sizeof(*cs->rcvs));
	if (cs->secret)
		cs->keys = bulk_new(n_main, sizeof(*cs->keys));
	if (!cs->all || (n_play && !cs->rcvs) || (cs->secret && !cs->keys))
		return false;
	cs->n_play = n_play;
	cs->n = n;
	return true;
}

// Where a side goes and its latency, from its first URL.
static int look_at(
	const struct load *l, struct side *of, struct endpoint *to, char *err, size_t cap)
{
	struct url u;
	int rc = target_url(of->url, 0, URL_SRT, &u, err, cap);

	if (!rc)
		rc = target_resolve(&u, to, err, cap);
	of->latency_ms = l->opts.latency_ms != UINT32_MAX
				 ? l->opts.latency_ms
				 : (uint32_t)url_number(&u, URL_LATENCY, LATENCY_DEFAULT);
	return rc;
}

static int open_sockets(
	struct load *l, struct side *play, struct side *publish, char *err, size_t cap)
{
	uint32_t n = play->n + publish->n, n_socks = l->opts.sockets;
	struct endpoint to, other;
	int rc = look_at(l, play->n ? play : publish, &to, err, cap);

	if (!rc && play->n && publish->n) {
		rc = look_at(l, publish, &other, err, cap);
		if (!rc && !endpoint_eq(&to, &other)) {
			snprintf(err, cap,
				"--publish goes to the address and port that are played from");
			rc = -EINVAL;
		}
	}
	if (!n_socks)
		n_socks = n < SOCKETS_MAX ? n : SOCKETS_MAX;
	return rc ? rc : net_connect(&l->net, &to, n_socks, err, cap);
}

static int calls_start(
	struct load *l, struct side *play, struct side *publish, char *err, size_t cap)
{
	struct calls *cs = calloc(1, sizeof(*cs));
	int rc;

	l->peers = cs;
	if (!cs)
		return out_of_memory(err, cap);
	rc = open_sockets(l, play, publish, err, cap);
	if (!rc)
		rc = secret_start(l, cs, err, cap);
	if (rc)
		return rc;
	cs->dirty_tail = &cs->dirty;
	cs->latency_ms = play->latency_ms;
	cs->publish_latency_ms = publish->latency_ms;
	cs->period = (ts_us)PAYLOAD_LEN * 8 * TS_S * 1000 / l->opts.rate_bps;
	cs->history_mask = history_mask(l, cs->publish_latency_ms);
	cs->n_unheard = publish->n;
	if (!new_calls(cs, play->n, publish->n))
		return out_of_memory(err, cap);
	l->n_active = cs->n;
	l->net.peek = calls_peek;
	rc = init_side(l, play, cs->all, err, cap);
	return rc ? rc : init_side(l, publish, cs->all + play->n, err, cap);
}

static void calls_fini(struct load *l)
{
	struct calls *cs = l->peers;

	for (uint32_t i = 0; cs && i < cs->n; i++) {
		free(cs->all[i].streamid);
		free(cs->all[i].sent_at);
	}
	if (cs) {
		secret_fini(cs);
		bulk_free(cs->all, cs->n, sizeof(*cs->all));
		bulk_free(cs->rcvs, cs->n_play, sizeof(*cs->rcvs));
		bulk_free(cs->keys, cs->n_play ? cs->n_play : cs->n, sizeof(*cs->keys));
	}
	free(cs);
}

static int play_start(struct load *l, char *err, size_t cap)
{
	struct side publish = {.url = l->opts.publish, .publish = true};
	struct side play = {.url = l->opts.url, .n = l->opts.count, .waits = publish.url};

	publish.n = publish.url ? l->opts.publishers : 0;
	return calls_start(l, &play, &publish, err, cap);
}

static int publish_start(struct load *l, char *err, size_t cap)
{
	struct side publish = {.url = l->opts.url, .n = l->opts.count, .publish = true};

	return calls_start(l, &(struct side){0}, &publish, err, cap);
}

const struct role role_play = {
	.name = "play",
	.start = play_start,
	.rx = calls_rx,
	.timer = calls_timer,
	.settle = calls_settle,
	.pace = calls_pace,
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
