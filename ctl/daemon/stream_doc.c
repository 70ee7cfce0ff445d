// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The document of a stream: its intent, who publishes it, its counters, its histograms.

#include "ctl/daemon/daemon_priv.h"

#include <string.h>

// Who publishes a stream, as an id: a session, or the source that carries it.
static json_t *publisher_json(struct daemon *d, const struct live_stream *s)
{
	struct intent_item item = {0};
	const char *after = NULL;
	char id[SESSION_ID_MAX];

	if (!s || !s->publisher)
		return json_null();
	if (s->publisher != UINT64_MAX)
		return json_string(session_id(d, s->publisher, id, sizeof(id)));
	for (; intent_next(d->intent, DP_SOURCE, after, &item); after = item.name) {
		const char *name = json_string_value(json_object_get(item.doc, "stream"));

		if (name && !strcmp(name, s->name))
			return json_string(item.name);
	}
	return json_null();
}

static json_t *hist_json(const struct dp_hist *h)
{
	json_t *buckets = json_array();
	uint64_t n = 0;

	for (unsigned i = 0; i < DP_HIST_BUCKETS; i++) {
		bool last = i == DP_HIST_BUCKETS - 1;

		n += h->buckets[i];
		if (h->buckets[i])
			json_array_append_new(buckets,
				json_pack("{s:o, s:I}", "le_ms",
					last ? json_null()
					     : json_real((double)dp_hist_bound_us(i) / 1e3),
					"count", (json_int_t)h->buckets[i]));
	}
	return json_pack("{s:I, s:f, s:o}", "count", (json_int_t)n, "sum_ms",
		(double)h->sum_us / 1e3, "buckets", buckets);
}

json_t *stream_hists_json(struct daemon *d, const char *name)
{
	static const char *const kinds[] = {"publisher_rtt", "subscriber_rtt", "recovery"};
	const struct live_stream *s = snapshot_stream(&d->snapshot, name);
	json_t *out = json_object();
	struct dp_hist h;

	for (unsigned i = 0; s && i < DP_HIST_KINDS; i++)
		if (snapshot_hist(&d->snapshot, s, i, &h))
			json_object_set_new(out, kinds[i], hist_json(&h));
	return out;
}

json_t *stream_json(struct daemon *d, const struct intent_item *item, const struct live_stream *s)
{
	static const struct live_stream nothing;
	const struct live_stream *n = s ? s : &nothing;
	json_t *out, *bare = NULL;

	if (!item)
		bare = json_pack("{s:s}", "name", s->name);
	out = resource_intent(resource_find("stream"), item ? item->doc : bare);
	json_decref(bare);
	json_object_update_new(out,
		json_pack("{s:b, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			"declared", item != NULL, "state", stream_state_word(n->state), "publisher",
			publisher_json(d, s), "subscribers", (json_int_t)n->subscribers,
			"rx_packets", (json_int_t)n->rx_packets, "rx_bytes",
			(json_int_t)n->rx_bytes, "rx_bitrate", (json_int_t)n->rx_bitrate,
			"lost_packets", (json_int_t)n->lost_packets, "recovered_packets",
			(json_int_t)n->recovered_packets, "late_packets",
			(json_int_t)n->late_packets, "tx_packets", (json_int_t)n->tx_packets,
			"tx_bytes", (json_int_t)n->tx_bytes, "retransmitted_packets",
			(json_int_t)n->retransmitted_packets, "dropped_packets",
			(json_int_t)n->dropped_packets));
	json_object_set_new(out, "histograms", json_null()); // of one stream at a time
	// Why a declared stream cannot be used: no room for it.
	json_object_set_new(out, "error", item ? object_error_json(d, item) : json_null());
	return out;
}
