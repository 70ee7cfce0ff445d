// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The peers of the rig: who calls, and whom we call.

#include "worker_rig.h"

#include "base/seq.h"
#include "proto/srt_hs_wire.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool rig_lost(struct rig *r, unsigned per_mille)
{
	return rand_below(&r->rand, 1000) < per_mille;
}

void rig_inject(struct rig *r, struct rig_peer *p, const uint8_t *data, size_t len)
{
	struct endpoint local = endpoint_of_v4(0x0a000001, RIG_PORT);
	int rc = 0;

	if (!p->gone && !rig_lost(r, r->loss_in))
		rc = port_mem_inject(r->ports[p->worker], &p->at, &local, 0, data, (uint16_t)len);
	assert_true(!rc || r->overrun);
}

struct rig_peer *rig_call(struct rig *r, unsigned stream, bool publishes, unsigned worker)
{
	struct rig_peer *p = calloc(1, sizeof(*p));
	static char ids[2][RIG_STREAMS][4];
	char *id = ids[publishes][stream];

	snprintf(id, sizeof(ids[0][0]), "%c%u", publishes ? 'p' : 's', stream);
	p->publishes = publishes;
	p->worker = worker;
	p->at = endpoint_of_v4(0x0a000100 + r->n_peers, (uint16_t)(20000 + r->n_peers));
	p->t0 = r->now;
	p->next_seq = SEQ31_MASK - 20; // the wrap comes early
	srt_caller_init(&p->caller, r->now, 1000 + r->n_peers, p->next_seq, RIG_LATENCY_MS, 0, id);
	r->peers[r->n_peers++] = p;
	return p;
}

struct rig_peer *rig_call_link(struct rig *r, unsigned stream, unsigned worker, uint32_t group)
{
	struct rig_peer *p = rig_call(r, stream, true, worker);

	p->group = (struct srt_hs_group){
		.id = SRT_GROUP_BIT | group, .type = SRT_GROUP_BROADCAST, .weight = 3};
	return p;
}

// Calls go out with the block of their group; the stream id's flag announces it too.
static void call_out(struct rig *r, struct rig_peer *p, uint8_t *data, size_t len)
{
	struct bytes_out b = bytes_out_of(data + len, 12);

	if (p->group.id && be32_get(data + 36) == HS_CONCLUSION) {
		hs_group_put(&b, &p->group);
		len += bytes_out_len(&b);
	}
	rig_inject(r, p, data, len);
}

static void note_mirror(struct rig_peer *p, const uint8_t *data, size_t len)
{
	struct bytes b, content;
	uint16_t type;

	if (len < SRT_HS_LEN || be32_get(data) != 0x80000000u)
		return;
	b = bytes_of(data + SRT_HS_LEN, len - SRT_HS_LEN);
	while (hs_block_next(&b, &type, &content))
		if (type == HS_BLOCK_GROUP)
			assert_true(hs_group_parse(content, &p->mirror));
}

static void peer_expand(struct rig *r, struct rig_peer *p)
{
	for (unsigned odd = 0; odd < 2; odd++)
		if (p->keys.has & (odd ? SRT_KM_ODD : SRT_KM_EVEN))
			srt_crypt_key(
				r->crypt, p->suite, p->keys.salt, p->keys.sek[odd], &p->key[odd]);
}

struct rig_peer *rig_call_secure(
	struct rig *r, unsigned stream, bool publishes, unsigned worker, enum srt_suite suite)
{
	struct rig_peer *p = rig_call(r, stream, publishes, worker);
	uint8_t kek[SRT_KM_SEK_MAX];

	p->suite = suite;
	p->keys.has = SRT_KM_EVEN;
	p->keys.cipher = srt_suite_is_gcm(suite) ? SRT_KM_GCM : SRT_KM_CTR;
	p->keys.key_len = (uint8_t)(16 + 8 * ((suite - SRT_CTR_128) % 3));
	for (unsigned i = 0; i < SRT_KM_SALT; i++)
		p->keys.salt[i] = (uint8_t)rand_u64(&r->rand);
	for (unsigned i = 0; i < p->keys.key_len; i++)
		p->keys.sek[0][i] = (uint8_t)rand_u64(&r->rand);
	rig_kek(p->keys.salt, kek);
	p->km_len = (uint16_t)srt_km_write(&p->keys, kek, p->km);
	srt_caller_set_km(&p->caller, p->km, p->km_len);
	peer_expand(r, p);
	return p;
}

static void kek_of(const struct rig_peer *p, const uint8_t *salt, uint8_t kek[SRT_KM_SEK_MAX])
{
	rig_kek(salt, kek);
	kek[0] ^= p->words;
}

static uint32_t clock_of(const struct rig *r, const struct rig_peer *p)
{
	return (uint32_t)(r->now - p->t0 + 100 * TS_S);
}

void rig_announce(struct rig *r, struct rig_peer *p, const struct srt_km_keys *keys)
{
	uint8_t kek[SRT_KM_SEK_MAX], msg[SRT_KM_MAX], out[SRT_HDR + SRT_KM_MAX];
	size_t len;

	rig_kek(keys->salt, kek);
	len = srt_km_write(keys, kek, msg);
	p->keys = *keys;
	peer_expand(r, p);
	rig_inject(r, p, out,
		srt_km_packet(out, SRT_KMREQ, msg, len, clock_of(r, p), p->caller.peer_id));
}

// A message about keys: a subscriber takes the key and echoes it, a publisher notes the answer.
static bool peer_km(struct rig *r, struct rig_peer *p, const uint8_t *data, size_t len)
{
	uint8_t kek[SRT_KM_SEK_MAX], out[SRT_HDR + SRT_KM_MAX];
	struct srt_km_keys k;
	struct srt_ctrl c;
	struct srt_km km;

	if (srt_pkt_parse_ctrl(data, len, &c) || c.type != SRT_USER)
		return false;
	if (c.subtype == SRT_KMRSP) {
		p->n_kmrsp++;
		p->kmrsp_len = (uint16_t)c.cif_len;
		memcpy(p->kmrsp, c.cif, c.cif_len);
		return true;
	}
	p->n_kmreq++;
	p->km_len = (uint16_t)c.cif_len;
	memcpy(p->km, c.cif, c.cif_len);
	assert_int_equal(srt_km_parse(c.cif, c.cif_len, &km), 0);
	// One key a message, or a publisher's own message to who has its passphrase.
	assert_true(p->listens || km.has == SRT_KM_EVEN || km.has == SRT_KM_ODD);
	assert_int_equal(km.key_len, p->keys.key_len);
	kek_of(p, km.salt, kek);
	assert_int_equal(srt_km_unwrap(&km, kek, &k), 0);
	if (p->mute)
		return true;
	k.has |= p->keys.has;
	for (unsigned odd = 0; odd < 2; odd++)
		if (!(km.has & (odd ? SRT_KM_ODD : SRT_KM_EVEN)))
			memcpy(k.sek[odd], p->keys.sek[odd], SRT_KM_SEK_MAX);
	p->keys = k;
	peer_expand(r, p);
	rig_inject(r, p, out,
		srt_km_packet(out, SRT_KMRSP, c.cif, c.cif_len, clock_of(r, p), p->caller.peer_id));
	return true;
}

// Media as a subscriber of this suite reads it; false: it cannot. Afterwards the packet is clear.
static bool peer_open(struct rig *r, struct rig_peer *p, uint8_t *data, size_t *len)
{
	uint32_t kk = be32_get(data + 4) & SRT_WORD1_KK;
	unsigned odd = kk == SRT_WORD1_ODD;
	uint8_t aad[SRT_GCM_AAD];
	struct srt_crypt_job j = {
		.key = &p->key[odd],
		.src = data + SRT_HDR,
		.dst = data + SRT_HDR,
		.aad = aad,
		.seq = be32_get(data),
		.len = (uint32_t)(*len - SRT_HDR - (srt_suite_is_gcm(p->suite) ? SRT_GCM_TAG : 0)),
	};

	p->n_clear += !kk;
	if (!kk || !(p->keys.has & (odd ? SRT_KM_ODD : SRT_KM_EVEN)))
		return false;
	memcpy(aad, data, sizeof(aad));
	be32_put(aad + 4, be32_get(aad + 4) & ~SRT_WORD1_R);
	if (!srt_suite_is_gcm(p->suite))
		srt_crypt_ctr(r->crypt, p->suite, &j, 1);
	else if (!srt_crypt_gcm_open(r->crypt, p->suite, &j))
		return false;
	be32_put(data + 4, be32_get(data + 4) & ~SRT_WORD1_KK);
	*len = SRT_HDR + j.len;
	return true;
}

static void begin(struct rig *r, struct rig_peer *p)
{
	struct srt_snd_opts snd = {
		.peer_id = p->caller.peer_id,
		.isn = p->caller.isn,
		.t0 = p->t0,
		.latency_us = RIG_LATENCY_MS * TS_MS,
		.peer_flags = p->caller.peer_flags,
	};
	struct srt_rcv_opts rcv = {
		.own_id = p->caller.own_id,
		.peer_id = p->caller.peer_id,
		.isn = p->caller.isn,
		.t0 = p->t0,
		.base_arrival = p->caller.up_at,
		.base_ts = p->caller.peer_ts,
		.latency_us = RIG_LATENCY_MS * TS_MS,
		.peer_rexmitflg = true,
	};

	p->up = true;
	if (p->publishes)
		srt_conn_init_snd(&p->conn, r->now, &snd);
	else
		srt_conn_init_rcv(&p->conn, r->now, &p->rcv, &rcv);
}

static void note_got(struct rig_peer *p, const uint8_t *data, const struct srt_verdict *v)
{
	struct rig_got *g = &p->got[p->n_got++];

	assert_true(p->n_got <= RIG_GOT_MAX);
	g->seq = (uint32_t)v->seq;
	g->ts = be32_get(data + 8);
	g->len = v->len;
	g->stamp = be32_get(data + v->off);
	g->msgno = be32_get(data + 4) & SRT_WORD1_MSGNO;
	g->again = v->retransmitted;
}

static void repair(struct rig *r, struct rig_peer *p, const uint8_t *list, size_t len)
{
	struct srt_loss loss = srt_loss_of(list, len);
	uint32_t first, last;

	while (srt_loss_next(&loss, &first, &last))
		for (uint32_t n = first;; n = seq31_add(n, 1)) {
			uint8_t *d = p->history[n % 4096];

			if (seq31_off(n, p->next_seq) > 0) {
				be32_put(d + 4, be32_get(d + 4) | SRT_WORD1_R);
				rig_inject(r, p, d, p->history_len[n % 4096]);
			}
			if (n == last)
				break;
		}
}

// --- peers that we call ---------------------------------------------------------------------

struct rig_peer *rig_listen(struct rig *r, unsigned stream, enum srt_suite suite)
{
	return rig_listen_as(r, stream, suite, 0, NULL);
}

// As control's helpers make them.
static void call_keys(
	struct rig *r, struct rig_peer *p, struct cmd_call *c, const uint8_t *publisher_salt)
{
	struct key_material *k = &c->keys;

	k->km.has = SRT_KM_EVEN;
	k->km.cipher = srt_suite_is_gcm(p->suite) ? SRT_KM_GCM : SRT_KM_CTR;
	k->km.key_len = (uint8_t)(16 + 8 * ((p->suite - SRT_CTR_128) % 3));
	memset(k->km.salt, 0x5a, sizeof(k->km.salt)); // the stream's
	for (unsigned i = 0; i < k->km.key_len; i++)
		k->km.sek[0][i] = (uint8_t)rand_u64(&r->rand);
	kek_of(p, k->km.salt, k->kek);
	k->msg_len = (uint16_t)srt_km_write(&k->km, k->kek, k->msg);
	if (!publisher_salt)
		return;
	c->pass.km = (struct srt_km_keys){.cipher = k->km.cipher, .key_len = k->km.key_len};
	memcpy(c->pass.km.salt, publisher_salt, sizeof(c->pass.km.salt));
	kek_of(p, publisher_salt, c->pass.kek);
}

struct rig_peer *rig_listen_as(struct rig *r, unsigned stream, enum srt_suite suite, uint8_t words,
	const uint8_t *publisher_salt)
{
	struct rig_peer *p = rig_call(r, stream, false, r->streams[stream].owner);
	struct cmd c = {.kind = CMD_CALL,
		.call = {.stream = &r->streams[stream],
			.mode = DP_MODE_PLAY,
			.peer = p->at,
			.local = endpoint_of_v4(0, RIG_PORT),
			.own_rcv_latency_ms = RIG_LATENCY_MS,
			.peer_rcv_latency_ms = RIG_LATENCY_MS,
			.patience = 3 * TS_S,
			.mss = 1500}};

	p->listens = true;
	p->words = words;
	p->suite = suite;
	call_keys(r, p, &c.call, publisher_salt);
	assert_int_equal(rig_command(r, p->worker, &c), 0);
	return p;
}

static void take_call(struct rig *r, struct rig_peer *p, const struct srt_hs_req *q)
{
	uint8_t kek[SRT_KM_SEK_MAX], out[SRT_HS_ANSWER_MAX];
	struct srt_hs_answer a = {
		.own_id = p->caller.own_id,
		.caller_id = q->caller_id,
		.isn = q->isn,
		.mss = 1500,
		.window = 8192,
		.flags = SRT_F_OURS,
		.own_rcv_latency_ms = RIG_LATENCY_MS,
		.peer_rcv_latency_ms = RIG_LATENCY_MS,
		.km_len = q->km_len,
	};
	struct srt_km km;

	assert_int_equal(srt_km_parse(q->km, q->km_len, &km), 0);
	kek_of(p, km.salt, kek);
	assert_int_equal(srt_km_unwrap(&km, kek, &p->keys), 0);
	peer_expand(r, p);
	p->km_len = q->km_len;
	memcpy(p->km, q->km, q->km_len);
	memcpy(a.km, q->km, q->km_len);
	p->caller.peer_id = q->caller_id;
	p->caller.isn = q->isn;
	p->caller.up_at = r->now;
	p->caller.peer_ts = (uint32_t)(100 * TS_S); // as good as any: nothing is played here
	begin(r, p);
	rig_inject(r, p, out, srt_hs_answer_write(&a, clock_of(r, p), out, sizeof(out)));
}

static void called(struct rig *r, struct rig_peer *p, const uint8_t *data, size_t len)
{
	uint8_t out[SRT_HS_LEN];
	struct srt_hs_req q;

	switch (srt_hs_classify(data, len)) {
	case SRT_HS_INDUCTION:
		srt_hs_induction_answer(data, 1, out);
		rig_inject(r, p, out, sizeof(out));
		break;
	case SRT_HS_CONCLUSION:
		assert_int_equal(srt_hs_conclusion_parse(data, len, &q), 0);
		take_call(r, p, &q);
		break;
	default:
		break;
	}
}

void rig_to_peer(struct rig *r, struct rig_peer *p, uint8_t *data, size_t len)
{
	struct srt_verdict v;

	if (!p->gone && !p->up && p->listens) {
		called(r, p, data, len);
		return;
	}
	if (p->gone ||
		srt_pkt_dst(data) != p->caller.own_id) // of a session that somebody has in its name
		return;
	if (!p->up) {
		note_mirror(p, data, len);
		srt_caller_feed(&p->caller, r->now, data, len);
		if (p->caller.state == SRT_CALLER_UP)
			begin(r, p);
		if (p->caller.state == SRT_CALLER_FAILED)
			p->rejected = (uint64_t)p->caller.error;
		return;
	}
	if (p->suite && peer_km(r, p, data, len))
		return;
	if (r->on_media && !srt_pkt_is_ctrl(data))
		r->on_media(r, p, data, len);
	if (p->suite && !srt_pkt_is_ctrl(data) && !peer_open(r, p, data, &len)) {
		p->n_undecryptable++;
		return;
	}
	srt_conn_feed(&p->conn, r->now, data, len, &v);
	if (v.action == SRT_DELIVER)
		note_got(p, data, &v);
	if (v.action == SRT_RESEND)
		repair(r, p, data + v.off, v.len);
	p->closed |= v.action == SRT_CLOSE;
}

void rig_peer_turn(struct rig *r, struct rig_peer *p)
{
	uint8_t out[1500];
	ssize_t n;

	if (!p->up && p->listens)
		return;
	if (!p->up) {
		if (srt_caller_expiry(&p->caller) <= r->now)
			srt_caller_on_expiry(&p->caller, r->now);
		while ((n = srt_caller_poll(&p->caller, r->now, out, sizeof(out))) > 0)
			call_out(r, p, out, (size_t)n);
		return;
	}
	if (srt_conn_expiry(&p->conn) <= r->now)
		srt_conn_on_expiry(&p->conn, r->now);
	while ((n = srt_conn_poll(&p->conn, r->now, out, sizeof(out))) > 0)
		rig_inject(r, p, out, (size_t)n);
}

// Returns the bytes it became longer by.
static uint16_t peer_seal(struct rig *r, const struct rig_peer *p, uint8_t *d, uint16_t len)
{
	uint8_t aad[SRT_GCM_AAD];
	struct srt_crypt_job j = {
		.key = &p->key[p->odd],
		.src = d + SRT_HDR,
		.dst = d + SRT_HDR,
		.aad = aad,
		.seq = be32_get(d),
		.len = len,
	};

	be32_put(d + 4, be32_get(d + 4) | (p->odd ? SRT_WORD1_ODD : SRT_WORD1_EVEN));
	memcpy(aad, d, sizeof(aad));
	if (!srt_suite_is_gcm(p->suite)) {
		srt_crypt_ctr(r->crypt, p->suite, &j, 1);
		return 0;
	}
	srt_crypt_gcm_seal(r->crypt, p->suite, &j, 1);
	return SRT_GCM_TAG;
}

void rig_publish(struct rig *r, struct rig_peer *p, uint32_t stamp, uint16_t len)
{
	uint8_t *d = p->history[p->next_seq % 4096];

	memset(d, 0x47, SRT_HDR + len);
	srt_pkt_write_data(d, p->next_seq, SRT_WORD1_SINGLE | 1,
		(uint32_t)(r->now - p->t0 + 100 * TS_S), p->caller.peer_id);
	be32_put(d + SRT_HDR, stamp);
	if (p->suite)
		len += peer_seal(r, p, d, len);
	p->history_len[p->next_seq % 4096] = (uint16_t)(SRT_HDR + len);
	p->next_seq = seq31_add(p->next_seq, 1);
	rig_inject(r, p, d, SRT_HDR + len);
}

void rig_send_again(struct rig *r, struct rig_peer *p, uint32_t seq)
{
	rig_inject(r, p, p->history[seq % 4096], p->history_len[seq % 4096]);
}
