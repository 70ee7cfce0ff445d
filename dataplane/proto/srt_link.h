#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The way by which a publisher's packets come: whom we speak to, what we have said, its round trip,
// its losses (draft-sharabayko-srt-01, 4.8, 4.10; srt-wire 7, 8). What has come is in its intake.
//
// A group of libsrt (srt-wire 15) has several links into one intake, and every packet has the same
// number and time on each. Broadcast: all of them carry everything. Backup: one does, the others
// rest, until it fails; what had not been acknowledged is then sent again by another. A link is
// acknowledged and asked only for what it was to bring: more would break it (srt-wire 0.6).

#include "base/bytes.h"
#include "base/ts.h"
#include "proto/srt_acks.h"
#include "proto/srt_intake.h"
#include "proto/srt_naks.h"
#include "proto/srt_pkt.h"
#include "proto/srt_rtt.h"

#include <stdbool.h>
#include <stdint.h>

// missed: found missing. What of that was given up is known to srt_intake.
struct srt_rcv_stats {
	uint64_t packets, bytes, unique, again, missed, recovered, late;
	uint64_t duplicate; // only to check the sum: packets = unique + duplicate + late
	uint64_t redundant; // came first by another link
	uint64_t acks_sent, naks_sent;
};

struct srt_link {
	struct srt_link *next; // of the same intake
	struct srt_rtt rtt;
	struct srt_acks acks;
	struct srt_naks naks;
	struct srt_rcv_stats stats;
	uint32_t peer_id;
	ts_us t0, last_rx, last_tx, last_data;
	uint64_t first, end; // what it was to bring, up to the newest packet that it has brought
	bool resting;	     // nothing has come, or a keepalive since: the peer says nothing by it
	bool heard;	     // something has come
	bool joined;	     // the intake's clock is another link's ...
	int64_t lag_us;	     // ... and this path is so much longer, as of its first round trip

	bool peer_rexmitflg;
	bool close_due, closed;
};

void srt_link_init(struct srt_link *l, ts_us now, uint32_t peer_id, ts_us t0, bool peer_rexmitflg);
// One more link of an intake, and one less. `from`: the number it begins with.
void srt_link_add(struct srt_link *l, struct srt_intake *in, uint64_t from);
void srt_link_del(struct srt_link *l, struct srt_intake *in);
// After a rest it goes on with this packet: what came by others meanwhile was not to come by it.
void srt_link_wake(struct srt_link *l, const struct srt_intake *in, uint64_t number);
// It has brought this packet, which stands in the intake: what lies between is lost on it.
void srt_link_reached(struct srt_link *l, const struct srt_intake *in, ts_us now, uint64_t number);
// Its peer will not send first .. last by it. What nobody will is given up.
void srt_link_drop(struct srt_link *l, struct srt_intake *in, uint64_t first, uint64_t last);
// Of all links. To be called whenever holes may have gone.
void srt_link_tidy(const struct srt_intake *in);
void srt_link_ackack(
	struct srt_link *l, struct srt_intake *in, ts_us now, const struct srt_ctrl *c);
// The next packet to its peer. False: none.
bool srt_link_poll(struct srt_link *l, const struct srt_intake *in, ts_us now, struct bytes_out *b);
ts_us srt_link_expiry(const struct srt_link *l, const struct srt_intake *in);
