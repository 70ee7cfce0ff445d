// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// GET /metrics: Prometheus text format 0.0.4. No label grows with the number of viewers, and at
// most METRICS_STREAMS streams have their own lines (decisions B14).

#include "ctl/daemon/daemon_priv.h"

#include "version.h"

#include <event2/buffer.h>

#include <inttypes.h>

#define METRICS_STREAMS 1000u

static void head(struct evbuffer *b, const char *name, const char *type, const char *help)
{
	evbuffer_add_printf(
		b, "# HELP sluice_%s %s\n# TYPE sluice_%s %s\n", name, help, name, type);
}

static void per_worker(struct evbuffer *b, const struct snapshot *s, const char *name,
	const char *help, size_t offset)
{
	head(b, name, "counter", help);
	for (uint32_t w = 0; w < s->header->n_workers; w++)
		evbuffer_add_printf(b, "sluice_%s{worker=\"%u\"} %" PRIu64 "\n", name,
			s->workers[w].counters.id,
			*(const uint64_t *)((const char *)&s->workers[w].counters + offset));
}

static void add_workers(struct evbuffer *b, const struct snapshot *s)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} all[] = {
#define FIELD(f) offsetof(struct dp_stats_worker, f)
		{"rx_packets_total", "Packets received.", FIELD(rx_packets)},
		{"rx_bytes_total", "Bytes received.", FIELD(rx_bytes)},
		{"tx_packets_total", "Packets sent.", FIELD(tx_packets)},
		{"tx_bytes_total", "Bytes sent.", FIELD(tx_bytes)},
		{"srt_inductions_total", "SRT inductions answered.", FIELD(handshakes)},
		{"joins_total", "Callers admitted.", FIELD(joins)},
		{"rejects_total", "Callers refused.", FIELD(rejects)},
		{"forwarded_packets_total", "Packets handed to another worker.", FIELD(forwarded)},
#undef FIELD
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		per_worker(b, s, all[i].name, all[i].help, all[i].offset);
	head(b, "worker_busy_seconds_total", "counter", "Time spent on packets.");
	for (uint32_t w = 0; w < s->header->n_workers; w++)
		evbuffer_add_printf(b, "sluice_worker_busy_seconds_total{worker=\"%u\"} %.6f\n",
			s->workers[w].counters.id, (double)s->workers[w].counters.busy_ns / 1e9);
}

static void add_drops(struct evbuffer *b, const struct snapshot *s)
{
	head(b, "drops_total", "counter", "Packets that were not passed on, by reason.");
	for (unsigned i = 1; i < snapshot_n_drops(s); i++)
		for (uint32_t w = 0; w < s->header->n_workers; w++)
			evbuffer_add_printf(b,
				"sluice_drops_total{worker=\"%u\",reason=\"%s\"} %" PRIu64 "\n",
				s->workers[w].counters.id, snapshot_drop_name(s, i),
				s->workers[w].counters.drops[i]);
}

static uint64_t publishers_of(const struct live_stream *s)
{
	return s->publisher != 0;
}

static uint64_t field_of(const struct live_stream *s, size_t offset)
{
	return offset == SIZE_MAX ? publishers_of(s)
				  : *(const uint64_t *)((const char *)s + offset);
}

static void add_streams(struct evbuffer *b, const struct snapshot *s)
{
	static const struct {
		const char *name, *type, *help;
		size_t offset;
	} all[] = {
#define FIELD(f) offsetof(struct live_stream, f)
		{"stream_publishers", "gauge", "Publishers now.", SIZE_MAX},
		{"stream_subscribers", "gauge", "Subscribers now.", FIELD(subscribers)},
		{"stream_received_packets_total", "counter", "Packets received.",
			FIELD(rx_packets)},
		{"stream_received_bytes_total", "counter", "Bytes received.", FIELD(rx_bytes)},
		{"stream_lost_packets_total", "counter", "Packets that never came.",
			FIELD(lost_packets)},
		{"stream_recovered_packets_total", "counter", "Packets that came by repair.",
			FIELD(recovered_packets)},
		{"stream_late_packets_total", "counter", "Packets that came too late.",
			FIELD(late_packets)},
		{"stream_sent_packets_total", "counter", "Packets delivered.", FIELD(tx_packets)},
		{"stream_sent_bytes_total", "counter", "Bytes delivered.", FIELD(tx_bytes)},
		{"stream_resent_packets_total", "counter", "Repairs delivered.",
			FIELD(retransmitted_packets)},
#undef FIELD
	};
	size_t n = s->n_streams < METRICS_STREAMS ? s->n_streams : METRICS_STREAMS;

	// Names of streams hold no character that a label would have to escape (decisions B4).
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		head(b, all[i].name, all[i].type, all[i].help);
		for (size_t k = 0; k < n; k++)
			evbuffer_add_printf(b, "sluice_%s{stream=\"%s\"} %" PRIu64 "\n",
				all[i].name, s->streams[k].name,
				field_of(&s->streams[k], all[i].offset));
	}
}

// Every second bucket: an octave each.
static void add_hist(
	struct evbuffer *b, const char *name, const char *stream, const struct dp_hist *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < DP_HIST_BUCKETS - 1; i++) {
		n += h->buckets[i];
		if (i % 2 == 0)
			evbuffer_add_printf(b,
				"sluice_%s_bucket{stream=\"%s\",le=\"%g\"} %" PRIu64 "\n", name,
				stream, (double)dp_hist_bound_us(i) / 1e6, n);
	}
	n += h->buckets[DP_HIST_BUCKETS - 1];
	evbuffer_add_printf(b,
		"sluice_%s_bucket{stream=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
		"sluice_%s_sum{stream=\"%s\"} %.6f\n"
		"sluice_%s_count{stream=\"%s\"} %" PRIu64 "\n",
		name, stream, n, name, stream, (double)h->sum_us / 1e6, name, stream, n);
}

// Of declared streams only: they are many lines (decisions B14).
static void add_hists(struct evbuffer *b, const struct snapshot *s)
{
	static const struct {
		const char *name, *help;
	} all[DP_HIST_KINDS] = {
		[DP_HIST_PUBLISHER_RTT] = {"publisher_rtt_seconds", "Round trips to publishers."},
		[DP_HIST_SUBSCRIBER_RTT] = {"subscriber_rtt_seconds",
			"Round trips to subscribers."},
		[DP_HIST_RECOVERY] = {"recovery_seconds",
			"From when a lost packet would have come until it came."},
	};
	size_t n = s->n_streams < METRICS_STREAMS ? s->n_streams : METRICS_STREAMS;
	struct dp_hist h;

	for (unsigned i = 0; i < DP_HIST_KINDS; i++) {
		head(b, all[i].name, "histogram", all[i].help);
		for (size_t k = 0; k < n; k++)
			if (s->streams[k].declared && snapshot_hist(s, &s->streams[k], i, &h))
				add_hist(b, all[i].name, s->streams[k].name, &h);
	}
}

static void gauge(struct evbuffer *b, const char *name, const char *help, double v)
{
	head(b, name, "gauge", help);
	evbuffer_add_printf(b, "sluice_%s %g\n", name, v);
}

static void add_hook(struct evbuffer *b, const struct hook_counters *c)
{
	head(b, "hook_requests_total", "counter",
		"Callers that a hook was asked about, by verdict.");
	evbuffer_add_printf(b,
		"sluice_hook_requests_total{verdict=\"allow\"} %" PRIu64 "\n"
		"sluice_hook_requests_total{verdict=\"refuse\"} %" PRIu64 "\n"
		"sluice_hook_requests_total{verdict=\"fail\"} %" PRIu64 "\n",
		c->allowed, c->refused, c->failed);
	head(b, "hook_over_total", "counter", "Of the failed: too many were under way.");
	evbuffer_add_printf(b, "sluice_hook_over_total %" PRIu64 "\n", c->over);
	gauge(b, "hook_under_way", "Questions to hooks without an answer yet.", c->under_way);
}

static void on_metrics(struct http_request *r, void *arg)
{
	struct daemon *d = arg;
	struct snapshot *s = &d->snapshot;
	struct evbuffer *b = evbuffer_new();

	if (!b) {
		http_reply_problem(r, 500, NULL, "out of memory");
		return;
	}
	snapshot_read(s, ts_now(), 100 * TS_MS);
	head(b, "build_info", "gauge", "What runs here.");
	evbuffer_add_printf(b, "sluice_build_info{version=\"%s\"} 1\n", SLUICE_VERSION);
	gauge(b, "uptime_seconds", "Of the daemon.", (double)(ts_now() - d->started) / TS_S);
	gauge(b, "dataplane_up", "1 while the dataplane is connected.", dplink_is_up(d->dplink));
	gauge(b, "objects_held", "Objects that the removal guard keeps.", dplink_held(d->dplink));
	gauge(b, "feed_readers", "Readers of the feed.", feed_readers(d->feed));
	add_hook(b, hook_counters(d->hook));
	if (s->map) {
		gauge(b, "streams", "Streams in use.", (double)s->n_streams);
		gauge(b, "subscribers", "Subscribers now.", (double)s->subscribers);
		add_workers(b, s);
		add_drops(b, s);
		add_streams(b, s);
		add_hists(b, s);
	}
	http_reply_data(r, 200, "text/plain; version=0.0.4; charset=utf-8", evbuffer_pullup(b, -1),
		evbuffer_get_length(b));
	evbuffer_free(b);
}

int metrics_routes(struct daemon *d)
{
	return http_route(d->http, "GET", "/metrics", HTTP_ROLE_READ, on_metrics, d);
}
