// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/resources.h"

#include "ctl/api/resource_access.h"
#include "ctl/api/resource_check.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LATENCY_MS_MAX 20000 // more is a value in microseconds, the classic mistake
#define HISTORY_MS_MAX 60000
#define DIALECTS_MAX 16
#define RULES_MAX 32		 // of addresses, as the dataplane has room for
#define KM_REFRESH_MIN 128	 // below, keys would change faster than they can be confirmed
#define KM_REFRESH_MAX (1 << 30) // half of the numbers that packets have

// One line a field: reported by the daemon, never sent to it.
#define REPORTED(n, t, u, h)                                                           \
	{                                                                              \
		.name = n, .type = t, .unit = u, .help = h, .flags = RESOURCE_REPORTED \
	}
#define REPORTED_NULL(n, t, u, h)                           \
	{                                                   \
		.name = n, .type = t, .unit = u, .help = h, \
		.flags = RESOURCE_REPORTED | RESOURCE_NULL  \
	}
#define PACKETS(n, h) REPORTED(n, RESOURCE_INT, "packets", h)
#define BYTES(n, h) REPORTED(n, RESOURCE_INT, "bytes", h)
#define TEXT(n, h) REPORTED(n, RESOURCE_STRING, NULL, h)

static const char *const mode_words[] = {"play", "publish", NULL};
static const char *const mode_aliases[] = {"request", "play", NULL};
static const char *const rule_words[] = {"allow", "deny", NULL};
static const char *const auth_words[] = {"none", "token", "hook", NULL};
static const char *const failure_words[] = {"closed", "open", NULL};
static const char *const cipher_words[] = {"auto", "ctr", "gcm", NULL};
static const char *const leg_words[] = {"own", "shared", NULL};
static const char *const takeover_words[] = {"reject", "replace", "replace-stalled", NULL};
static const char *const object_states[] = {
	"pending", "active", "unresolved", "error", "held", NULL};
static const char *const stream_states[] = {"idle", "live", "stalled", NULL};
static const char *const proto_words[] = {"srt", "rtp", "udp", NULL};
static const char *const dataplane_words[] = {"connected", "away", NULL};

// What listeners, sources and routes report alike.
#define OBJECT_ID TEXT("id", "a letter and 10 hex digits, made from its identity")
#define OBJECT_STATE                                                          \
	TEXT("node", "the node it runs on"),                                  \
		{.name = "state",                                             \
			.type = RESOURCE_WORD,                                \
			.words = object_states,                               \
			.help = "pending, active, unresolved, error or held", \
			.flags = RESOURCE_REPORTED},                          \
		REPORTED_NULL("error", RESOURCE_STRING, NULL, "why it is not active")
#define STREAM_KEY                                                           \
	{                                                                    \
		.name = "stream", .meta = "STREAM", .type = RESOURCE_STRING, \
		.check = resource_check_stream, .max = RESOURCE_STREAM_MAX,  \
		.help = "name of the stream", .flags = RESOURCE_KEY          \
	}

#define RULES                                                                                     \
	{                                                                                         \
		.name = "acl", .meta = "CIDR", .type = RESOURCE_LIST, .words = rule_words,        \
		.check = resource_check_rule, .max = RULES_MAX, .fallback = "[]",                 \
		.help = "by address, repeatable: the first rule that matches decides, without a " \
			"match a list with an allow refuses",                                     \
		.flags = RESOURCE_SET                                                             \
	}
#define PASSPHRASE(n, fl, h)                                                                   \
	{                                                                                      \
		.name = n, .flag = fl, .meta = "F", .type = RESOURCE_STRING,                   \
		.check = resource_check_passphrase, .max = RESOURCE_PASSPHRASE_MAX, .help = h, \
		.flags = RESOURCE_SET | RESOURCE_SECRET                                        \
	}
#define AUTH(n, fl, h)                                                                        \
	{                                                                                     \
		.name = n, .flag = fl, .meta = "none|token|hook", .type = RESOURCE_WORD,      \
		.words = auth_words, .fallback = "\"none\"", .help = h, .flags = RESOURCE_SET \
	}

static const struct resource_field listener_fields[] = {
	OBJECT_ID,
	{.name = "url",
		.meta = "srt://ADDR:PORT",
		.type = RESOURCE_STRING,
		.check = resource_check_listener_url,
		.help = "where callers reach it",
		.flags = RESOURCE_KEY},
	{.name = "open",
		.flag = "open",
		.type = RESOURCE_BOOL,
		.fallback = "false",
		.help = "any stream id publishes and plays; streams are made on first publish",
		.flags = RESOURCE_SET},
	{.name = "default_stream",
		.flag = "default-stream",
		.meta = "NAME",
		.type = RESOURCE_STRING,
		.check = resource_check_stream,
		.max = RESOURCE_STREAM_MAX,
		.help = "stream of callers without a stream id",
		.flags = RESOURCE_SET},
	{.name = "default_mode",
		.flag = "default-mode",
		.meta = "play|publish",
		.type = RESOURCE_WORD,
		.words = mode_words,
		.aliases = mode_aliases,
		.fallback = "\"play\"",
		.help = "what a stream id means that does not say",
		.flags = RESOURCE_SET},
	{.name = "latency_ms",
		.flag = "latency",
		.meta = "MS",
		.type = RESOURCE_INT,
		.unit = "ms",
		.fallback = "120",
		.min = 1,
		.max = LATENCY_MS_MAX,
		.help = "SRT latency offered to callers",
		.flags = RESOURCE_SET},
	RULES,
	{.name = "dialects",
		.flag = "dialects",
		.meta = "LIST",
		.type = RESOURCE_LIST,
		.check = resource_check_dialect,
		.max = DIALECTS_MAX,
		.fallback = "[]",
		.help = "other servers' forms of stream ids to take too, as in sls,ome; without it "
			"all but ome and srtrelay",
		.flags = RESOURCE_SET},
	OBJECT_STATE,
};

static const struct resource_field stream_fields[] = {
	{.name = "name",
		.meta = "NAME",
		.type = RESOURCE_STRING,
		.check = resource_check_stream,
		.max = RESOURCE_STREAM_MAX,
		.help = "segments of A-Z a-z 0-9 . _ - with slashes between",
		.flags = RESOURCE_KEY},
	{.name = "latency_ms",
		.flag = "latency",
		.meta = "MS",
		.type = RESOURCE_INT,
		.unit = "ms",
		.min = 1,
		.max = LATENCY_MS_MAX,
		.help = "SRT latency; without it the listener's",
		.flags = RESOURCE_SET},
	{.name = "history_ms",
		.flag = "history",
		.meta = "MS",
		.type = RESOURCE_INT,
		.unit = "ms",
		.min = 100,
		.max = HISTORY_MS_MAX,
		.help = "how much is kept for repair and late joiners; without it as latency needs",
		.flags = RESOURCE_SET},
	{.name = "leg",
		.flag = "leg",
		.meta = "own|shared",
		.type = RESOURCE_WORD,
		.words = leg_words,
		.fallback = "\"own\"",
		.help = "whole latency for each leg, or one latency shared by both",
		.flags = RESOURCE_SET},
	{.name = "takeover",
		.flag = "takeover",
		.meta = "reject|replace|replace-stalled",
		.type = RESOURCE_WORD,
		.words = takeover_words,
		.fallback = "\"reject\"",
		.help = "a second publisher is refused, takes the first one's place, or only that "
			"of "
			"one that has sent nothing for 2 s",
		.flags = RESOURCE_SET},
	{.name = "max_subscribers",
		.flag = "max-subscribers",
		.meta = "N",
		.type = RESOURCE_INT,
		.min = 1,
		.max = 10000000,
		.help = "limit of its own, without it the node's; routes are not counted, and who "
			"is "
			"in stays when it is lowered",
		.flags = RESOURCE_SET},
	{.name = "repair_percent",
		.flag = "repair-percent",
		.meta = "N",
		.type = RESOURCE_INT,
		.unit = "percent",
		.fallback = "50",
		.min = 1,
		.max = 1000,
		.help = "most repairs per subscriber, of the stream's rate",
		.flags = RESOURCE_SET},
	{.name = "slow_after_s",
		.flag = "slow-after",
		.meta = "S",
		.type = RESOURCE_INT,
		.unit = "s",
		.fallback = "10",
		.min = 2,
		.max = 3600,
		.help = "a subscriber that acknowledges nothing for so long is closed, one over "
			"its "
			"repair budget after three times that",
		.flags = RESOURCE_SET},
	PASSPHRASE("publish_passphrase", "publish-passphrase-file",
		"publishers need it, 10 to 80 bytes: first line of F, - is the input"),
	PASSPHRASE("play_passphrase", "play-passphrase-file",
		"subscribers need it, 10 to 80 bytes: first line of F, - is the input"),
	{.name = "cryptomode",
		.flag = "cryptomode",
		.meta = "auto|ctr|gcm",
		.type = RESOURCE_WORD,
		.words = cipher_words,
		.fallback = "\"auto\"",
		.help = "cipher that encrypted callers have to bring; auto: any",
		.flags = RESOURCE_SET},
	{.name = "km_refresh_packets",
		.flag = "km-refresh",
		.meta = "PACKETS",
		.type = RESOURCE_INT,
		.unit = "packets",
		.min = KM_REFRESH_MIN,
		.max = KM_REFRESH_MAX,
		.help = "sent to a subscriber under one key; without it 16777216",
		.flags = RESOURCE_SET},
	AUTH("publish_auth", "publish-auth", "what a publisher is asked for, besides a passphrase"),
	AUTH("play_auth", "play-auth", "what a subscriber is asked for, besides a passphrase"),
	{.name = "hook",
		.flag = "hook",
		.meta = "URL",
		.type = RESOURCE_STRING,
		.check = resource_check_hook,
		.help = "asked by POST who may come in; without it the daemon's",
		.flags = RESOURCE_SET},
	{.name = "hook_failure",
		.flag = "hook-failure",
		.meta = "closed|open",
		.type = RESOURCE_WORD,
		.words = failure_words,
		.fallback = "\"closed\"",
		.help = "who comes in while the hook does not answer: nobody or everybody",
		.flags = RESOURCE_SET},
	RULES,
	REPORTED("declared", RESOURCE_BOOL, NULL, "false: made by an open listener"),
	{.name = "state",
		.type = RESOURCE_WORD,
		.words = stream_states,
		.help = "idle, live or stalled",
		.flags = RESOURCE_REPORTED},
	REPORTED_NULL("publisher", RESOURCE_STRING, NULL, "id of the publisher"),
	REPORTED("subscribers", RESOURCE_INT, NULL, "now"),
	PACKETS("rx_packets", "received"),
	BYTES("rx_bytes", "received"),
	REPORTED("rx_bitrate", RESOURCE_INT, "bit/s", "received, over the last second"),
	PACKETS("lost_packets", "never came, not even by repair"),
	PACKETS("recovered_packets", "came by repair"),
	PACKETS("late_packets", "came after they had been given up"),
	PACKETS("tx_packets", "delivered, all subscribers"),
	BYTES("tx_bytes", "delivered, all subscribers"),
	PACKETS("retransmitted_packets", "of those, repairs"),
	PACKETS("dropped_packets", "meant for subscribers and not sent"),
	REPORTED_NULL("histograms", RESOURCE_MAP, NULL,
		"publisher_rtt, subscriber_rtt and recovery: how often each took how long; of one "
		"stream at a time, null in lists"),
	REPORTED_NULL("error", RESOURCE_STRING, NULL, "why a declared stream cannot be used"),
};

static const struct resource_field source_fields[] = {
	OBJECT_ID,
	STREAM_KEY,
	{.name = "url",
		.meta = "URL",
		.type = RESOURCE_STRING,
		.check = resource_check_source_url,
		.help = "what to bind: udp://:PORT, rtp://:PORT, rtp://@GROUP:PORT?source=ADDR; or "
			"whom to call: srt://HOST:PORT?streamid=..",
		.flags = RESOURCE_KEY},
	PASSPHRASE("passphrase", "passphrase-file",
		"of an srt:// source, 10 to 80 bytes: first line of F, - is the input"),
	OBJECT_STATE,
	PACKETS("rx_packets", "received"),
	BYTES("rx_bytes", "received"),
};

static const struct resource_field route_fields[] = {
	OBJECT_ID,
	STREAM_KEY,
	{.name = "url",
		.meta = "URL",
		.type = RESOURCE_STRING,
		.check = resource_check_route_url,
		.help = "where to push: udp://HOST:PORT, rtp://HOST:PORT, with ?ttl= dscp= iface=; "
			"srt://HOST:PORT?streamid=.. calls a listener there",
		.flags = RESOURCE_KEY},
	PASSPHRASE("passphrase", "passphrase-file",
		"of an srt:// route, 10 to 80 bytes: first line of F, - is the input"),
	OBJECT_STATE,
	PACKETS("tx_packets", "sent"),
	BYTES("tx_bytes", "sent"),
};

// libsrt's name for it, of an SRT session; null for others.
#define LIBSRT(n, t, u, h) REPORTED_NULL(n, t, u, h)
#define SESSION_HEAD                                                                       \
	TEXT("id", "of the session, never used again"), TEXT("stream", "what it carries"), \
		{.name = "proto",                                                          \
			.type = RESOURCE_WORD,                                             \
			.words = proto_words,                                              \
			.help = "srt, rtp or udp",                                         \
			.flags = RESOURCE_REPORTED},                                       \
		REPORTED_NULL("peer", RESOURCE_STRING, NULL,                               \
			"address and port; null: a source that nobody sends to yet"),      \
		REPORTED("worker", RESOURCE_INT, NULL, "that serves it")
#define SESSION_TAIL                                                                             \
	REPORTED_NULL("rtt_ms", RESOURCE_NUMBER, "ms", "smoothed round trip; SRT only"),         \
		REPORTED_NULL("latency_ms", RESOURCE_INT, "ms", "negotiated; SRT only"),         \
		REPORTED("encrypted", RESOURCE_BOOL, NULL, "by a key of the session"),           \
		REPORTED_NULL("cipher", RESOURCE_STRING, NULL,                                   \
			"and length of that key: AES-128-CTR to AES-256-GCM"),                   \
		REPORTED_NULL("stream_id", RESOURCE_STRING, NULL,                                \
			"that it called with, secrets starred; null: none, or we called"),       \
		REPORTED_NULL("user", RESOURCE_STRING, NULL, "that it came in as"),              \
		REPORTED_NULL("token", RESOURCE_STRING, NULL, "id of the token that let it in"), \
		REPORTED_NULL("kid", RESOURCE_STRING, NULL, "of the key that signed it"),        \
		REPORTED("since", RESOURCE_TIME, NULL, "when it came")

static const struct resource_field subscriber_fields[] = {
	SESSION_HEAD,
	TEXT("state", "active"),
	PACKETS("tx_packets", "sent to it"),
	BYTES("tx_bytes", "sent to it"),
	PACKETS("retransmitted_packets", "repairs sent to it"),
	PACKETS("dropped_packets", "meant for it and not sent"),
	PACKETS("nak_packets", "loss reports that came from it"),
	SESSION_TAIL,
	REPORTED_NULL(
		"route", RESOURCE_STRING, NULL, "id of the route that it is; null: it called us"),
	LIBSRT("pktSentTotal", RESOURCE_INT, "packets", "sent, repairs included"),
	LIBSRT("pktSentUniqueTotal", RESOURCE_INT, "packets", "sent for the first time"),
	LIBSRT("pktRetransTotal", RESOURCE_INT, "packets", "repairs sent"),
	LIBSRT("pktSndDropTotal", RESOURCE_INT, "packets", "not sent, or too late to be repaired"),
	LIBSRT("byteSentTotal", RESOURCE_INT, "bytes", "sent, with 44 bytes of headers a packet"),
	LIBSRT("pktRecvACKTotal", RESOURCE_INT, "packets",
		"acknowledgements that reached the worker: listeners pass one of 16"),
	LIBSRT("pktRecvNAKTotal", RESOURCE_INT, "packets", "loss reports that came from it"),
	LIBSRT("msRTT", RESOURCE_NUMBER, "ms", "smoothed round trip"),
	LIBSRT("mbpsSendRate", RESOURCE_NUMBER, "Mbit/s", "mean since it came, headers included"),
	LIBSRT("pktFlightSize", RESOURCE_INT, "packets",
		"sent and not confirmed by the last acknowledgement that was passed"),
};

static const char *const group_words[] = {"broadcast", "backup", NULL};
static const char *const link_words[] = {"active", "standby", "silent", NULL};

static const struct resource_field publisher_fields[] = {
	SESSION_HEAD,
	PACKETS("rx_packets", "received"),
	BYTES("rx_bytes", "received"),
	PACKETS("lost_packets", "never came, not even by repair"),
	PACKETS("recovered_packets", "came by repair"),
	PACKETS("undecryptable_packets", "under no key of the session, or clear where it encrypts"),
	SESSION_TAIL,
	REPORTED_NULL(
		"source", RESOURCE_STRING, NULL, "id of the source that it is; null: it called us"),
	{.name = "group",
		.type = RESOURCE_WORD,
		.words = group_words,
		.help = "how the publisher is bonded, of which this is one link; null: not at all",
		.flags = RESOURCE_REPORTED | RESOURCE_NULL},
	{.name = "link_state",
		.type = RESOURCE_WORD,
		.words = link_words,
		.help = "active, standby (it says only that it lives) or silent (it does not)",
		.flags = RESOURCE_REPORTED | RESOURCE_NULL},
	REPORTED_NULL("link_weight", RESOURCE_INT, NULL, "as its caller says"),
	PACKETS("redundant_packets", "that another link had brought before"),
	REPORTED_NULL("links", RESOURCE_LIST, NULL,
		"of its group: id, peer, state, weight, rtt_ms, rx_packets, unique_packets, "
		"redundant_packets, missed_packets"),
	LIBSRT("pktRecvTotal", RESOURCE_INT, "packets", "received, repairs and doubles included"),
	LIBSRT("pktRecvUniqueTotal", RESOURCE_INT, "packets", "received in time, once each"),
	LIBSRT("pktRcvLossTotal", RESOURCE_INT, "packets", "found missing, repaired or not"),
	LIBSRT("pktRcvRetransTotal", RESOURCE_INT, "packets", "received as retransmissions"),
	LIBSRT("pktRcvDropTotal", RESOURCE_INT, "packets", "given up as too late"),
	LIBSRT("pktRcvBelatedTotal", RESOURCE_INT, "packets", "came after they had been given up"),
	LIBSRT("pktRcvUndecryptTotal", RESOURCE_INT, "packets", "came under no key we have"),
	LIBSRT("byteRecvTotal", RESOURCE_INT, "bytes", "received, 44 bytes of headers a packet"),
	LIBSRT("pktSentACKTotal", RESOURCE_INT, "packets", "acknowledgements sent"),
	LIBSRT("pktSentNAKTotal", RESOURCE_INT, "packets", "loss reports sent"),
	LIBSRT("msRTT", RESOURCE_NUMBER, "ms", "smoothed round trip"),
	LIBSRT("mbpsRecvRate", RESOURCE_NUMBER, "Mbit/s", "mean since it came, headers included"),
	LIBSRT("msRcvBuf", RESOURCE_NUMBER, "ms",
		"what waits behind a hole, at the mean rate: the rest is passed on at once"),
};

static const struct resource_field status_fields[] = {
	TEXT("node", "name of this node"),
	TEXT("region", "its region"),
	TEXT("version", "of the daemon"),
	REPORTED("uptime_s", RESOURCE_NUMBER, "s", "of the daemon"),
	{.name = "dataplane",
		.type = RESOURCE_WORD,
		.words = dataplane_words,
		.help = "connected or away",
		.flags = RESOURCE_REPORTED},
	REPORTED("ports", RESOURCE_LIST, NULL, "name, kind, mode"),
	REPORTED("workers", RESOURCE_LIST, NULL,
		"id, core, busy_ratio, rx_packets, rx_pps, tx_packets, tx_pps and more"),
	REPORTED("drops", RESOURCE_MAP, NULL, "packets by reason"),
	REPORTED("streams", RESOURCE_INT, NULL, "known now"),
	REPORTED("subscribers", RESOURCE_INT, NULL, "now"),
	REPORTED("held", RESOURCE_INT, NULL, "objects that the removal guard keeps"),
	REPORTED("store_ok", RESOURCE_BOOL, NULL, "false: the store cannot be read"),
	REPORTED_NULL("dataplane_version", RESOURCE_STRING, NULL, "of the dataplane"),
	REPORTED_NULL("dataplane_pid", RESOURCE_INT, NULL, "of the dataplane"),
	REPORTED_NULL("secrets_error", RESOURCE_STRING, NULL, "why secrets cannot be used"),
};

#define INTENT (RESOURCE_LISTED | RESOURCE_SHOWN | RESOURCE_ADDED | RESOURCE_PUT | RESOURCE_DELETED)
#define SESSION (RESOURCE_LISTED | RESOURCE_SHOWN | RESOURCE_DELETED)

const struct resource resources[] = {
	{"status", "status", NULL, "the node at a glance", status_fields, COUNT(status_fields),
		RESOURCE_SHOWN},
	{"listener", "listeners", "id", "where SRT callers arrive", listener_fields,
		COUNT(listener_fields), INTENT},
	{"stream", "streams", "name", "one live stream, however it comes and goes", stream_fields,
		COUNT(stream_fields), INTENT},
	{"source", "sources", "id", "a stream that is fetched or bound", source_fields,
		COUNT(source_fields), INTENT},
	{"route", "routes", "id", "a stream that is pushed somewhere", route_fields,
		COUNT(route_fields), INTENT},
	{"user", "users", "name", "who comes in with a passphrase of its own", user_fields,
		COUNT(user_fields), INTENT},
	{"key", "keys", "kid", "what tokens are signed with", key_fields, COUNT(key_fields),
		RESOURCE_LISTED | RESOURCE_SHOWN | RESOURCE_ADDED | RESOURCE_DELETED},
	{"token", "tokens", "id", "who holds one may come in; listed: those revoked", token_fields,
		COUNT(token_fields), RESOURCE_LISTED | RESOURCE_ADDED | RESOURCE_DELETED},
	{"sub", "subscribers", "id", "who is watching", subscriber_fields, COUNT(subscriber_fields),
		SESSION},
	{"pub", "publishers", "id", "who is publishing", publisher_fields, COUNT(publisher_fields),
		SESSION},
};
const size_t n_resources = COUNT(resources);

const struct resource *resource_find(const char *noun)
{
	for (size_t i = 0; i < n_resources; i++)
		if (!strcmp(resources[i].noun, noun))
			return &resources[i];
	return NULL;
}

const struct resource *resource_find_collection(const char *collection)
{
	for (size_t i = 0; i < n_resources; i++)
		if (!strcmp(resources[i].collection, collection))
			return &resources[i];
	return NULL;
}

const struct resource_field *resource_field_find(const struct resource *r, const char *name)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (!strcmp(r->fields[i].name, name))
			return &r->fields[i];
	return NULL;
}
