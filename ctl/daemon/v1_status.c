// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// GET /v1/status, /v1/nodes, /healthz, /readyz, and POST /v1/nodes/NAME/sync.

#include "ctl/daemon/daemon_priv.h"

#include "version.h"

#include <stdlib.h>
#include <string.h>

bool list_limit(struct http_request *r, size_t most, size_t *limit)
{
	const char *text = http_query(r, "limit");
	char *end;
	unsigned long n;

	*limit = most;
	if (!text)
		return true;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || !n) {
		http_reply_problem(r, 400, NULL, "limit must be a whole number above 0");
		return false;
	}
	*limit = n < most ? n : most;
	return true;
}

static json_t *ports_json(const struct snapshot *s)
{
	const struct dp_stats_port *p;
	json_t *out = json_array();

	for (uint32_t i = 0; s->map && i < s->header->n_ports; i++) {
		p = (const struct dp_stats_port *)((const char *)s->map + s->header->off_ports) + i;
		json_array_append_new(out, json_pack("{s:s, s:s, s:s}", "name", p->name, "kind",
						   p->kind, "mode", p->mode));
	}
	return out;
}

// Four places: a ten-thousandth of a core is the least that anybody asks about.
static double rounded(double ratio)
{
	return (double)(uint64_t)(ratio * 10000 + 0.5) / 10000;
}

static json_t *worker_json(const struct live_worker *w)
{
	const struct dp_stats_worker *c = &w->counters;

	return json_pack(
		"{s:i, s:i, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
		(int)c->id, "core", (int)c->core, "busy_ratio", rounded(w->busy_ratio), "rx_pps",
		(json_int_t)w->rx_pps, "tx_pps", (json_int_t)w->tx_pps, "rx_packets",
		(json_int_t)c->rx_packets, "rx_bytes", (json_int_t)c->rx_bytes, "tx_packets",
		(json_int_t)c->tx_packets, "tx_bytes", (json_int_t)c->tx_bytes, "sessions",
		(json_int_t)c->sessions, "frames_used", (json_int_t)c->frames_used, "handshakes",
		(json_int_t)c->handshakes, "joins", (json_int_t)c->joins, "rejects",
		(json_int_t)c->rejects, "forwarded", (json_int_t)c->forwarded);
}

static json_t *workers_json(const struct snapshot *s)
{
	json_t *out = json_array();

	for (uint32_t w = 0; s->map && w < s->header->n_workers; w++)
		json_array_append_new(out, worker_json(&s->workers[w]));
	return out;
}

static json_t *drops_json(const struct snapshot *s)
{
	json_t *out = json_object();

	for (unsigned i = 0; i < snapshot_n_drops(s); i++)
		if (i != DP_DROP_NONE)
			json_object_set_new(out, snapshot_drop_name(s, i),
				json_integer((json_int_t)snapshot_drops(s, i)));
	return out;
}

// Declared and live ones, each once: both are in name order.
static json_int_t count_streams(struct daemon *d)
{
	struct intent_item item = {0};
	json_int_t n = (json_int_t)d->snapshot.n_streams;
	const char *after = NULL;

	for (; intent_next(d->intent, DP_STREAM, after, &item); after = item.name)
		n += !snapshot_stream(&d->snapshot, item.name);
	return n;
}

static json_t *status_json(struct daemon *d)
{
	const struct dp_hello_r *h = dplink_hello(d->dplink);
	const char *secrets = vault_said(d->vault);
	struct snapshot *s = &d->snapshot;
	json_t *out;

	snapshot_read(s, ts_now(), 100 * TS_MS);
	out = json_pack("{s:s, s:s, s:s, s:f, s:s, s:o, s:o, s:o, s:I, s:I, s:i, s:b}", "node",
		d->config->node, "region", d->config->region, "version", SLUICE_VERSION, "uptime_s",
		(double)((ts_now() - d->started) / TS_MS) / 1000, "dataplane",
		h ? "connected" : "away", "ports", ports_json(s), "workers", workers_json(s),
		"drops", drops_json(s), "streams", count_streams(d), "subscribers",
		(json_int_t)s->subscribers, "held", (int)dplink_held(d->dplink), "store_ok",
		!d->store_failed);
	json_object_set_new(out, "dataplane_version", h ? json_string(h->version) : json_null());
	json_object_set_new(out, "dataplane_pid", h ? json_integer(h->pid) : json_null());
	json_object_set_new(out, "secrets_error", secrets ? json_string(secrets) : json_null());
	return out;
}

static void on_status(struct http_request *r, void *arg)
{
	http_reply_json(r, 200, status_json(arg));
}

static json_t *node_json(struct daemon *d)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "name", d->config->node, "region",
		d->config->region, "version", SLUICE_VERSION, "dataplane",
		dplink_is_up(d->dplink) ? "connected" : "away");
}

static void on_nodes(struct http_request *r, void *arg)
{
	http_reply_json(r, 200, json_pack("{s:[o], s:n}", "items", node_json(arg), "next"));
}

static bool is_this_node(struct http_request *r, struct daemon *d)
{
	if (!strcmp(http_param(r, "name"), d->config->node))
		return true;
	http_reply_problem(r, 404, NULL, "there is no node %.128s", http_param(r, "name"));
	return false;
}

static void on_node(struct http_request *r, void *arg)
{
	if (is_this_node(r, arg))
		http_reply_json(r, 200, node_json(arg));
}

static void on_sync(struct http_request *r, void *arg)
{
	struct daemon *d = arg;

	if (!is_this_node(r, d))
		return;
	if (!dplink_is_up(d->dplink)) {
		http_reply_problem(r, 503, "dataplane_away", "the dataplane is away");
		return;
	}
	if (!http_query_true(r, "force")) {
		http_reply_problem(r, 400, NULL, "a sync is asked for with ?force=true");
		return;
	}
	json_t *out = json_pack("{s:i}", "held", (int)dplink_held(d->dplink));

	dplink_force(d->dplink);
	http_reply_json(r, 200, out);
}

static void on_healthz(struct http_request *r, void *arg)
{
	(void)arg;
	http_reply_data(r, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void on_readyz(struct http_request *r, void *arg)
{
	struct daemon *d = arg;

	if (!dplink_is_up(d->dplink))
		http_reply_problem(r, 503, "dataplane_away", "the dataplane is away");
	else if (d->store_failed)
		http_reply_problem(r, 503, "store_unavailable", "the store cannot be read");
	else
		http_reply_data(r, 200, "text/plain; charset=utf-8", "ready\n", 6);
}

int v1_status_routes(struct daemon *d)
{
	static const struct {
		const char *method, *pattern;
		enum http_role role;
		http_handler handler;
	} all[] = {
		{"GET", "/v1/status", HTTP_ROLE_READ, on_status},
		{"GET", "/v1/nodes", HTTP_ROLE_READ, on_nodes},
		{"GET", "/v1/nodes/{name}", HTTP_ROLE_READ, on_node},
		{"POST", "/v1/nodes/{name}/sync", HTTP_ROLE_ADMIN, on_sync},
		{"GET", "/healthz", HTTP_ROLE_NONE, on_healthz},
		{"GET", "/readyz", HTTP_ROLE_NONE, on_readyz},
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all) && !rc; i++)
		rc = http_route(
			d->http, all[i].method, all[i].pattern, all[i].role, all[i].handler, d);
	return rc;
}
