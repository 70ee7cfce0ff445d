#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// URLs of listeners, sources and routes: srt://, rtp://, udp:// (interface.md 5, conventions 1).
//
//   udp://10.0.0.2:5000?ttl=4&dscp=46&iface=eth0
//   rtp://@239.1.1.1:5004?source=10.0.0.9&reorder=50
//   srt://[2001:db8::1]:9000?streamid=#!::r=live/cam1,m=publish&latency=200
//
// Values may be percent-encoded; a bare % and # are let through, since libsrt's tools never encode.
// Parameters of SRT have libsrt's names and FFmpeg's; latency is in milliseconds. Every fault is
// one sentence, which never repeats a value.

#include "base/endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	URL_MAX = 511,	    // bytes of a URL
	URL_HOST_MAX = 253, // bytes of a host name (RFC 1035, 2.3.4)
	URL_IFACE_MAX = 15,
};

// Stands for a passphrase where URLs are shown, and is understood as the one that is known.
#define URL_HIDDEN "***"

enum url_scheme { URL_UDP = 1, URL_RTP = 2, URL_SRT = 4 };

// Parameters, in the order in which url_canonical writes them.
#define URL_KEYS(X)                               \
	X(ADAPTER, adapter)                       \
	X(BINDTODEVICE, bindtodevice)             \
	X(CONNTIMEO, conntimeo)                   \
	X(CRYPTOMODE, cryptomode)                 \
	X(DRIFTTRACER, drifttracer)               \
	X(DSCP, dscp)                             \
	X(ENFORCEDENCRYPTION, enforcedencryption) \
	X(FC, fc)                                 \
	X(GROUPCONNECT, groupconnect)             \
	X(IFACE, iface)                           \
	X(INPUTBW, inputbw)                       \
	X(IPTOS, iptos)                           \
	X(IPTTL, ipttl)                           \
	X(IPV6ONLY, ipv6only)                     \
	X(KMPREANNOUNCE, kmpreannounce)           \
	X(KMREFRESHRATE, kmrefreshrate)           \
	X(LATENCY, latency)                       \
	X(LINGER, linger)                         \
	X(LOSSMAXTTL, lossmaxttl)                 \
	X(MAXBW, maxbw)                           \
	X(MAXREXMITBW, maxrexmitbw)               \
	X(MESSAGEAPI, messageapi)                 \
	X(MININPUTBW, mininputbw)                 \
	X(MINVERSION, minversion)                 \
	X(MODE, mode)                             \
	X(MSS, mss)                               \
	X(NAKREPORT, nakreport)                   \
	X(OHEADBW, oheadbw)                       \
	X(PACKETFILTER, packetfilter)             \
	X(PASSPHRASE, passphrase)                 \
	X(PAYLOADSIZE, payloadsize)               \
	X(PBKEYLEN, pbkeylen)                     \
	X(PEERIDLETIMEO, peeridletimeo)           \
	X(PEERLATENCY, peerlatency)               \
	X(PORT, port)                             \
	X(RCVBUF, rcvbuf)                         \
	X(RCVLATENCY, rcvlatency)                 \
	X(REORDER, reorder)                       \
	X(RETRANSMITALGO, retransmitalgo)         \
	X(SNDBUF, sndbuf)                         \
	X(SNDDROPDELAY, snddropdelay)             \
	X(SOURCE, source)                         \
	X(STREAMID, streamid)                     \
	X(TLPKTDROP, tlpktdrop)                   \
	X(TRANSTYPE, transtype)                   \
	X(TSBPDMODE, tsbpdmode)                   \
	X(TTL, ttl)

enum url_key {
#define X(id, name) URL_##id,
	URL_KEYS(X)
#undef X
		URL_N_KEYS
};

struct url {
	enum url_scheme scheme;
	bool literal;		     // host is an address, or empty
	struct endpoint at;	     // port always; address when literal (empty host: any IPv4)
	char host[URL_HOST_MAX + 1]; // as text without brackets, lower case; empty: none given
	uint16_t params[URL_N_KEYS]; // where the value stands in text, 0: absent
	char text[URL_MAX + URL_N_KEYS + 1]; // decoded values; numbers and booleans normalised
	uint16_t used;
};

// Parse and check every parameter for its type and scheme. Returns 0, or -EINVAL and one sentence
// in err (out untouched).
int url_parse(const char *text, struct url *out, char *err, size_t cap);

// Does the URL fit its use? Returns 0, or -EINVAL and one sentence.
int url_check_listener(const struct url *u, char *err, size_t cap);
int url_check_source(const struct url *u, char *err, size_t cap);
int url_check_route(const struct url *u, char *err, size_t cap);

// A parameter's value, decoded; NULL when absent. Booleans are "0" or "1".
const char *url_param(const struct url *u, enum url_key key);
int64_t url_number(const struct url *u, enum url_key key, int64_t fallback);

// The one spelling of equal URLs, secrets left out: what identity is made of (decisions B12). And
// the same with passphrase=***, for people. Returns 0 or -ENAMETOOLONG.
int url_canonical(const struct url *u, char *buf, size_t cap);
int url_show(const struct url *u, char *buf, size_t cap);
