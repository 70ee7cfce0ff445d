// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// SRT publishers: a constant rate, open loop. Payloads are made anew for a retransmission, so a
// publisher remembers only when each packet was sent.

#include "base/seq.h"
#include "load/call.h"
#include "load/payload.h"
#include "load/secret.h"
#include "proto/srt_clock.h"

enum {
	CATCH_UP = 64,		  // packets at once, after a stall of this program
	LINGER_REPEAT = 50000,	  // the last packet again: its loss is noticed by nobody else
	LINGER_BEHIND = TS_S / 5, // longer than the latency
};

static ts_us due_of(const struct load *l, const struct call *c, uint64_t n)
{
	return c->due + n * ((const struct calls *)l->peers)->period / 1000;
}

void publish_begin(struct load *l, ts_us now, struct call *c)
{
	c->n_sent = 0;
	c->tag = (uint32_t)rand_u64(&l->rand);
	c->due = now +
		 rand_below(&l->rand, (uint32_t)(((struct calls *)l->peers)->period / 1000) + 1);
	srt_snd_set_rate(&c->conn.snd, (uint32_t)(l->opts.rate_bps / 8));
}

static void send_one(struct load *l, ts_us now, struct call *c, uint64_t n, uint32_t r)
{
	const struct calls *cs = l->peers;
	ts_us at = c->sent_at[n & cs->history_mask];
	uint8_t pkt[SRT_HDR + PAYLOAD_LEN];

	srt_pkt_write_data(pkt, seq31_add(c->isn, (uint32_t)(n & SEQ31_MASK)),
		SRT_WORD1_SINGLE | r | seq_msgno(n), srt_clock_at(c->t0, at), c->conn.snd.peer_id);
	payload_make(l->opts.layout,
		&(struct payload){.n = n, .sent = at, .tag = c->tag, .index = c->index},
		pkt + SRT_HDR);
	secret_seal(cs, c, pkt, sizeof(pkt));
	call_send(l, now, c, pkt, sizeof(pkt));
	srt_snd_note_sent(&c->conn.snd, now);
}

static bool all_acked(const struct call *c)
{
	return seq31_off(c->conn.snd.acked,
		       seq31_add(c->isn, (uint32_t)(c->n_sent & SEQ31_MASK))) <= 0;
}

// Before SHUTDOWN: a latency for what is still asked for, and for the peer to play the rest, for
// libsrt throws away at SHUTDOWN what it has not played.
static void linger(struct load *l, ts_us now, struct call *c)
{
	if (c->state == CALL_UP) {
		c->state = CALL_LINGER;
		c->hang_up_at = TS_NEVER;
		c->linger_until = now + c->conn.snd.latency_us + LINGER_BEHIND;
		c->repeat_at = now + LINGER_REPEAT;
		return;
	}
	if (now < c->repeat_at)
		return;
	c->repeat_at = now + LINGER_REPEAT;
	if (c->n_sent && !all_acked(c)) {
		send_one(l, now, c, c->n_sent - 1, srt_snd_rexmit_bit(&c->conn.snd));
		c->resent++;
	}
}

static bool has_sent_all(const struct load *l, const struct call *c)
{
	return l->opts.packets && c->sent >= l->opts.packets;
}

// A packet bears the time at which it goes, not that at which its round began.
static void send_next(struct load *l, struct call *c)
{
	const struct calls *cs = l->peers;
	ts_us now = ts_now();

	hist_note(&l->meter.lag, now - due_of(l, c, c->n_sent));
	c->sent_at[c->n_sent & cs->history_mask] = now;
	send_one(l, now, c, c->n_sent, 0);
	c->n_sent++;
	c->sent++;
	*(cs->n_play ? &l->n_sent : &l->n_packets) += 1;
}

void publish_due(struct load *l, ts_us now, struct call *c)
{
	unsigned burst = 0;

	if (l->stopping || has_sent_all(l, c)) {
		linger(l, now, c);
		return;
	}
	while (due_of(l, c, c->n_sent) <= now && burst++ < CATCH_UP) {
		if (has_sent_all(l, c))
			break;
		send_next(l, c);
	}
	if (has_sent_all(l, c))
		l->behind = ts_max(l->behind, ts_now() - due_of(l, c, c->n_sent - 1));
}

ts_us publish_behind(const struct load *l, ts_us now, const struct call *c)
{
	ts_us due = due_of(l, c, c->n_sent);

	return now > due ? now - due : 0;
}

ts_us publish_expiry(const struct load *l, const struct call *c)
{
	if (c->state == CALL_LINGER)
		return ts_min(c->repeat_at, c->linger_until);
	return due_of(l, c, c->n_sent);
}

static void resend_one(struct load *l, ts_us now, struct call *c, uint32_t seq)
{
	const struct calls *cs = l->peers;
	uint64_t n = seq31_extend(c->n_sent + c->isn, seq) - c->isn;
	uint8_t drop[SRT_DROPREQ_LEN];
	enum srt_resend say = SRT_RESEND_LATE;

	if (n >= c->n_sent)
		return; // asks for what was not sent
	if (c->n_sent - n <= cs->history_mask)
		say = srt_snd_resend(
			&c->conn.snd, now, seq, c->sent_at[n & cs->history_mask], PAYLOAD_LEN);
	if (say == SRT_RESEND_NOW) {
		for (unsigned i = srt_snd_copies(&c->conn.snd); i; i--)
			send_one(l, now, c, n, srt_snd_rexmit_bit(&c->conn.snd));
		c->resent++;
	} else if (say == SRT_RESEND_LATE) {
		c->nak_late++;
		call_send(l, now, c, drop, srt_snd_dropreq(&c->conn.snd, now, seq, seq, drop));
	} else if (say == SRT_RESEND_BUDGET) {
		c->nak_refused++;
	}
}

void publish_standing(struct load *l, ts_us now, struct call *c)
{
	const struct calls *cs = l->peers;
	uint8_t list[4];
	uint64_t n;

	if (!srt_snd_standing(&c->conn.snd, list))
		return;
	n = seq31_extend(c->n_sent + c->isn, be32_get(list)) - c->isn;
	if (n < c->n_sent && srt_snd_told(&c->conn.snd, now, c->sent_at[n & cs->history_mask]))
		resend_one(l, now, c, be32_get(list));
}

void publish_resend(struct load *l, ts_us now, struct call *c, const uint8_t *cif, size_t len)
{
	struct srt_loss loss = srt_loss_of(cif, len);
	uint32_t first, last;

	c->naks++;
	while (srt_loss_next(&loss, &first, &last))
		for (uint32_t seq = first; seq31_off(seq, last) >= 0; seq = seq31_add(seq, 1))
			resend_one(l, now, c, seq);
}
