#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One SRT session after its handshake: a switch over its two roles. The sending part lies inside;
// the receiving part, which is thirty times larger, is lent by the caller (a pool) for the life of
// the session. An association has one role: live mode sends one way.

#include "proto/srt_rcv.h"
#include "proto/srt_snd.h"

#include <assert.h>

enum srt_conn_role {
	SRT_CONN_SND, // the peer plays: a subscriber, a push target
	SRT_CONN_RCV, // the peer publishes
};

struct srt_conn {
	union {
		struct srt_snd snd;  // first: its hot part shares a cache line with nothing else
		struct srt_rcv *rcv; // borrowed
	};
	enum srt_conn_role role;
};

static_assert(sizeof(struct srt_conn) <= 192, "a session, its line's place included, is 256 bytes");

void srt_conn_init_snd(struct srt_conn *c, ts_us now, const struct srt_snd_opts *o);
void srt_conn_init_rcv(
	struct srt_conn *c, ts_us now, struct srt_rcv *memory, const struct srt_rcv_opts *o);

// A further link of a group that is here (srt_rcv_join).
void srt_conn_join_rcv(struct srt_conn *c, ts_us now, struct srt_rcv *memory,
	const struct srt_rcv_opts *o, const struct srt_rcv *with);

// One datagram whose destination id and address are this session's. Always fills out; returns 0, or
// -EBADMSG when malformed (then out is a DROP).
int srt_conn_feed(
	struct srt_conn *c, ts_us now, const uint8_t *data, size_t len, struct srt_verdict *out);
// The next packet of our own, 0 when there is none; buf of at least SRT_POLL_MAX bytes. Call it
// until 0 after each feed or batch of feeds, and after on_expiry.
ssize_t srt_conn_poll(struct srt_conn *c, ts_us now, uint8_t *buf, size_t cap);
// Holes that will never be filled (receiving role; a sender never has any). Call it until false
// after feed and on_expiry.
bool srt_conn_gave_up(struct srt_conn *c, uint64_t *first, uint64_t *last);
ts_us srt_conn_expiry(const struct srt_conn *c);
void srt_conn_on_expiry(struct srt_conn *c, ts_us now);
// The peer said SHUTDOWN or has been silent for 5 s.
bool srt_conn_dead(const struct srt_conn *c, ts_us now);
// The next poll yields SHUTDOWN.
void srt_conn_close(struct srt_conn *c);
const struct srt_rtt *srt_conn_rtt(const struct srt_conn *c);
