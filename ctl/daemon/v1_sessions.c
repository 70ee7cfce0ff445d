// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Subscribers and publishers: read from the dataplane page by page, never kept here.

#include "ctl/daemon/daemon_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A request that waits for the dataplane.
struct look {
	struct daemon *daemon;
	struct http_request *request;
	enum dp_dump_what what;
	uint64_t wanted; // one session; 0: a list
	bool kick;
	uint32_t ban_s;
	struct dp_session found; // a link, while the others of its group are looked for
};

static const char *noun_of(const struct look *k)
{
	return k->what == DP_DUMP_SUBSCRIBERS ? "subscriber" : "publisher";
}

static void add_counters(json_t *out, enum dp_dump_what what, const struct dp_session *s)
{
	json_t *more;

	if (what == DP_DUMP_SUBSCRIBERS)
		more = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "state", "active", "tx_packets",
			(json_int_t)s->packets, "tx_bytes", (json_int_t)s->bytes,
			"retransmitted_packets", (json_int_t)s->retransmitted, "dropped_packets",
			(json_int_t)s->dropped, "nak_packets", (json_int_t)s->naks);
	else
		more = json_pack("{s:I, s:I, s:I, s:I, s:I}", "rx_packets", (json_int_t)s->packets,
			"rx_bytes", (json_int_t)s->bytes, "lost_packets", (json_int_t)s->lost,
			"recovered_packets", (json_int_t)s->recovered, "undecryptable_packets",
			(json_int_t)s->undecryptable);
	json_object_update_new(out, more);
}

// Only SRT negotiates a latency and measures a round trip.
static void add_srt(json_t *out, const struct dp_session *s)
{
	bool srt = s->proto == DP_PROTO_SRT;

	json_object_set_new(out, "rtt_ms", srt ? json_real((double)s->rtt_us / 1000) : json_null());
	json_object_set_new(out, "latency_ms", srt ? json_integer(s->latency_ms) : json_null());
}

#define SRT_HEADERS 44 // libsrt counts SRT, UDP and IPv4 headers with the payloads

static double mbps(uint64_t bytes, uint64_t span_us)
{
	return span_us ? (double)bytes * 8 / (double)span_us : 0;
}

// What waits behind a hole, as time at the mean rate: everything else is passed on at once.
static double waiting_ms(const struct dp_session *s, uint64_t span_us)
{
	return s->unique ? (double)s->waiting * (double)span_us / 1000 / (double)s->unique : 0;
}

static json_t *publisher_stats(const struct dp_session *s, uint64_t span_us)
{
	uint64_t bytes = s->all_bytes + s->all_packets * SRT_HEADERS;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}",
		"pktRecvTotal", (json_int_t)s->all_packets, "pktRecvUniqueTotal",
		(json_int_t)s->unique, "pktRcvLossTotal", (json_int_t)s->missed,
		"pktRcvRetransTotal", (json_int_t)s->again, "pktRcvDropTotal", (json_int_t)s->lost,
		"pktRcvBelatedTotal", (json_int_t)s->late, "pktRcvUndecryptTotal",
		(json_int_t)s->undecryptable, "byteRecvTotal", (json_int_t)bytes, "pktSentACKTotal",
		(json_int_t)s->acks_sent, "pktSentNAKTotal", (json_int_t)s->naks_sent, "msRTT",
		(double)s->rtt_us / 1000, "mbpsRecvRate", mbps(bytes, span_us), "msRcvBuf",
		waiting_ms(s, span_us));
}

static json_t *subscriber_stats(const struct dp_session *s, uint64_t span_us)
{
	uint64_t bytes = s->bytes + s->packets * SRT_HEADERS;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I}", "pktSentTotal",
		(json_int_t)s->packets, "pktSentUniqueTotal",
		(json_int_t)(s->packets - s->retransmitted), "pktRetransTotal",
		(json_int_t)s->retransmitted, "pktSndDropTotal", (json_int_t)s->dropped,
		"byteSentTotal", (json_int_t)bytes, "pktRecvACKTotal", (json_int_t)s->acks,
		"pktRecvNAKTotal", (json_int_t)s->naks, "msRTT", (double)s->rtt_us / 1000,
		"mbpsSendRate", mbps(bytes, span_us), "pktFlightSize", (json_int_t)s->flight);
}

// Under libsrt's names, as its docs/API/statistics.md means them, since the session began; null
// where it is not SRT.
static void add_libsrt(json_t *out, enum dp_dump_what what, const struct dp_session *s, ts_us span)
{
	json_t *stats =
		what == DP_DUMP_SUBSCRIBERS ? subscriber_stats(s, span) : publisher_stats(s, span);
	const char *name;
	json_t *value;

	json_object_foreach(stats, name, value)
	{
		json_object_set_new(
			out, name, s->proto == DP_PROTO_SRT ? json_incref(value) : json_null());
	}
	json_decref(stats);
}

static json_t *object_id(enum dp_dump_what what, const struct dp_session *s)
{
	char id[DESIRED_ID_LEN];

	if (!s->object)
		return json_null();
	return json_string(
		desired_id_text(what == DP_DUMP_SUBSCRIBERS ? DP_ROUTE : DP_SOURCE, s->object, id));
}

// A source has no peer before its first packet.
json_t *session_peer_json(const struct dp_session *s)
{
	struct endpoint e = {.port = s->peer_port};
	char text[ENDPOINT_STRLEN];

	memcpy(e.ip, s->peer_ip, sizeof(e.ip));
	return e.port ? json_string(endpoint_str(&e, text, sizeof(text))) : json_null();
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *cipher_json(const struct dp_session *s)
{
	return s->key_len ? json_sprintf("AES-%u-%s", 8u * s->key_len, s->gcm ? "GCM" : "CTR")
			  : json_null();
}

// all, n: among which the links of its group are.
static json_t *session_json(struct daemon *d, enum dp_dump_what what, const struct dp_session *s,
	const struct dp_session *all, size_t n)
{
	char id[SESSION_ID_MAX], since[40];
	ts_us now = ts_now(), age = now > s->since_us ? now - s->since_us : 0;
	json_t *out;

	out = json_pack("{s:s, s:s, s:s, s:o, s:i}", "id", session_id(d, s->key, id, sizeof(id)),
		"stream", s->stream, "proto", proto_word(s->proto), "peer", session_peer_json(s),
		"worker", (int)s->worker);
	add_counters(out, what, s);
	add_srt(out, s);
	json_object_set_new(out, "encrypted", json_boolean(s->encrypted));
	json_object_set_new(out, "cipher", cipher_json(s));
	json_object_set_new(out, "stream_id", text_or_null(s->streamid));
	json_object_set_new(out, "user", text_or_null(s->user));
	json_object_set_new(out, "token", text_or_null(s->token));
	json_object_set_new(out, "kid", text_or_null(s->kid));
	json_object_set_new(out, "since", json_string(time_text(age, since)));
	add_libsrt(out, what, s, age);
	json_object_set_new(
		out, what == DP_DUMP_SUBSCRIBERS ? "route" : "source", object_id(what, s));
	if (what == DP_DUMP_PUBLISHERS)
		session_add_links(d, out, s, all, n);
	return out;
}

static void away(struct http_request *r, int status)
{
	if (status == -EAGAIN)
		http_reply_problem(r, 503, "busy", "too many are asking; try again");
	else
		http_reply_problem(r, 503, "dataplane_away", "the dataplane is away");
}

static void on_page(void *arg, int status, const struct dp_session *s, size_t n, uint64_t next)
{
	struct look *k = arg;
	json_t *items;
	char cursor[24];

	if (status) {
		away(k->request, status);
		free(k);
		return;
	}
	items = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(items, session_json(k->daemon, k->what, &s[i], s, n));
	snprintf(cursor, sizeof(cursor), "%" PRIu64, next);
	http_reply_json(k->request, 200,
		json_pack("{s:o, s:s?}", "items", items, "next", next ? cursor : NULL));
	free(k);
}

static struct look *look_new(struct daemon *d, struct http_request *r, enum dp_dump_what what)
{
	struct look *k = calloc(1, sizeof(*k));

	if (!k) {
		http_reply_problem(r, 500, NULL, "out of memory");
		return NULL;
	}
	*k = (struct look){.daemon = d, .request = r, .what = what};
	return k;
}

// A page's cursor is the dataplane's own. The wrong kind is answered (false).
static bool take_cursor(struct http_request *r, uint64_t *cursor)
{
	const char *text = http_query(r, "cursor");
	char *end;

	*cursor = 0;
	if (!text)
		return true;
	*cursor = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end)
		return true;
	http_reply_problem(r, 400, NULL, "the cursor is none that a list gave");
	return false;
}

static void list(struct http_request *r, struct daemon *d, enum dp_dump_what what)
{
	const char *stream = http_query(r, "stream");
	uint64_t cursor;
	size_t limit;
	struct look *k;

	if (!list_limit(r, DP_DUMP_MAX, &limit) || !take_cursor(r, &cursor))
		return;
	if (stream && strlen(stream) >= DP_STREAM_NAME) {
		http_reply_problem(r, 400, NULL, "stream is no stream name");
		return;
	}
	k = look_new(d, r, what);
	if (k)
		dplink_sessions(d->dplink, what, stream, cursor, (uint32_t)limit, on_page, k);
}

static void on_kicked(void *arg, int status)
{
	struct look *k = arg;

	if (!status)
		http_reply_empty(k->request, 204);
	else if (status == -ENOENT)
		http_reply_problem(k->request, 404, NULL, "the %s has gone", noun_of(k));
	else if (status == -EINVAL)
		http_reply_problem(k->request, 409, "not_a_caller",
			"only who called by SRT can be banned: delete the route");
	else if (status == -ENOSPC)
		http_reply_problem(k->request, 409, "full",
			"too many addresses are banned: deny ranges of them instead");
	else
		away(k->request, status);
	free(k);
}

// ban_s of the query, 0 without it. False: answered.
static bool take_ban(struct http_request *r, uint32_t *ban_s)
{
	const char *text = http_query(r, "ban_s");
	char *end;
	unsigned long s;

	*ban_s = 0;
	if (!text)
		return true;
	s = strtoul(text, &end, 10);
	if (*text < '1' || *text > '9' || *end || s > SESSION_BAN_S_MAX) {
		http_reply_problem(
			r, 400, "invalid", "ban_s: seconds from 1 to %d", SESSION_BAN_S_MAX);
		return false;
	}
	*ban_s = (uint32_t)s;
	return true;
}

// All of its stream's publishers, which is one with its links.
static void on_links(void *arg, int status, const struct dp_session *s, size_t n, uint64_t)
{
	struct look *k = arg;

	if (status)
		away(k->request, status);
	else
		http_reply_json(k->request, 200, session_json(k->daemon, k->what, &k->found, s, n));
	free(k);
}

static void found(struct look *k, const struct dp_session *s)
{
	if (k->kick) {
		dplink_kick(k->daemon->dplink, k->wanted, k->ban_s, on_kicked, k);
		return;
	}
	if (s->group) {
		k->found = *s;
		dplink_sessions(k->daemon->dplink, k->what, s->stream, 0, DP_DUMP_MAX, on_links, k);
		return;
	}
	http_reply_json(k->request, 200, session_json(k->daemon, k->what, s, s, 1));
	free(k);
}

// Page by page until the one session is met.
static void on_search(void *arg, int status, const struct dp_session *s, size_t n, uint64_t next)
{
	struct look *k = arg;

	for (size_t i = 0; i < n; i++)
		if (s[i].key == k->wanted) {
			found(k, &s[i]);
			return;
		}
	if (!status && next) {
		dplink_sessions(k->daemon->dplink, k->what, NULL, next, DP_DUMP_MAX, on_search, k);
		return;
	}
	if (status)
		away(k->request, status);
	else
		http_reply_problem(k->request, 404, NULL, "there is no %s %.200s", noun_of(k),
			http_param(k->request, "id"));
	free(k);
}

static void search(struct http_request *r, struct daemon *d, enum dp_dump_what what, bool kick)
{
	uint64_t key = session_key_parse(d, http_param(r, "id"));
	struct look *k;
	uint32_t ban_s;

	if (!take_ban(r, &ban_s))
		return;

	if (!dplink_is_up(d->dplink)) {
		away(r, -ENOTCONN);
		return;
	}
	k = look_new(d, r, what);
	if (!k)
		return;
	k->wanted = key;
	k->kick = kick;
	k->ban_s = ban_s;
	if (key)
		dplink_sessions(d->dplink, what, NULL, 0, DP_DUMP_MAX, on_search, k);
	else
		on_search(k, 0, NULL, 0, 0);
}

static void on_subscribers(struct http_request *r, void *arg)
{
	list(r, arg, DP_DUMP_SUBSCRIBERS);
}

static void on_publishers(struct http_request *r, void *arg)
{
	list(r, arg, DP_DUMP_PUBLISHERS);
}

static void on_subscriber(struct http_request *r, void *arg)
{
	search(r, arg, DP_DUMP_SUBSCRIBERS, false);
}

static void on_publisher(struct http_request *r, void *arg)
{
	search(r, arg, DP_DUMP_PUBLISHERS, false);
}

static void on_kick_subscriber(struct http_request *r, void *arg)
{
	search(r, arg, DP_DUMP_SUBSCRIBERS, true);
}

static void on_kick_publisher(struct http_request *r, void *arg)
{
	search(r, arg, DP_DUMP_PUBLISHERS, true);
}

int v1_session_routes(struct daemon *d)
{
	static const struct {
		const char *method, *pattern;
		enum http_role role;
		http_handler handler;
	} all[] = {
		{"GET", "/v1/subscribers", HTTP_ROLE_READ, on_subscribers},
		{"GET", "/v1/subscribers/{id}", HTTP_ROLE_READ, on_subscriber},
		{"DELETE", "/v1/subscribers/{id}", HTTP_ROLE_OPERATE, on_kick_subscriber},
		{"GET", "/v1/publishers", HTTP_ROLE_READ, on_publishers},
		{"GET", "/v1/publishers/{id}", HTTP_ROLE_READ, on_publisher},
		{"DELETE", "/v1/publishers/{id}", HTTP_ROLE_OPERATE, on_kick_publisher},
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all) && !rc; i++)
		rc = http_route(
			d->http, all[i].method, all[i].pattern, all[i].role, all[i].handler, d);
	return rc;
}
