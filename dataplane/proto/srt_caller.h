#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The calling end of the SRT handshake (draft-sharabayko-srt-01, 4.3; srt-wire 5): a small machine,
// fed and polled.

#include "base/ts.h"
#include "proto/srt_hs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum srt_caller_state {
	SRT_CALLER_INDUCTION,
	SRT_CALLER_CONCLUSION,
	SRT_CALLER_UP,
	SRT_CALLER_FAILED
};

struct srt_caller {
	uint32_t own_id, isn;
	uint16_t own_rcv_latency_ms, peer_rcv_latency_ms; // asked for
	const char *streamid; // borrowed for the life of the machine; may be NULL
	enum srt_caller_state state;
	const uint8_t *km; // KMREQ, borrowed likewise; NULL: clear
	uint16_t km_len;
	uint32_t cookie;
	ts_us started, sent, due; // due: next repeat
	ts_us patience;		  // until it gives up
	uint32_t own_mss;
	int error; // FAILED: enum srt_rej, or -ETIMEDOUT, -EPROTO
	// UP:
	uint32_t peer_id, window, mss, peer_flags;
	uint32_t peer_isn; // libsrt returns ours
	uint16_t agreed_own_rcv_latency_ms, agreed_peer_rcv_latency_ms;
	uint32_t peer_ts; // timestamp of the answer, and when it came: the TSBPD base
	ts_us up_at;
	bool send_due;
};

// The connection's clock starts at 100 s at `now` (srt-wire 5.5). Latencies: of what we receive,
// and of what the peer does.
void srt_caller_init(struct srt_caller *c, ts_us now, uint32_t own_id, uint32_t isn,
	uint16_t own_rcv_latency_ms, uint16_t peer_rcv_latency_ms, const char *streamid);
// Bring a key: before the first poll. The answer has to echo it, else the call fails with
// SRT_REJ_BADSECRET or SRT_REJ_UNSECURE.
void srt_caller_set_km(struct srt_caller *c, const uint8_t *km, uint16_t km_len);
// What libsrt calls conntimeo (3 s) and mss (1,500 bytes). Before the first poll.
void srt_caller_set_limits(struct srt_caller *c, ts_us patience, uint32_t mss);
void srt_caller_feed(struct srt_caller *c, ts_us now, const uint8_t *data, size_t len);
// The next packet, into buf of at least SRT_HS_REQUEST_MAX bytes: its length; 0: nothing to send.
ssize_t srt_caller_poll(struct srt_caller *c, ts_us now, uint8_t *buf, size_t cap);
ts_us srt_caller_expiry(const struct srt_caller *c);
void srt_caller_on_expiry(struct srt_caller *c, ts_us now); // repeat after 250 ms, or fail
