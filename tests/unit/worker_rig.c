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

static int keys_of(const uint8_t *msg, uint16_t len, struct key_material *out)
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
	if (q->refused) {
		c.kind = CMD_REJECT;
		c.admit.code = q->refused;
	}
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
			else if (e.kind == EV_PUSH && e.object < RIG_OBJECTS)
				r->refusal[e.object] = -e.code;
			r->n_up += e.kind == EV_UP;
			r->n_down += e.kind == EV_DOWN;
			if (e.kind == EV_DOWN)
				r->down_reason = e.reason;
			if (e.kind == EV_DOWN && r->publisher[e.stream->index] == e.key)
				r->publisher[e.stream->index] = e.heir;
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
			if (!rig_lost(r, r->loss_out))
				rig_to_peer(r, p, data, header + d[i].payload_len);
		}
	if (!r->hold)
		port_mem_complete(r->ports[w], DESCS);
}

void rig_run(struct rig *r, unsigned ms)
{
	while (ms--) {
		r->now += TS_MS;
		for (unsigned i = 0; i < r->n_peers; i++)
			rig_peer_turn(r, r->peers[i]);
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
