// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "sim/check.h"

#include <stdio.h>

static void check(struct sim *s, bool ok, const char *what, uint64_t a, uint64_t b)
{
	if (!ok && !s->fault[0])
		snprintf(s->fault, sizeof(s->fault), "%s: %llu, %llu", what, (unsigned long long)a,
			(unsigned long long)b);
}

// Everything is here or given up, in order of play, and the books agree.
static void check_receiver(struct sim *s, struct party *p)
{
	const struct srt_rcv_stats *st = srt_rcv_stats(&p->rcv);
	const struct media *m = p->media;
	uint32_t gone = 0;
	ts_us last = 0;

	for (uint32_t n = p->first; n < s->plan.packets; n++) {
		check(s, m->state[n] != MEDIA_UNKNOWN, "neither here nor given up", n, m->n);
		gone += m->state[n] == MEDIA_GONE;
		if (m->state[n] != MEDIA_HERE)
			continue;
		check(s, m->play[n] > last, "play times out of order", m->play[n], last);
		last = m->play[n];
	}
	check(s, !s->plan.roomy || !gone, "given up though the latency allows repair", gone, 0);
	check(s,
		st->missed ==
			st->recovered + srt_rcv_given_up(&p->rcv) + p->rcv.intake.window.missing,
		"missed is not recovered and given up", st->missed,
		st->recovered + srt_rcv_given_up(&p->rcv));
	check(s, st->unique == p->stats.delivered, "unique is not delivered", st->unique,
		p->stats.delivered);
	check(s, st->packets == st->unique + st->duplicate + st->late, "packets do not add up",
		st->packets, st->unique + st->duplicate + st->late);
}

// A repair per loss, or reordering taken for one, with room for repairs that get lost too.
// `crossed` holes were filled while requests for them were under way. What is sent before the peer
// has the handshake's answer is lost too, and asked for several times while the round trip is
// unknown.
static void check_sender(
	struct sim *s, const struct party *p, const struct link *out, uint64_t crossed)
{
	uint64_t cause = out->lost + out->sent * out->cfg.reorder_ppm / 1000000 + crossed / 2;
	uint64_t early = 2 * p->conn.snd.rtt.us / s->plan.period_us;

	check(s, p->stats.resent <= 3 * (cause + early) + 40, "too many repairs", p->stats.resent,
		cause);
}

static void check_calm(struct sim *s, const struct party *p, int sender)
{
	const struct party_stats *t = &s->parties[sender].stats;

	check(s, s->calm.settled, "never settled", s->made.n, s->plan.packets);
	for (uint32_t n = s->calm.n; n < s->plan.packets; n++)
		check(s, p->media->state[n] == MEDIA_HERE, "lost on a perfect path", n, s->calm.n);
	check(s, t->resent == s->calm.resent[sender], "repairs on a perfect path", t->resent,
		s->calm.resent[sender]);
	check(s, t->naks == s->calm.naks[sender], "reports on a perfect path", t->naks,
		s->calm.naks[sender]);
	check(s, !p->rcv.intake.window.missing, "holes on a perfect path",
		p->rcv.intake.window.missing, 0);
}

void check_all(struct sim *s)
{
	// Three seconds may be too short for a handshake on a path that loses up to 40 %.
	if (!s->plan.roomy &&
		(sim_no_session(&s->parties[PUB]) || sim_no_session(&s->parties[SUB])))
		return;
	check(s, s->parties[REL_IN].up, "publisher never came up", 0, 0);
	if (sim_faulty(s))
		return;
	check_receiver(s, &s->parties[REL_IN]);
	check_sender(s, &s->parties[PUB], &s->links[PUB_TO_REL], 0);
	if (s->plan.heal_after && (!s->plan.chain || s->parties[SUB].up))
		check_calm(s, &s->parties[REL_IN], PUB);
	if (!s->plan.chain)
		return;
	if (!s->plan.roomy && !s->parties[SUB].up)
		return; // the publisher was done before
	check(s, s->joined && s->parties[SUB].up, "player never came up", s->joined, 0);
	if (sim_faulty(s))
		return;
	check_receiver(s, &s->parties[SUB]);
	check_sender(s, &s->parties[REL_OUT], &s->links[REL_TO_SUB],
		s->parties[REL_IN].rcv.link.stats.recovered);
	if (s->plan.heal_after)
		check_calm(s, &s->parties[SUB], REL_OUT);
}
