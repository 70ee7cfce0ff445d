// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "sim/party.h"

#include "base/seq.h"
#include "proto/srt_clock.h"
#include "proto/srt_hs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void fault(struct party *p, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (p->fault[0])
		return;
	n = snprintf(p->fault, sizeof(p->fault), "%s: ", p->name);
	va_start(ap, fmt);
	vsnprintf(p->fault + n, sizeof(p->fault) - (size_t)n, fmt, ap);
	va_end(ap);
}

static void send_handshake(struct party *p, ts_us now, uint8_t *data, size_t len)
{
	be32_put(data + 8, be32_get(data + 8) + p->clock_shift);
	link_send(p->out, now, data, len);
}

// --- handshake ------------------------------------------------------------------------------

void party_caller(struct party *p, const char *name, struct link *out, ts_us now, bool sending,
	uint32_t own_id, uint32_t isn, uint32_t latency_ms)
{
	*p = (struct party){.name = name,
		.caller = true,
		.sending = sending,
		.out = out,
		.own_id = own_id,
		.isn = isn,
		.latency_ms = latency_ms,
		.t0 = now};
	srt_caller_init(&p->call, now, own_id, isn, (uint16_t)latency_ms, 0, "sim");
}

void party_listener(struct party *p, const char *name, struct link *out, bool sending,
	uint32_t own_id, uint32_t latency_ms)
{
	*p = (struct party){.name = name,
		.sending = sending,
		.out = out,
		.own_id = own_id,
		.latency_ms = latency_ms};
}

static void come_up(struct party *p, ts_us now, uint32_t peer_id, uint32_t flags, uint32_t base_ts,
	uint32_t rcv_ms, uint32_t peer_ms)
{
	p->up = true;
	if (!p->sending) {
		srt_conn_init_rcv(&p->conn, now, &p->rcv,
			&(struct srt_rcv_opts){.own_id = p->own_id,
				.peer_id = peer_id,
				.isn = p->isn,
				.t0 = p->t0 - p->clock_shift,
				.base_arrival = now,
				.base_ts = base_ts,
				.latency_us = rcv_ms * TS_MS,
				.peer_rexmitflg = flags & SRT_F_REXMITFLG});
		return;
	}
	srt_conn_init_snd(&p->conn, now,
		&(struct srt_snd_opts){.peer_id = peer_id,
			.isn = p->isn,
			.t0 = p->t0 - p->clock_shift,
			.latency_us = peer_ms * TS_MS,
			.peer_flags = flags});
	srt_snd_set_rate(&p->conn.snd, p->rate);
	p->first = p->media->n;
}

static void answer(struct party *p, ts_us now, const struct srt_hs_req *r)
{
	uint8_t out[SRT_HS_ANSWER_MAX];
	struct srt_hs_answer a = {.own_id = p->own_id,
		.caller_id = r->caller_id,
		.isn = r->isn,
		.mss = 1500,
		.window = SRT_RCV_WINDOW,
		.cookie = r->cookie,
		.flags = SRT_F_OURS,
		.own_rcv_latency_ms = (uint16_t)p->latency_ms,
		.peer_rcv_latency_ms = r->rcv_latency_ms};
	size_t len = srt_hs_answer_write(&a, srt_clock_at(p->t0, now), out, sizeof(out));

	send_handshake(p, now, out, len);
}

static void feed_listener(struct party *p, ts_us now, const uint8_t *data, size_t len)
{
	uint8_t out[SRT_HS_LEN];
	struct srt_hs_req r;

	if (srt_hs_classify(data, len) == SRT_HS_INDUCTION) {
		srt_hs_induction_answer(data, 4711, out);
		send_handshake(p, now, out, sizeof(out));
		return;
	}
	if (srt_hs_conclusion_parse(data, len, &r) || r.cookie != 4711) {
		fault(p, "conclusion refused");
		return;
	}
	if (!p->up) {
		p->isn = r.isn;
		p->t0 = now;
		come_up(p, now, r.caller_id, r.flags, be32_get(data + 8), p->latency_ms,
			r.rcv_latency_ms);
	}
	answer(p, now, &r);
}

static void feed_caller(struct party *p, ts_us now, const uint8_t *data, size_t len)
{
	srt_caller_feed(&p->call, now, data, len);
	if (p->call.state == SRT_CALLER_FAILED && p->call.error != -ETIMEDOUT)
		fault(p, "call failed: %d", p->call.error);
	if (p->call.state == SRT_CALLER_UP)
		come_up(p, now, p->call.peer_id, p->call.peer_flags, p->call.peer_ts,
			p->call.agreed_own_rcv_latency_ms, p->call.agreed_peer_rcv_latency_ms);
}

// --- sending --------------------------------------------------------------------------------

static uint32_t seq_of(const struct party *p, uint32_t n)
{
	return seq31_add(p->isn, n - p->first);
}

static void payload_make(uint32_t n, uint8_t out[PARTY_PAYLOAD])
{
	for (uint32_t i = 0; i < PARTY_PAYLOAD; i++)
		out[i] = (uint8_t)((n >> (i % 4) * 8) ^ i * 37);
}

static void emit(struct party *p, ts_us now, uint32_t n, uint32_t r)
{
	uint8_t d[SRT_HDR + PARTY_PAYLOAD];
	uint32_t word1 = SRT_WORD1_SINGLE | r | seq_msgno((uint64_t)p->msgno0 + n);

	srt_pkt_write_data(d, seq_of(p, n), word1, srt_snd_ts(&p->conn.snd, p->media->play[n]),
		p->conn.snd.peer_id);
	payload_make(n, d + SRT_HDR);
	srt_snd_note_sent(&p->conn.snd, now);
	link_send(p->out, now, d, sizeof(d));
}

void party_send(struct party *p, ts_us now, uint32_t n)
{
	if (!p->up || p->closed || n < p->first)
		return;
	p->stats.sent++;
	emit(p, now, n, 0);
}

static void send_dropreq(struct party *p, ts_us now, uint32_t first, uint32_t last)
{
	uint8_t d[SRT_DROPREQ_LEN];

	srt_snd_dropreq(&p->conn.snd, now, seq_of(p, first), seq_of(p, last), d);
	link_send(p->out, now, d, sizeof(d));
	p->stats.dropreqs++;
}

// What revealed a hole is the packet behind it, unless the hole was there before.
static void bound(struct party *p, ts_us now, uint32_t first, uint32_t last)
{
	const struct media *m = p->media;

	if (last + 1 < m->n && m->state[first] == MEDIA_HERE && m->state[last + 1] == MEDIA_HERE &&
		m->arrival[first] <= m->arrival[last + 1])
		srt_snd_bound(&p->conn.snd, now, m->arrival[last + 1]);
}

static void resend(struct party *p, ts_us now, uint32_t n)
{
	if (p->media->state[n] == MEDIA_UNKNOWN) {
		p->stats.pending++; // decisions A9: comes when it comes
		return;
	}
	if (p->media->state[n] == MEDIA_GONE) {
		send_dropreq(p, now, n, n);
		return;
	}
	if (srt_snd_fresh(&p->conn.snd, now, p->media->arrival[n])) {
		p->stats.repeated++;
		return;
	}
	switch (srt_snd_resend(&p->conn.snd, now, seq_of(p, n), p->media->play[n], PARTY_PAYLOAD)) {
	case SRT_RESEND_NOW:
		p->stats.resent++;
		for (unsigned i = srt_snd_copies(&p->conn.snd); i; i--)
			emit(p, now, n, srt_snd_rexmit_bit(&p->conn.snd));
		break;
	case SRT_RESEND_REPEATED:
		p->stats.repeated++;
		break;
	case SRT_RESEND_LATE:
		p->stats.late++;
		send_dropreq(p, now, n, n);
		break;
	case SRT_RESEND_BUDGET:
		p->stats.over_budget++;
		break;
	}
}

// The media number of a sequence number the peer speaks of. False, and a fault: never sent.
static bool number_of(struct party *p, uint32_t seq, uint32_t beyond, uint32_t *n)
{
	int32_t off = seq31_off(p->isn, seq);

	*n = p->first + (uint32_t)off;
	if (off >= 0 && *n < p->media->n + beyond)
		return true;
	fault(p, "peer speaks of %u, %d from its first, newest is %u", seq, off, p->media->n);
	return false;
}

static void handle_nak(struct party *p, ts_us now, const uint8_t *cif, size_t len)
{
	struct srt_loss l = srt_loss_of(cif, len);
	uint32_t first, last, a, b;

	p->stats.naks++;
	while (srt_loss_next(&l, &first, &last)) {
		if (!number_of(p, first, 0, &a) || !number_of(p, last, 0, &b))
			return;
		bound(p, now, a, b);
		for (; a <= b; a++)
			resend(p, now, a);
	}
}

// What follows such a number may be missing too.
static void probe(struct party *p, ts_us now, uint32_t n)
{
	struct srt_snd *s = &p->conn.snd;

	for (; n < p->media->n && srt_snd_told(s, now, p->media->arrival[n]); n++)
		if (p->media->state[n] == MEDIA_HERE &&
			srt_snd_probe(s, now, seq_of(p, n), p->media->play[n], PARTY_PAYLOAD)) {
			p->stats.resent++;
			emit(p, now, n, srt_snd_rexmit_bit(s));
		}
}

// A number its ACKs stand at is asked for too, when they would tell of it.
static void handle_standing(struct party *p, ts_us now)
{
	uint8_t list[4];
	uint32_t n;

	if (!srt_snd_standing(&p->conn.snd, list))
		return;
	if (!number_of(p, be32_get(list), 1, &n) || n >= p->media->n ||
		!srt_snd_told(&p->conn.snd, now, p->media->arrival[n]))
		return;
	resend(p, now, n);
	probe(p, now, n + 1);
}

static void watch_ack(struct party *p, const uint8_t *data, size_t len)
{
	struct srt_ctrl c;
	struct srt_ack a;
	uint32_t n;

	if (srt_pkt_parse_ctrl(data, len, &c) || c.type != SRT_ACK || srt_ack_parse(&c, &a))
		return;
	p->stats.acks++;
	number_of(p, a.next, 1, &n);
}

// --- receiving ------------------------------------------------------------------------------

// Everything missing before the next packet that found it missing is too late at that one's play
// time.
static ts_us last_chance(const struct party *p, uint32_t n)
{
	for (uint32_t m = n + 1; m < p->media->n; m++)
		if (p->media->state[m] == MEDIA_HERE && !p->media->again[m])
			return p->media->play[m] + p->latency_ms * TS_MS / 48;
	return TS_NEVER;
}

static void handle_media(
	struct party *p, ts_us now, const uint8_t *payload, const struct srt_verdict *v)
{
	struct media *m = p->media;
	uint8_t want[PARTY_PAYLOAD];
	uint32_t n = p->first + (uint32_t)v->seq;

	if (n >= m->total) {
		fault(p, "number %u was never sent", n);
		return;
	}
	payload_make(n, want);
	if (v->len != PARTY_PAYLOAD || memcmp(payload, want, PARTY_PAYLOAD))
		fault(p, "payload of %u differs", n);
	if (m->state[n] != MEDIA_UNKNOWN)
		fault(p, "%u delivered after it was %s", n,
			m->state[n] == MEDIA_HERE ? "delivered" : "given up");
	if (now > last_chance(p, n))
		fault(p, "%u came at %llu, too late", n, (unsigned long long)now);
	m->state[n] = MEDIA_HERE;
	m->again[n] = v->recovered;
	m->play[n] = v->play;
	m->arrival[n] = now;
	p->stats.delivered++;
	p->stats.hurried += now > v->play;
	if (n >= m->n)
		m->n = n + 1;
	if (p->onward)
		party_send(p->onward, now, n);
}

static void list_given_up(struct party *p, ts_us now)
{
	uint64_t first, last;

	while (srt_conn_gave_up(&p->conn, &first, &last)) {
		for (uint64_t n = first; n <= last && p->first + n < p->media->total; n++) {
			if (p->media->state[p->first + n] != MEDIA_UNKNOWN)
				fault(p, "%u given up though known", (unsigned)n);
			p->media->state[p->first + n] = MEDIA_GONE;
			if (p->first + n >= p->media->n) // dropped before it was ever seen
				p->media->n = p->first + (uint32_t)n + 1;
			p->stats.gave_up++;
		}
		if (p->onward && p->onward->up && last >= p->onward->first)
			send_dropreq(p->onward, now,
				first > p->onward->first ? (uint32_t)first : p->onward->first,
				(uint32_t)last);
	}
}

// --- the session ----------------------------------------------------------------------------

static void feed_session(struct party *p, ts_us now, const uint8_t *data, size_t len)
{
	struct srt_verdict v;

	if (srt_pkt_dst(data) != p->own_id)
		return;
	if (srt_conn_feed(&p->conn, now, data, len, &v))
		fault(p, "malformed packet");
	list_given_up(p, now);
	if (p->sending)
		watch_ack(p, data, len);
	if (v.action == SRT_DELIVER)
		handle_media(p, now, data + v.off, &v);
	else if (v.action == SRT_RESEND)
		handle_nak(p, now, data + v.off, v.len);
	else if (v.action == SRT_CLOSE)
		p->closed = true;
	else if (v.action == SRT_DROP && v.why != SRT_WHY_DUPLICATE && v.why != SRT_WHY_LATE &&
		 !p->closed)
		fault(p, "dropped a packet: %d", v.why);
}

void party_feed(struct party *p, ts_us now, const uint8_t *data, size_t len)
{
	if (!p->caller && !srt_pkt_dst(data))
		feed_listener(p, now, data, len);
	else if (p->up)
		feed_session(p, now, data, len);
	else if (p->caller)
		feed_caller(p, now, data, len);
}

void party_run(struct party *p, ts_us now)
{
	uint8_t d[SRT_POLL_MAX];
	ssize_t n;

	if (p->caller && !p->up) {
		srt_caller_on_expiry(&p->call, now);
		while ((n = srt_caller_poll(&p->call, now, d, sizeof(d))) > 0)
			send_handshake(p, now, d, (size_t)n);
	}
	if (!p->up)
		return;
	if (now >= srt_conn_expiry(&p->conn))
		srt_conn_on_expiry(&p->conn, now);
	list_given_up(p, now);
	if (p->sending)
		handle_standing(p, now);
	while ((n = srt_conn_poll(&p->conn, now, d, sizeof(d))) > 0)
		link_send(p->out, now, d, (size_t)n);
	if (!p->closed && srt_conn_dead(&p->conn, now))
		fault(p, "the peer is taken for dead");
}

ts_us party_expiry(const struct party *p)
{
	if (!p->up)
		return p->caller ? srt_caller_expiry(&p->call) : TS_NEVER;
	return p->closed ? TS_NEVER : srt_conn_expiry(&p->conn);
}

void party_close(struct party *p, ts_us now)
{
	srt_conn_close(&p->conn);
	p->closed = true;
	party_run(p, now);
}
