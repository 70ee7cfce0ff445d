// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "worker_rig.h"

#include "base/seq.h"
#include "io/arena.h"
#include "proto/srt_hs_wire.h"
#include "test.h"

#include <rte_mempool.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { DESCS = 1 << 16, FRAMES = 8192 };

#define BEGIN (1000000 * (ts_us)TS_S) // the same in each run, so that a run can be had again

static struct arena *arena;

static void arena_once(void)
{
	char err[256];

	if (arena)
		return;
	if (arena_eal_start(64, err, sizeof(err)))
		fail_msg("%s", err);
	arena = arena_new("rig", FRAMES);
	assert_non_null(arena);
}

static struct dp_stats_header *stats_new(unsigned n_workers)
{
	struct dp_stats_header h = {
		.n_workers = n_workers,
		.n_streams = RIG_STREAMS,
		.off_workers = sizeof(h),
	};
	struct dp_stats_header *s;

	h.off_streams = h.off_workers + n_workers * sizeof(struct dp_stats_worker);
	h.off_stream_tx = h.off_streams + RIG_STREAMS * sizeof(struct dp_stats_stream);
	h.size = h.off_stream_tx + n_workers * RIG_STREAMS * sizeof(struct dp_stats_stream_tx);
	s = calloc(1, h.size);
	*s = h;
	return s;
}

struct rig *rig_new(unsigned n_workers)
{
	static const int cores[RIG_WORKERS_MAX] = {-1, -1};
	struct rig *r = calloc(1, sizeof(*r));
	struct worker_group_opts o = {
		.n_workers = n_workers,
		.cores = cores,
		.ports = r->ports,
		.max_streams = RIG_STREAMS,
		.max_subscribers = RIG_SUBSCRIBERS,
		.cookie_key = RIG_COOKIE_KEY,
		.seed = 7,
	};

	arena_once();
	o.arena = arena;
	o.stats = r->stats = stats_new(n_workers);
	o.event_fd = eventfd(0, EFD_NONBLOCK);
	r->n_workers = n_workers;
	r->now = BEGIN;
	r->rand.state = 1;
	r->crypt = srt_crypt_new(SRT_CRYPT_OPENSSL); // not what the workers have
	for (unsigned i = 0; i < n_workers; i++) {
		r->ports[i] = port_mem_open(DESCS);
		port_mem_defer(r->ports[i], true);
	}
	r->group = worker_group_new(&o);
	assert_non_null(r->group);
	for (unsigned i = 0; i < n_workers; i++) {
		struct path *p = &r->group->workers[i].path;

		p->now = r->now;
		wheel_init(&p->wheel, r->now);
	}
	return r;
}

static void views_close(struct path *p)
{
	port_mem_defer(p->port, false);
	while (p->n_open) {
		struct view *v = p->open[0];

		leave_view(p, v);
		v->in.followers = 0; // both ends go now
		v->following = false;
		assert_true(leave_view_done(p, v));
	}
}

void rig_free(struct rig *r)
{
	for (unsigned i = r->n_workers; i--;)
		views_close(&r->group->workers[i].path);
	for (unsigned i = 0; i < r->n_peers; i++)
		free(r->peers[i]);
	srt_crypt_free(r->crypt);
	close(r->group->o.event_fd);
	worker_group_free(r->group);
	free(r->stats);
	free(r);
}

// --- control --------------------------------------------------------------------------------

static struct cmd *post(struct rig *r, unsigned worker, const struct cmd *c)
{
	struct cmd *copy = malloc(sizeof(*copy));

	*copy = *c;
	assert_int_equal(worker_post(r->group, worker, copy), 0);
	return copy;
}

// A stand-in for PBKDF2: workers do not care where a KEK comes from.
void rig_kek(const uint8_t salt[SRT_KM_SALT], uint8_t kek[SRT_KM_SEK_MAX])
{
	for (unsigned i = 0; i < SRT_KM_SEK_MAX; i++)
		kek[i] = (uint8_t)(salt[i % SRT_KM_SALT] ^ 0x5a ^ i);
}

static int keys_of(const uint8_t *msg, uint16_t len, struct session_keys *out)
{
	struct srt_km km;

	if (srt_km_parse(msg, len, &km))
		return -EBADMSG;
	rig_kek(km.salt, out->kek);
	out->msg_len = len;
	memcpy(out->msg, msg, len);
	return srt_km_unwrap(&km, out->kek, &out->km);
}

// A key under a new salt.
static void derive(struct rig *r, unsigned worker, const struct event *e)
{
	struct cmd c = {.kind = CMD_KEYS, .owner = (void *)(uintptr_t)(worker + 1)};

	r->n_kdf++;
	c.keys.key = e->key;
	c.keys.status = keys_of(e->km, e->km_len, &c.keys.keys);
	post(r, worker, &c);
}

static void admit(struct rig *r, unsigned worker, uint32_t park)
{
	const struct parked *q = worker_parked(r->group, worker, park);
	bool publishes = q->req.streamid[0] == 'p';
	unsigned i =
		publishes || q->req.streamid[0] == 's' ? q->req.streamid[1] - '0' : RIG_STREAMS;
	struct stream *s = i < RIG_STREAMS && r->streams[i].cfg.id ? &r->streams[i] : NULL;
	struct cmd c = {.kind = publishes ? CMD_PUBLISH : CMD_PLAY};
	bool kept = publishes && s && r->publisher[i] && r->keeps[i];
	bool link = publishes && s && q->req.group.id && q->req.group.id == r->groups[i];

	c.admit = (struct cmd_admit){
		.park = park,
		.park_generation = q->generation,
		.stream = s,
		.own_rcv_latency_ms = RIG_LATENCY_MS,
		.peer_rcv_latency_ms = RIG_LATENCY_MS,
		.from = *q,
		.link = link,
		.replaces = publishes && s && !link ? r->publisher[i] : 0,
	};
	if (q->req.encrypted && keys_of(q->req.km, q->req.km_len, &c.admit.keys)) {
		c.kind = CMD_REJECT;
		c.admit.code = SRT_REJ_BADSECRET;
	}
	if (publishes && s && !kept)
		r->groups[i] = q->req.group.id;
	if (kept) {
		c.kind = CMD_REJECT;
		c.admit.code = SRT_REJX_CONFLICT;
	}
	if (!s) {
		c.kind = CMD_REJECT;
		c.admit.code = SRT_REJX_NOTFOUND;
	}
	c.owner = (void *)(uintptr_t)(worker + 1);
	post(r, c.kind == CMD_PUBLISH ? s->owner : worker, &c);
}

static void done(struct rig *r, struct cmd *c)
{
	unsigned landed = (unsigned)(uintptr_t)c->owner;

	r->n_done++;
	if (c->kind == CMD_PUBLISH && !c->status) {
		struct cmd tell = {.kind = CMD_PARK_DONE, .owner = c->owner, .admit = c->admit};

		if (!c->admit.link)
			r->publisher[c->admit.stream->index] = c->admit.key;
		post(r, landed - 1, &tell);
	}
	if (landed) // else rig_command() waits for it
		free(c);
}

static void control(struct rig *r)
{
	struct event e;

	for (unsigned w = 0; w < r->n_workers; w++)
		while (worker_events(r->group, w, &e, 1)) {
			if (e.kind == EV_JOIN)
				admit(r, w, e.park);
			else if (e.kind == EV_DONE)
				done(r, e.cmd);
			else if (e.kind == EV_KEYS)
				derive(r, w, &e);
			r->n_up += e.kind == EV_UP;
			r->n_down += e.kind == EV_DOWN;
			if (e.kind == EV_DOWN)
				r->down_reason = e.reason;
			if (e.kind == EV_DOWN && r->publisher[e.stream->index] == e.key)
				r->publisher[e.stream->index] = e.heir;
			if (e.kind == EV_DOWN && !r->publisher[e.stream->index])
				r->groups[e.stream->index] = 0;
			if (e.kind == EV_DOWN && !r->publisher[e.stream->index])
				r->groups[e.stream->index] = 0;
		}
}

int rig_command(struct rig *r, unsigned worker, struct cmd *c)
{
	struct cmd *copy = post(r, worker, c);

	copy->status = 1;
	for (int i = 0; i < 1000 && copy->status == 1; i++)
		rig_run(r, 1);
	*c = *copy;
	free(copy);
	return c->status;
}

struct stream *rig_stream(struct rig *r, unsigned i, unsigned owner)
{
	struct stream *s = &r->streams[i];
	struct cmd open = {.kind = CMD_STREAM_OPEN, .stream = s};

	*s = (struct stream){.index = i, .owner = owner, .cfg = {.id = i + 1, .history_us = TS_S}};
	snprintf(s->cfg.name, sizeof(s->cfg.name), "s%u", i);
	assert_int_equal(rig_command(r, owner, &open), 0);
	return s;
}

// --- peers ----------------------------------------------------------------------------------

static bool lost(struct rig *r, unsigned per_mille)
{
	return rand_below(&r->rand, 1000) < per_mille;
}

void rig_inject(struct rig *r, struct rig_peer *p, const uint8_t *data, size_t len)
{
	struct endpoint local = endpoint_of_v4(0x0a000001, RIG_PORT);
	int rc = 0;

	if (!p->gone && !lost(r, r->loss_in))
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
	assert_int_equal(srt_km_parse(c.cif, c.cif_len, &km), 0);
	assert_true(km.has == SRT_KM_EVEN || km.has == SRT_KM_ODD); // one key a message
	assert_int_equal(km.key_len, p->keys.key_len);
	rig_kek(km.salt, kek);
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
	struct rig_peer *p = rig_call(r, stream, false, r->streams[stream].owner);
	struct cmd c = {.kind = CMD_CALL,
		.call = {.stream = &r->streams[stream],
			.mode = DP_MODE_PLAY,
			.peer = p->at,
			.local = endpoint_of_v4(0, RIG_PORT),
			.rcv_latency_ms = RIG_LATENCY_MS,
			.peer_latency_ms = RIG_LATENCY_MS}};
	struct session_keys *k = &c.call.keys;

	p->listens = true;
	p->suite = suite;
	k->km.has = SRT_KM_EVEN;
	k->km.cipher = srt_suite_is_gcm(suite) ? SRT_KM_GCM : SRT_KM_CTR;
	k->km.key_len = (uint8_t)(16 + 8 * ((suite - SRT_CTR_128) % 3));
	memset(k->km.salt, 0x5a, sizeof(k->km.salt)); // control's, of the stream
	for (unsigned i = 0; i < k->km.key_len; i++)
		k->km.sek[0][i] = (uint8_t)rand_u64(&r->rand);
	rig_kek(k->km.salt, k->kek);
	k->msg_len = (uint16_t)srt_km_write(&k->km, k->kek, k->msg);
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
	rig_kek(km.salt, kek);
	assert_int_equal(srt_km_unwrap(&km, kek, &p->keys), 0);
	peer_expand(r, p);
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

static void to_peer(struct rig *r, struct rig_peer *p, uint8_t *data, size_t len)
{
	struct srt_verdict v;

	if (p->gone ||
		srt_pkt_dst(data) != p->caller.own_id) // of a session that somebody has in its name
		return;
	if (!p->up && p->listens) {
		called(r, p, data, len);
		return;
	}
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

static void peer_turn(struct rig *r, struct rig_peer *p)
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

// --- time -----------------------------------------------------------------------------------

static struct rig_peer *peer_of(struct rig *r, const struct port_mem_desc *d)
{
	uint32_t ip = be32_get(d->header + WIRE_IP_DST) - 0x0a000100;

	return ip < r->n_peers ? r->peers[ip] : NULL;
}

static void from_workers(struct rig *r, unsigned w)
{
	struct port_mem_desc d[64];
	uint8_t data[2048];
	unsigned n;

	while ((n = port_mem_take(r->ports[w], d, 64)))
		for (unsigned i = 0; i < n; i++) {
			struct rig_peer *p = peer_of(r, &d[i]);
			size_t header = d[i].kind == LINE_SRT ? SRT_HDR : 0;

			if (!p) {
				if (r->on_push)
					r->on_push(r, &d[i]);
				continue;
			}
			memcpy(data, d[i].header + WIRE_MEDIA, header);
			memcpy(data + header, d[i].payload, d[i].payload_len);
			if (!lost(r, r->loss_out))
				to_peer(r, p, data, header + d[i].payload_len);
		}
	if (!r->hold)
		port_mem_complete(r->ports[w], DESCS);
}

void rig_run(struct rig *r, unsigned ms)
{
	while (ms--) {
		r->now += TS_MS;
		for (unsigned i = 0; i < r->n_peers; i++)
			peer_turn(r, r->peers[i]);
		for (unsigned w = 0; w < r->n_workers; w++)
			port_mem_set_time(r->ports[w], r->now);
		for (unsigned k = 0; k < 3; k++)
			for (unsigned w = 0; w < r->n_workers; w++) {
				worker_turn(&r->group->workers[w], r->now);
				control(r);
				from_workers(r, w);
			}
	}
}

uint64_t rig_drops(const struct rig *r, enum dp_drop why)
{
	uint64_t n = 0;

	for (unsigned w = 0; w < r->n_workers; w++)
		n += r->group->workers[w].path.stats->drops[why];
	return n;
}

unsigned rig_frames_used(const struct rig *r)
{
	return rte_mempool_in_use_count(arena_pool(arena)) +
	       rte_mempool_in_use_count(arena_clone_pool(arena));
}
