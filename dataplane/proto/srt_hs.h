#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The SRT handshake, version 5 (draft-sharabayko-srt-01, 3.2.1 and 4.3; srt-wire 3, 5).
//
// Listener: induction is answered without state, conclusions are parsed into a request that the
// admission step decides; answers are written from state, so a repeat is answered afresh.
// The other end is srt_caller.

#include "base/ts.h"
#include "proto/srt_km.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SRT_HS_LEN = 64, // header and fixed part: an induction is exactly this
	SRT_HS_ANSWER_MAX = 160 + 12 + 4 + SRT_KM_MAX,
	SRT_SID_MAX = 512,
	SRT_HS_REQUEST_MAX = 64 + 16 + 4 + SRT_SID_MAX + 4 + SRT_KM_MAX, // a caller's conclusion
	SRT_VERSION = 0x00010504, // what we announce: GCM as it is since then (srt-wire 11.7)
	SRT_VERSION_MIN = 0x00010300,
	SRT_VERSION_GCM = 0x00010504, // whose GCM we speak
};

enum srt_hs_flag { // HSREQ/HSRSP, srt-wire 3.3
	SRT_F_TSBPDSND = 0x01,
	SRT_F_TSBPDRCV = 0x02,
	SRT_F_CRYPT = 0x04,
	SRT_F_TLPKTDROP = 0x08,
	SRT_F_NAKREPORT = 0x10,
	SRT_F_REXMITFLG = 0x20,
	SRT_F_STREAM = 0x40,
	SRT_F_FILTERCAP = 0x80,
	SRT_F_OURS = 0x3f, // what we can do: no byte stream, no packet filter
};

enum srt_rej { // wire values: 1000 + code (srt-wire 5.3)
	SRT_REJ_SYSTEM = 1001,
	SRT_REJ_RESOURCE = 1003,
	SRT_REJ_ROGUE = 1004,
	SRT_REJ_BACKLOG = 1005,
	SRT_REJ_CLOSE = 1007,
	SRT_REJ_VERSION = 1008,
	SRT_REJ_BADSECRET = 1010,
	SRT_REJ_UNSECURE = 1011,
	SRT_REJ_MESSAGEAPI = 1012,
	SRT_REJ_CONGESTION = 1013,
	SRT_REJ_FILTER = 1014,
	SRT_REJ_GROUP = 1015,
	SRT_REJ_CRYPTO = 1017,
	SRT_REJX_KEY_NOTSUP = 2001,
	SRT_REJX_BAD_REQUEST = 2400,
	SRT_REJX_UNAUTHORIZED = 2401,
	SRT_REJX_OVERLOAD = 2402,
	SRT_REJX_FORBIDDEN = 2403,
	SRT_REJX_NOTFOUND = 2404,
	SRT_REJX_BAD_MODE = 2405,
	SRT_REJX_UNACCEPTABLE = 2406,
	SRT_REJX_CONFLICT = 2409,
	SRT_REJX_NOTSUP_MEDIA = 2415,
	SRT_REJX_FAILED_DEPEND = 2424,
	SRT_REJX_DOWN = 2503,
};

enum srt_hs_kind { SRT_HS_NONE, SRT_HS_INDUCTION, SRT_HS_CONCLUSION, SRT_HS_RENDEZVOUS };

// What a handshake datagram for the listener is, by its fixed part alone.
enum srt_hs_kind srt_hs_classify(const uint8_t *data, size_t len);
uint32_t srt_hs_cookie(const uint8_t *data); // of a datagram that classify accepted
uint32_t srt_hs_caller_id(const uint8_t *data);

// Answer an induction in place of its copy: out has SRT_HS_LEN bytes.
void srt_hs_induction_answer(const uint8_t *data, uint32_t cookie, uint8_t out[SRT_HS_LEN]);

// A caller's link says which group it belongs to (srt-wire 15).
enum { SRT_GROUP_BIT = 0x40000000, SRT_GROUP_BROADCAST = 1, SRT_GROUP_BACKUP = 2 };

struct srt_hs_group {
	uint32_t id; // with SRT_GROUP_BIT; 0: it is no link of a group
	uint8_t type, flags;
	uint16_t weight;
};

// A conclusion that passed srt-wire 5.2 steps 3 to 5 and 7.
struct srt_hs_req {
	uint32_t caller_id, isn, mss, window, cookie;
	uint32_t version, flags;
	uint16_t rcv_latency_ms, snd_latency_ms; // the caller's words: when it receives, when we do
	uint16_t streamid_len;
	char streamid[SRT_SID_MAX + 1]; // as sent, zero padding stripped, terminated
	struct srt_hs_group group;
	bool encrypted; // it brought a KMREQ
	uint16_t km_len;
	uint8_t km[SRT_KM_MAX]; // that, not looked into
};

// What of it stands in the fixed part: enough to refuse it.
void srt_hs_fixed_req(const uint8_t *data, struct srt_hs_req *out);

// Returns 0; an enum srt_rej to answer with (out->caller_id, cookie and isn are filled then too);
// -EBADMSG when the datagram is to be dropped silently.
int srt_hs_conclusion_parse(const uint8_t *data, size_t len, struct srt_hs_req *out);

struct srt_hs_answer {
	uint32_t own_id, caller_id, isn, mss, window, cookie;
	uint32_t flags;					  // HSRSP
	uint16_t own_rcv_latency_ms, peer_rcv_latency_ms; // final (srt-wire 3.3)
	uint8_t caller_ip[16];				  // v4-mapped
	struct srt_hs_group group;			  // ours, when the caller has one
	uint16_t km_len;				  // KMRSP: the caller's KMREQ; 0: none
	uint8_t km[SRT_KM_MAX];
};

// The MSS to answer a peer that announced `mss`: it counts 28 bytes of IP and UDP headers whatever
// the version (srt-wire 10), so that IPv6 has 20 bytes less of a 1,500-byte packet.
uint32_t srt_hs_mss(uint32_t mss, bool v6);
// The largest payload of such a peer, bytes; GCM's tag takes 16 of them.
uint16_t srt_hs_payload_max(uint32_t mss, bool v6, bool gcm);

// ts: the connection's clock now (srt-wire 5.2 step 2: fresh on every repeat). Returns the length.
size_t srt_hs_answer_write(const struct srt_hs_answer *a, uint32_t ts, uint8_t *out, size_t cap);

// A bare rejection; returns SRT_HS_LEN.
size_t srt_hs_reject_write(const struct srt_hs_req *r, int code, uint8_t out[SRT_HS_LEN]);
