// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// UDP and RTP without sessions: constant-rate senders, and sinks that check.

#include "load/check.h"
#include "load/load.h"
#include "load/payload.h"
#include "load/report.h"
#include "load/target.h"
#include "proto/rtp.h"
#include "proto/rtp_rx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CATCH_UP = 64 }; // packets at once, after a stall of this program

struct flow {
	struct wheel_entry timer; // first: a popped entry is its flow
	uint32_t index;
	bool done;
	// send
	struct endpoint to;
	uint32_t tag, ssrc;
	uint16_t seq;
	ts_us due;
	uint64_t sent;
	// recv
	struct rtp_rx rtp;
	struct gaps gaps;
	uint64_t received, foreign, corrupt, malformed, delay_us;
};

struct flows {
	struct flow *all;
	uint32_t n;
	bool rtp, send;
	ts_us period; // 1/1000 us
};

static int flows_new(struct load *l, bool send, struct url *u, char *err, size_t cap)
{
	struct flows *f = calloc(1, sizeof(*f));
	int rc;

	l->peers = f;
	snprintf(err, cap, "out of memory");
	if (!f)
		return -ENOMEM;
	f->all = calloc(l->opts.count, sizeof(*f->all));
	if (!f->all)
		return -ENOMEM;
	rc = target_url(l->opts.url, 0, URL_UDP | URL_RTP, u, err, cap);
	if (rc)
		return rc;
	if (u->at.port + l->opts.count > 65536) {
		snprintf(err, cap, "the ports of so many peers run past 65535");
		return -EINVAL;
	}
	f->n = l->n_active = l->opts.count;
	f->rtp = u->scheme == URL_RTP;
	f->send = send;
	f->period = (ts_us)PAYLOAD_LEN * 8 * TS_S * 1000 / l->opts.rate_bps;
	return 0;
}

static int send_start(struct load *l, char *err, size_t cap)
{
	struct endpoint to;
	struct flows *f;
	struct url u;
	int rc = flows_new(l, true, &u, err, cap);

	if (!rc)
		rc = target_resolve(&u, &to, err, cap);
	if (!rc)
		rc = net_open(&l->net, &to,
			&(struct net_via){.ttl = (uint8_t)url_number(&u, URL_TTL, 0),
				.dscp = (uint8_t)url_number(&u, URL_DSCP, 0),
				.iface = url_param(&u, URL_IFACE)},
			err, cap);
	if (rc)
		return rc;
	f = l->peers;
	for (uint32_t i = 0; i < f->n; i++) {
		struct flow *one = &f->all[i];

		one->index = i;
		one->to = to;
		one->to.port = (uint16_t)(to.port + i);
		one->tag = (uint32_t)rand_u64(&l->rand);
		one->ssrc = (uint32_t)rand_u64(&l->rand);
		one->seq = (uint16_t)rand_u64(&l->rand);
		one->due = l->started + (ts_us)i * TS_S / l->opts.join_rate;
		wheel_arm(&l->wheel, &one->timer, one->due);
	}
	return 0;
}

static int recv_start(struct load *l, char *err, size_t cap)
{
	struct net_bind b = {0};
	struct flows *f;
	struct url u;
	int rc = flows_new(l, false, &u, err, cap);

	if (rc)
		return rc;
	if (!u.literal) {
		snprintf(err, cap, "recv binds an address, not a name");
		return -EINVAL;
	}
	b.at = u.at;
	b.iface = url_param(&u, URL_IFACE);
	if (url_param(&u, URL_SOURCE))
		endpoint_parse_ip(url_param(&u, URL_SOURCE), &b.source);
	f = l->peers;
	for (uint32_t i = 0; i < f->n; i++) {
		f->all[i].index = i;
		rtp_rx_init(&f->all[i].rtp);
	}
	return net_bind(&l->net, &b, f->n, err, cap);
}

static ts_us due_of(const struct load *l, const struct flow *one)
{
	return one->due + one->sent * ((const struct flows *)l->peers)->period / 1000;
}

static void send_one(struct load *l, struct flow *one)
{
	ts_us now = ts_now();
	const struct flows *f = l->peers;
	uint8_t pkt[RTP_HDR + PAYLOAD_LEN];
	size_t hdr = f->rtp ? RTP_HDR : 0;

	if (f->rtp)
		rtp_write(pkt, &(struct rtp_hdr){.seq = one->seq++,
				       .ssrc = one->ssrc,
				       .pt = RTP_PT_MP2T,
				       .ts = (uint32_t)(now * 9 / 100)});
	payload_make(l->opts.layout,
		&(struct payload){
			.n = one->sent, .sent = now, .tag = one->tag, .index = one->index},
		pkt + hdr);
	hist_note(&l->meter.lag, now - due_of(l, one));
	net_send(&l->net, now, &l->net.socks[0], &one->to, pkt, hdr + PAYLOAD_LEN);
	one->sent++;
	l->n_packets++;
}

static void flow_end(struct load *l, struct flow *one)
{
	l->n_active -= !one->done;
	one->done = true;
}

static void note_behind(struct load *l, ts_us now, ts_us due)
{
	if (now > due)
		l->behind = ts_max(l->behind, now - due);
}

static void send_due(struct load *l, ts_us now, struct flow *one)
{
	unsigned burst = 0;

	while (!one->done && due_of(l, one) <= now && burst++ < CATCH_UP) {
		ts_us due = due_of(l, one);

		send_one(l, one);
		if (l->opts.packets && one->sent >= l->opts.packets) {
			note_behind(l, now, due);
			flow_end(l, one);
		}
	}
}

static void send_timer(struct load *l, ts_us now, struct wheel_entry *e)
{
	struct flow *one = (struct flow *)e;

	send_due(l, now, one);
	if (!one->done)
		wheel_arm(&l->wheel, e, due_of(l, one));
}

static void send_pace(struct load *l, ts_us now)
{
	struct flows *f = l->peers;

	for (uint32_t i = 0; i < f->n; i++)
		send_due(l, now, &f->all[i]);
}

static void recv_rx(struct load *l, struct net_sock *s, ts_us now, const uint8_t *data, size_t len)
{
	const struct flows *f = l->peers;
	struct flow *one = &f->all[s->index];
	struct rtp_rx_verdict v = {.len = (uint16_t)len};
	struct payload p;
	int rc;

	one->received++;
	if (f->rtp) {
		rtp_rx_feed(&one->rtp, now, data, len, &v);
		one->malformed += v.action == RTP_RX_MALFORMED;
		if (v.action == RTP_RX_MALFORMED)
			return;
	}
	l->n_packets++;
	rc = payload_check(&l->meter.reader, data + v.off, v.len, &p);
	one->foreign += rc == PAYLOAD_FOREIGN;
	one->corrupt += rc == PAYLOAD_CORRUPT;
	if (rc)
		return;
	one->delay_us += now > p.sent ? now - p.sent : 0;
	meter_note(&l->meter, &p, now);
	gaps_note(&one->gaps, p.tag, p.n);
	if (l->opts.packets && one->gaps.unique >= l->opts.packets)
		flow_end(l, one);
}

static void send_rx(struct load *l, struct net_sock *s, ts_us now, const uint8_t *data, size_t len)
{
	// Nobody answers a stream.
}

static void recv_timer(struct load *l, ts_us now, struct wheel_entry *e)
{
	// None is armed: sinks wait for data only.
}

static void flows_settle(struct load *l, ts_us now)
{
	// Bursts are flushed by the loop.
}

static void flows_stop(struct load *l, ts_us now)
{
	struct flows *f = l->peers;

	for (uint32_t i = 0; i < f->n; i++) {
		if (f->send && !f->all[i].done)
			note_behind(l, now, due_of(l, &f->all[i]));
		flow_end(l, &f->all[i]);
	}
}

static void flows_fini(struct load *l)
{
	struct flows *f = l->peers;

	if (f)
		free(f->all);
	free(f);
}

static bool send_report(struct load *l, json_t *out)
{
	const struct flows *f = l->peers;
	uint64_t sent = 0;

	for (uint32_t i = 0; i < f->n; i++)
		sent += f->all[i].sent;
	json_object_set_new(out, "sent", json_integer((json_int_t)sent));
	return report_put_sending(l, out) && sent > 0 && !l->net.stats.tx_refused;
}

static uint64_t missing_of(const struct flows *f, const struct flow *one)
{
	return one->gaps.begun ? gaps_missing(&one->gaps) : f->rtp ? rtp_rx_lost(&one->rtp) : 0;
}

static void put_sinks(const struct flows *f, json_t *out)
{
	uint64_t *values[3];
	json_t *per_peer = json_object();
	static const char *const keys[] = {"unique", "missing", "delay_us"};

	for (unsigned k = 0; k < 3; k++) {
		values[k] = calloc(f->n, sizeof(uint64_t));
		for (uint32_t i = 0; values[k] && i < f->n; i++) {
			const struct flow *one = &f->all[i];
			uint64_t n = one->gaps.unique + one->gaps.duplicate;

			values[k][i] = k == 0	? one->gaps.unique
				       : k == 1 ? missing_of(f, one)
				       : n	? one->delay_us / n
						: 0;
		}
		json_object_set_new(per_peer, keys[k],
			values[k] ? report_spread(values[k], f->n) : json_null());
		free(values[k]);
	}
	json_object_set_new(out, "per_peer", per_peer);
}

static bool recv_report(struct load *l, json_t *out)
{
	const struct flows *f = l->peers;
	struct flow sum = {0};
	uint64_t missing = 0, silent = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		const struct flow *one = &f->all[i];

		sum.received += one->received;
		sum.gaps.unique += one->gaps.unique;
		sum.gaps.duplicate += one->gaps.duplicate;
		sum.corrupt += one->corrupt;
		sum.foreign += one->foreign;
		sum.malformed += one->malformed;
		missing += missing_of(f, one);
		silent += !one->received;
	}
	json_object_update_new(out,
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "received",
			(json_int_t)sum.received, "unique", (json_int_t)sum.gaps.unique, "missing",
			(json_int_t)missing, "duplicates", (json_int_t)sum.gaps.duplicate,
			"corrupt", (json_int_t)sum.corrupt, "foreign", (json_int_t)sum.foreign,
			"malformed", (json_int_t)sum.malformed, "silent", (json_int_t)silent));
	put_sinks(f, out);
	report_put_meter(l, out);
	return !missing && !silent && !sum.corrupt && !sum.malformed;
}

const struct role role_send = {
	.name = "send",
	.start = send_start,
	.rx = send_rx,
	.timer = send_timer,
	.settle = flows_settle,
	.pace = send_pace,
	.stop = flows_stop,
	.report = send_report,
	.fini = flows_fini,
};

const struct role role_recv = {
	.name = "recv",
	.start = recv_start,
	.rx = recv_rx,
	.timer = recv_timer,
	.settle = flows_settle,
	.stop = flows_stop,
	.report = recv_report,
	.fini = flows_fini,
};
