// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path_bed.h"

#include "base/seq.h"
#include "ctl/dp/dp_stats.h"
#include "io/arena.h"
#include "io/port_mem.h"
#include "proto/srt_pkt.h"
#include "worker/worker_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A ring as long as a NIC's: headers and completions stay in the cache as they would there.
enum { DESCS = 1 << 12, FRAMES = 1 << 14, LEN = 1316, ISN = 1000, SUBSCRIBERS_MAX = 10000 };

struct path_bed {
	struct path path;
	struct batch batch;
	struct port *port;
	struct dp_stats_header *stats;
	struct path_regions regions;
	struct stream_follow follow;
	struct stream stream;
	struct session *publisher;
	uint32_t seq;
	uint64_t sent;
	ts_us now, t0;
};

static struct arena *arena;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "path bed: %s\n", what);
	exit(1);
}

static void arena_once(void)
{
	char err[256] = "no arena";

	if (!arena && !arena_eal_start(256, err, sizeof(err)))
		arena = arena_new("bed", FRAMES);
	must(arena, err);
}

static struct dp_stats_header *stats_new(void)
{
	struct {
		struct dp_stats_header h;
		struct dp_stats_worker worker;
		struct dp_stats_stream stream;
		struct dp_stats_stream_tx tx;
	} *s = calloc(1, sizeof(*s));

	s->h = (struct dp_stats_header){
		.n_workers = 1,
		.n_streams = 1,
		.off_workers = (uint64_t)((uint8_t *)&s->worker - (uint8_t *)s),
		.off_streams = (uint64_t)((uint8_t *)&s->stream - (uint8_t *)s),
		.off_stream_tx = (uint64_t)((uint8_t *)&s->tx - (uint8_t *)s),
	};
	return &s->h;
}

static struct endpoint caller(unsigned i)
{
	return endpoint_of_v4(0x0a000100 + i, (uint16_t)(1024 + i));
}

static struct park_entry *parked(struct path_bed *b, unsigned i)
{
	static struct park_entry e;

	e.p.req = (struct srt_hs_req){.caller_id = 77 + i, .isn = ISN, .mss = 1500, .flags = 0x3f};
	e.p.peer = caller(i);
	e.p.local = endpoint_of_v4(0x0a000001, 9000);
	e.p.arrival = b->now;
	e.p.base_ts = (uint32_t)(100 * TS_S);
	return &e;
}

static struct session_keys keys_of(enum srt_suite suite, unsigned i)
{
	struct session_keys k = {0};

	if (!suite)
		return k;
	k.km.has = SRT_KM_EVEN;
	k.km.cipher = srt_suite_is_gcm(suite) ? SRT_KM_GCM : SRT_KM_CTR;
	k.km.key_len = (uint8_t)(16 + 8 * ((suite - SRT_CTR_128) % 3));
	memset(k.km.sek[0], (int)i + 1, SRT_KM_SEK_MAX);
	return k;
}

static void join(struct path_bed *b, unsigned i, enum srt_suite suite, bool shared)
{
	struct cmd_admit c = {.stream = &b->stream, .peer_rcv_latency_ms = 120};
	session_key key;

	c.keys = keys_of(suite, shared ? 0 : i);
	must(!join_play(&b->path, parked(b, i), &c, &key), "no room for a subscriber");
	session_of_key(&b->path.sessions, key)->shared = shared;
}

static void publish(struct path_bed *b)
{
	struct cmd_admit c = {.stream = &b->stream, .own_rcv_latency_ms = 120};
	session_key key;

	c.from = parked(b, SUBSCRIBERS_MAX)->p;
	must(!join_publish(&b->path, &c, &key), "no room for the publisher");
	b->publisher = session_of_key(&b->path.sessions, key);
}

static void forget_sent(struct path_bed *b)
{
	struct port_mem_desc d[256];

	while (port_mem_take(b->port, d, 256))
		;
}

struct path_bed *path_bed_new(unsigned n_subscribers, unsigned suite, bool shared)
{
	struct path_bed *b = calloc(1, sizeof(*b));
	struct path_opts o = {
		.n_workers = 1,
		.max_streams = 1,
		.max_subscribers = SUBSCRIBERS_MAX,
		.core = -1,
		.follows = &b->follow,
		.regions = &b->regions,
	};

	arena_once();
	o.arena = arena;
	o.port = b->port = port_mem_open(DESCS);
	o.stats = b->stats = stats_new();
	must(path_init(&b->path, &o), "no memory");
	b->now = b->t0 = b->path.now;
	b->seq = ISN;
	b->stream.cfg.history_us = TS_S;
	publish(b);
	for (unsigned i = 0; i < n_subscribers; i++)
		join(b, i, suite, shared);
	// Joiners wait a moment and then catch up: go on until everybody is in the fan-out list.
	for (unsigned i = 0; i < 3 || b->path.n_starting; i++) {
		must(i < 1000, "somebody never entered the fan-out list");
		path_bed_load(b, 1);
		path_bed_turn(b);
		forget_sent(b);
	}
	return b;
}

void path_bed_free(struct path_bed *b)
{
	leave_view(&b->path, b->path.open[0]);
	must(leave_view_done(&b->path, b->path.open[0]), "frames are still in use");
	b->port->ops->close(b->port);
	srt_crypt_free(b->path.secure.crypt);
	path_regions_free(&b->regions);
	free(b->stats);
	free(b);
}

void path_bed_load(struct path_bed *b, unsigned n)
{
	static uint8_t data[SRT_HDR + LEN];
	struct endpoint peer = caller(SUBSCRIBERS_MAX), local = endpoint_of_v4(0x0a000001, 9000);

	// 1 ms between packets, so that the history holds its second and frames come back.
	b->now += TS_MS * n;
	port_mem_set_time(b->port, b->now);
	for (unsigned i = 0; i < n; i++) {
		srt_pkt_write_data(data, b->seq, SRT_WORD1_SINGLE | 1,
			(uint32_t)(b->now - b->t0 + 100 * TS_S), b->publisher->id);
		data[SRT_HDR] = 0x80;
		b->seq = seq31_add(b->seq, 1);
		must(!port_mem_inject(b->port, &peer, &local, 0, data, sizeof(data)), "rx full");
	}
}

uint64_t path_bed_turn(struct path_bed *b)
{
	struct path *p = &b->path;
	struct port_stats s;
	uint64_t before = b->sent;

	p->now = b->now;
	path_rx(p, &b->batch);
	path_steer(p, &b->batch);
	path_session(p, &b->batch);
	path_ring(p, &b->batch);
	path_fanout(p);
	path_tx(p);
	b->port->ops->stats(b->port, &s);
	b->sent = s.tx_packets;
	return b->sent - before;
}
