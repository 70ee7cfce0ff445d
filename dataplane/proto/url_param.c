// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/url_param.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER(id, name, schemes, min, max) \
	[URL_##id] = {name, URL_T_NUMBER, schemes, min, max, NULL}
#define BOOL(id, name) [URL_##id] = {name, URL_T_BOOL, URL_SRT, 0, 0, NULL}
#define TEXT(id, name, schemes, min, max) [URL_##id] = {name, URL_T_TEXT, schemes, min, max, NULL}
#define ADDRESS(id, name, schemes) [URL_##id] = {name, URL_T_ADDRESS, schemes, 0, 0, NULL}
#define WORD(id, name, words) [URL_##id] = {name, URL_T_WORD, URL_SRT, 0, 0, words}

#define PLAIN (URL_UDP | URL_RTP)

// Ranges: libsrt, docs/API/API-socket-options.md.
const struct url_param_rule url_rules[URL_N_KEYS] = {
	ADDRESS(ADAPTER, "adapter", URL_SRT),
	TEXT(BINDTODEVICE, "bindtodevice", URL_SRT, 1, URL_IFACE_MAX),
	NUMBER(CONNTIMEO, "conntimeo", URL_SRT, 0, INT32_MAX),
	NUMBER(CRYPTOMODE, "cryptomode", URL_SRT, 0, 2),
	BOOL(DRIFTTRACER, "drifttracer"),
	NUMBER(DSCP, "dscp", PLAIN, 0, 63),
	BOOL(ENFORCEDENCRYPTION, "enforcedencryption"),
	NUMBER(FC, "fc", URL_SRT, 32, INT32_MAX),
	BOOL(GROUPCONNECT, "groupconnect"),
	TEXT(IFACE, "iface", PLAIN, 1, URL_IFACE_MAX),
	NUMBER(INPUTBW, "inputbw", URL_SRT, 0, INT64_MAX),
	NUMBER(IPTOS, "iptos", URL_SRT, 0, 255),
	NUMBER(IPTTL, "ipttl", URL_SRT, 1, 255),
	NUMBER(IPV6ONLY, "ipv6only", URL_SRT, -1, 1),
	NUMBER(KMPREANNOUNCE, "kmpreannounce", URL_SRT, 0, INT32_MAX),
	NUMBER(KMREFRESHRATE, "kmrefreshrate", URL_SRT, 0, INT32_MAX),
	NUMBER(LATENCY, "latency", URL_SRT, 0, UINT16_MAX), // 16 bits of milliseconds on the wire
	NUMBER(LINGER, "linger", URL_SRT, 0, INT32_MAX),
	NUMBER(LOSSMAXTTL, "lossmaxttl", URL_SRT, 0, INT32_MAX),
	NUMBER(MAXBW, "maxbw", URL_SRT, -1, INT64_MAX),
	NUMBER(MAXREXMITBW, "maxrexmitbw", URL_SRT, -1, INT64_MAX),
	BOOL(MESSAGEAPI, "messageapi"),
	NUMBER(MININPUTBW, "mininputbw", URL_SRT, 0, INT64_MAX),
	[URL_MINVERSION] = {"minversion", URL_T_VERSION, URL_SRT, 0, 0, NULL},
	WORD(MODE, "mode", "caller|listener|rendezvous"),
	NUMBER(MSS, "mss", URL_SRT, 76, 65535),
	BOOL(NAKREPORT, "nakreport"),
	NUMBER(OHEADBW, "oheadbw", URL_SRT, 5, 100),
	TEXT(PACKETFILTER, "packetfilter", URL_SRT, 1, 64),
	TEXT(PASSPHRASE, "passphrase", URL_SRT, 10, 80), // decisions A26
	NUMBER(PAYLOADSIZE, "payloadsize", URL_SRT, 0, 1456),
	WORD(PBKEYLEN, "pbkeylen", "0|16|24|32"),
	NUMBER(PEERIDLETIMEO, "peeridletimeo", URL_SRT, 0, INT32_MAX),
	NUMBER(PEERLATENCY, "peerlatency", URL_SRT, 0, UINT16_MAX),
	NUMBER(PORT, "port", URL_SRT, 1, 65535),
	NUMBER(RCVBUF, "rcvbuf", URL_SRT, 0, INT32_MAX),
	NUMBER(RCVLATENCY, "rcvlatency", URL_SRT, 0, UINT16_MAX),
	NUMBER(REORDER, "reorder", URL_RTP, 0, 10000), // milliseconds
	NUMBER(RETRANSMITALGO, "retransmitalgo", URL_SRT, 0, 1),
	NUMBER(SNDBUF, "sndbuf", URL_SRT, 0, INT32_MAX),
	NUMBER(SNDDROPDELAY, "snddropdelay", URL_SRT, -1, INT32_MAX),
	ADDRESS(SOURCE, "source", PLAIN),
	TEXT(STREAMID, "streamid", URL_SRT, 0, 512),
	BOOL(TLPKTDROP, "tlpktdrop"),
	WORD(TRANSTYPE, "transtype", "live|file"),
	BOOL(TSBPDMODE, "tsbpdmode"),
	NUMBER(TTL, "ttl", PLAIN, 1, 255),
};

// FFmpeg's and OBS's spellings.
static const struct alias {
	const char *name;
	enum url_key key;
} aliases[] = {
	{"connect_timeout", URL_CONNTIMEO},
	{"enforced_encryption", URL_ENFORCEDENCRYPTION},
	{"ffs", URL_FC},
	{"localip", URL_ADAPTER},
	{"localport", URL_PORT},
	{"payload_size", URL_PAYLOADSIZE},
	{"pkt_size", URL_PAYLOADSIZE},
};

static bool is_name(const char *name, size_t len, const char *want)
{
	return strlen(want) == len && !memcmp(name, want, len);
}

int url_key_find(const char *name, size_t len)
{
	for (int k = 0; k < URL_N_KEYS; k++)
		if (is_name(name, len, url_rules[k].name))
			return k;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (is_name(name, len, aliases[i].name))
			return aliases[i].key;
	return -1;
}

static int number_check(const struct url_param_rule *r, char *value)
{
	char *end;
	long long v;
	size_t len = strlen(value);

	if ((*value < '0' || *value > '9') && *value != '-')
		return -EINVAL;
	errno = 0;
	v = strtoll(value, &end, 10);
	if (errno || *end || end == value || v < r->min || v > r->max)
		return -EINVAL;
	snprintf(value, len + 1, "%lld", v); // never longer than what was read
	return 0;
}

static int bool_check(char *value)
{
	static const char *const yes[] = {"1", "true", "yes", "on"};
	static const char *const no[] = {"0", "false", "no", "off"};

	for (size_t i = 0; i < 4; i++) {
		bool y = !strcasecmp(value, yes[i]);

		if (y || !strcasecmp(value, no[i])) {
			value[0] = y ? '1' : '0';
			value[1] = '\0';
			return 0;
		}
	}
	return -EINVAL;
}

static int word_check(const char *words, const char *value)
{
	size_t len = strlen(value);

	for (const char *w = words; len && w; w = strchr(w, '|')) {
		w += *w == '|';
		if (!strncmp(w, value, len) && (w[len] == '|' || !w[len]))
			return 0;
	}
	return -EINVAL;
}

static int version_check(const char *value)
{
	unsigned a, b, c;
	int n = 0;

	return sscanf(value, "%3u.%3u.%3u%n", &a, &b, &c, &n) == 3 && !value[n] ? 0 : -EINVAL;
}

static int says(char *err, size_t cap, const struct url_param_rule *r, const char *kind)
{
	switch (r->type) {
	case URL_T_NUMBER:
		snprintf(err, cap, "%s is a number from %" PRId64 " to %" PRId64, r->name, r->min,
			r->max);
		break;
	case URL_T_TEXT:
		snprintf(err, cap, "%s has %" PRId64 " to %" PRId64 " bytes", r->name, r->min,
			r->max);
		break;
	default:
		snprintf(err, cap, "%s is %s", r->name, kind);
	}
	return -EINVAL;
}

int url_value_check(enum url_key key, char *value, char *err, size_t cap)
{
	const struct url_param_rule *r = &url_rules[key];
	size_t len = strlen(value);
	struct endpoint e = {0};

	if (key == URL_PASSPHRASE && !strcmp(value, URL_HIDDEN))
		return 0;
	switch (r->type) {
	case URL_T_NUMBER:
		return number_check(r, value) ? says(err, cap, r, "") : 0;
	case URL_T_BOOL:
		return bool_check(value) ? says(err, cap, r, "yes or no") : 0;
	case URL_T_TEXT:
		return (int64_t)len < r->min || (int64_t)len > r->max ? says(err, cap, r, "") : 0;
	case URL_T_ADDRESS:
		return !len || endpoint_parse_ip(value, &e) ? says(err, cap, r, "an IP address")
							    : 0;
	case URL_T_WORD:
		return word_check(r->words, value) ? says(err, cap, r, r->words) : 0;
	case URL_T_VERSION:
		return version_check(value) ? says(err, cap, r, "a version such as 1.3.0") : 0;
	}
	return -EINVAL;
}
