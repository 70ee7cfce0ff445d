// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "state/session.h"

#include "base/seq.h"
#include "state/view.h"

#include <string.h>

void session_table_init(struct session_table *t, struct session *slots, uint32_t n, unsigned worker)
{
	*t = (struct session_table){.slots = slots, .n = n, .worker = worker};
	t->free_tail = &t->free_head;
}

// Slots never used come first, then those that have rested longest.
static struct session *slot_take(struct session_table *t)
{
	struct session *s = t->free_head;

	if (t->n_fresh < t->n)
		return &t->slots[t->n_fresh++];
	if (!s)
		return NULL;
	t->free_head = s->next_free;
	if (!t->free_head)
		t->free_tail = &t->free_head;
	return s;
}

struct session *session_take(struct session_table *t)
{
	struct session *s = slot_take(t);
	uint32_t generation;

	if (!s)
		return NULL;
	generation = atomic_load_explicit(&s->generation, memory_order_relaxed);
	memset(s, 0, sizeof(*s));
	atomic_store_explicit(&s->generation, generation, memory_order_relaxed);
	s->slot = (uint32_t)(s - t->slots);
	t->used++;
	return s;
}

void session_show(struct session *s)
{
	atomic_fetch_add_explicit(&s->generation, 1, memory_order_release);
}

void session_give(struct session_table *t, struct session *s)
{
	if (atomic_load_explicit(&s->generation, memory_order_relaxed) & 1)
		atomic_fetch_add_explicit(&s->generation, 1, memory_order_release);
	s->kind = SESSION_FREE;
	s->next_free = NULL;
	*t->free_tail = s;
	t->free_tail = &s->next_free;
	t->used--;
}

struct session *session_at(const struct session_table *t, uint32_t slot)
{
	struct session *s = &t->slots[slot];

	return slot < t->n && s->kind != SESSION_FREE ? s : NULL;
}

struct session *session_of_key(const struct session_table *t, session_key key)
{
	struct session *s = session_at(t, session_key_slot(key));

	return s && session_key_get(t, s) == key ? s : NULL;
}

session_key session_key_get(const struct session_table *t, const struct session *s)
{
	uint32_t generation = atomic_load_explicit(&s->generation, memory_order_relaxed);

	return session_key_make(t->worker, s->slot, generation | 1);
}

uint32_t session_id_make(unsigned worker, uint32_t slot, uint32_t random)
{
	uint32_t id = (uint32_t)worker << DP_SESSION_WORKER_SHIFT | slot << 7 | (random & 0x7f);

	return id ? id : 0x40; // 0 addresses the listener
}

static uint64_t flight_of(const struct session *s, const struct view *v)
{
	int32_t n = seq31_off(
		s->conn.snd.acked, seq31_add(s->dseq, (uint32_t)v->history.next & SEQ31_MASK));

	return n > 0 ? (uint64_t)n : 0;
}

// Of what the list gets, while it stands there; all else has been sent to it alone.
static void read_subscriber(const struct session *s, const struct view *v, struct dp_session *out)
{
	bool listed = s->place.chunk;
	struct session_base base = s->base, now = listed ? view_sent(v, s) : base;

	out->mode = DP_MODE_PLAY;
	out->packets = now.packets - base.packets + s->more_packets;
	out->bytes = now.bytes - base.bytes + s->more_bytes;
	out->retransmitted = s->retransmitted;
	out->dropped = s->dropped;
	out->naks = s->naks;
	if (s->kind != SESSION_SUB)
		return;
	out->rtt_us = s->conn.snd.rtt.us;
	out->acks = s->acks;
	if (listed)
		out->flight = flight_of(s, v);
}

static void read_receiver(const struct srt_rcv *rcv, struct dp_session *out)
{
	const struct srt_rcv_stats *st = srt_rcv_stats(rcv);

	out->rtt_us = srt_rcv_rtt(rcv)->us;
	out->lost = srt_rcv_given_up(rcv);
	out->missed = st->missed;
	out->recovered = st->recovered;
	out->all_packets = st->packets;
	out->all_bytes = st->bytes;
	out->unique = st->unique;
	out->again = st->again;
	out->late = st->late;
	out->redundant = st->redundant;
	out->group_resting = rcv->link.resting;
	out->heard_us = rcv->link.last_rx;
	out->acks_sent = st->acks_sent;
	out->naks_sent = st->naks_sent;
	out->waiting = rcv->in->window.next - rcv->in->window.hole;
}

static void read_group(const struct srt_hs_group *g, struct dp_session *out)
{
	out->group = g->id;
	out->group_type = g->type;
	out->group_weight = g->weight;
}

static void read_publisher(const struct session *s, struct dp_session *out)
{
	const struct srt_rcv *rcv = s->rcv;

	out->mode = DP_MODE_PUBLISH;
	out->packets = s->rx_packets;
	out->bytes = s->rx_bytes;
	out->undecryptable = s->undecryptable;
	if (s->proto == DP_PROTO_SRT)
		read_group(&s->hs.group, out);
	else if (s->carries == DP_PROTO_RTP)
		out->lost = rtp_rx_lost(&s->rtp);
	if (rcv)
		read_receiver(rcv, out);
}

// The copy may be torn while the slot changes hands: the generation, read before and after, says
// so. Pointers lead to memory that is never unmapped, but may be gone from the slot: read once.
bool session_read(const struct session_table *t, uint32_t slot, struct dp_session *out)
{
	const struct session *s = &t->slots[slot];
	uint32_t before = atomic_load_explicit(&s->generation, memory_order_acquire);
	const struct view *v = s->view;
	const struct stream *stream = v ? v->stream : NULL;

	memset(out, 0, sizeof(*out));
	if (!(before & 1) || !stream)
		return false;
	out->key = session_key_make(t->worker, slot, before);
	out->object = s->object;
	out->proto = s->proto;
	out->encrypted = s->suite != SRT_CLEAR;
	out->key_len = srt_suite_key_len(s->suite);
	out->gcm = srt_suite_is_gcm(s->suite);
	out->worker = (uint8_t)t->worker;
	out->peer_port = s->peer.port;
	memcpy(out->peer_ip, s->peer.ip, sizeof(out->peer_ip));
	out->latency_ms = s->latency_ms;
	out->since_us = s->since;
	memcpy(out->stream, stream->cfg.name, sizeof(out->stream));
	if (session_mode(s) == DP_MODE_PLAY)
		read_subscriber(s, v, out);
	else
		read_publisher(s, out);
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&s->generation, memory_order_relaxed) == before;
}
