// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/seq.h"
#include "io/arena.h"
#include "path/path.h"
#include "proto/srt_pkt.h"

#include <rte_mbuf.h>

// Copies under a key of their own: encrypted by bursts out of the shared payload into private
// frames, handed to the port, and given back as soon as the port has done with them.

// Packets of a burst: what has just been encrypted is summed and sent while it is in the nearest
// cache. A bundle of one subscriber's stays together.
#define SEAL_BURST 8u

struct seal {
	struct rte_mbuf *frames[SRT_CRYPT_BURST];
	struct srt_crypt_job jobs[SRT_CRYPT_BURST];
	struct port_payload out[SRT_CRYPT_BURST];
	uint8_t aad[SRT_CRYPT_BURST][SRT_GCM_AAD];
};

static_assert(RTE_PKTMBUF_HEADROOM >= PORT_ROOM, "in front of a private payload");

static inline uint8_t *room_of(struct rte_mbuf *m)
{
	return (uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM;
}

// The slot is computed, and which key stands in the line: a copy does not touch the session.
static inline const void *key_of(
	const struct path *p, enum srt_suite suite, const struct line *l, const struct session *who)
{
	uint32_t slot = (uint32_t)(who - p->sessions.slots);
	bool odd = line_load32(l->b + WIRE_SRT_WORD1) & SRT_WORD1_ODD;

	return secure_key_at(&p->secure, suite, slot, odd);
}

static inline void job_fill(struct seal *b, unsigned at, enum srt_suite suite,
	const struct port_payload *pl, const struct line *l, const void *key)
{
	uint8_t *dst = room_of(b->frames[at]);

	b->jobs[at] = (struct srt_crypt_job){
		.key = key,
		.src = pl->data,
		.dst = dst,
		.aad = b->aad[at],
		.seq = (line_load32(l->b + WIRE_SRT_SEQ) + pl->seq) & SEQ31_MASK,
		.len = pl->len,
	};
	b->out[at] = *pl;
	b->out[at].data = dst;
	if (!srt_suite_is_gcm(suite))
		return;
	line_media(l, LINE_SRT, pl->seq, pl->word1 & ~SRT_WORD1_R, pl->ts, b->aad[at]);
	b->out[at].len += SRT_GCM_TAG;
}

// n payloads for each of n_lines sessions, into b->out. False: there are no frames.
static bool encrypt(struct path *p, struct seal *b, enum srt_suite suite,
	const struct port_payload *pl, unsigned n, const struct line *lines,
	struct session *const *who, unsigned n_lines)
{
	unsigned count = n * n_lines, at = 0;
	bool summed = false;

	if (rte_mempool_get_bulk(arena_pool(p->arena), (void **)b->frames, count) &&
		(!ring_squeeze(p) ||
			rte_mempool_get_bulk(arena_pool(p->arena), (void **)b->frames, count))) {
		path_count(p, DP_DROP_ARENA_FULL, count);
		return false;
	}
	for (unsigned i = 0; i < n_lines; i++) {
		const void *key = key_of(p, suite, &lines[i], who[i]);

		for (unsigned k = 0; k < n; k++)
			job_fill(b, at++, suite, &pl[k], &lines[i], key);
	}
	if (srt_suite_is_gcm(suite))
		srt_crypt_gcm_seal(p->secure.crypt, suite, b->jobs, count);
	else
		summed = srt_crypt_ctr(p->secure.crypt, suite, b->jobs, count);
	for (unsigned i = 0; i < count && p->port->ops->want_sum; i++)
		b->out[i].sum = summed ? line_fold(b->jobs[i].sum)
				       : line_sum(b->out[i].data, b->out[i].len);
	return true;
}

// Returns the copies sent.
static unsigned burst(struct path *p, enum srt_suite suite, const struct port_payload *pl,
	unsigned n, const struct line *lines, struct session *const *who, unsigned n_lines)
{
	struct seal b;
	unsigned sent;

	if (!encrypt(p, &b, suite, pl, n, lines, who, n_lines))
		return 0;
	sent = port_tx_private(p->port, LINE_SRT, b.out, n, lines, n_lines);
	retire_frames(p, b.frames, n * n_lines);
	return sent;
}

unsigned seal_send(struct path *p, enum srt_suite suite, const struct port_payload *pl, unsigned n,
	const struct line *lines, struct session *const *who, unsigned n_lines)
{
	unsigned at_once = n < SEAL_BURST ? SEAL_BURST / n : 1, sent = 0;

	for (unsigned i = 0; i < n_lines; i += at_once) {
		unsigned m = n_lines - i < at_once ? n_lines - i : at_once;

		sent += burst(p, suite, pl, n, lines + i, who + i, m);
	}
	return sent;
}

void seal_list(struct path *p, struct view *v, enum srt_suite suite, const struct port_payload *pl,
	unsigned n)
{
	const struct sublist *l = &v->out.secured[suite];
	unsigned copies = 0;

	for (const struct sublist_chunk *c = l->head; c; c = c->next)
		copies += seal_send(p, suite, pl, n, c->lines, c->who, c->n);
	fanout_count(p, v, pl, n, l->n, copies);
}

static unsigned to_all(
	struct path *p, const struct sublist *l, const struct port_payload *pl, unsigned n)
{
	unsigned copies = 0;

	for (const struct sublist_chunk *c = l->head; c; c = c->next)
		copies += port_tx_fanout(p->port, LINE_SRT, pl, n, c->lines, c->n);
	return copies;
}

// As they came: they are under the list's key, by its numbers (pass.c). False: not all of them.
static bool untouched(struct path *p, struct port_payload *out, const struct port_payload *pl,
	const uint8_t *const *sealed, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!sealed[i])
			return false;
		out[i] = pl[i];
		out[i].data = sealed[i];
		out[i].sum = p->port->ops->want_sum ? line_sum(sealed[i], pl[i].len) : 0;
	}
	return true;
}

// One key and one numbering for the whole list (pushkey.c): encrypted for its first, sent to all.
void seal_shared(struct path *p, struct view *v, unsigned key, const struct port_payload *pl,
	const uint8_t *const *sealed, unsigned n)
{
	const struct sublist *l = &v->out.shared[key];
	struct session *const *first = l->head->who;
	unsigned copies = 0;
	struct seal b;

	if (v->passes == 1 + key && untouched(p, b.out, pl, sealed, n)) {
		copies = to_all(p, l, b.out, n);
	} else if (encrypt(p, &b, first[0]->suite, pl, n, l->head->lines, first, 1)) {
		copies = to_all(p, l, b.out, n);
		retire_frames(p, b.frames, n);
	}
	fanout_count(p, v, pl, n, l->n, copies);
}
