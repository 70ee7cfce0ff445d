// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "path_bed.h"

#include "base/seq.h"
#include "ctl/dp/dp_stats.h"
#include "io/arena.h"
#include "io/port_dpdk.h"
#include "io/port_mem.h"
#include "proto/srt_pkt.h"
#include "worker/worker_priv.h"

#include <rte_mbuf.h>
#include <rte_ring_elem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A ring as long as a NIC's: headers and completions stay in the cache as they would there.
enum {
	DESCS = 1 << 12,
	FRAMES = 1 << 14,
	LEN = 1316,
	ISN = 1000,
	WORKERS_MAX = 16,
	WORKER_SUBSCRIBERS = 125000, // SESSION_SLOTS_MAX bounds them
	BURST = 16,
};

struct one {
	struct path path;
	struct batch batch;
	struct port *port;
	struct dp_stats_header *stats;
	struct path_regions regions;
	struct stream_follow follow;
	struct stream stream;
	struct session *publisher, *first;
	uint32_t seq;
	uint64_t sent;
	ts_us now, t0;
	bool mem;
};

struct path_bed {
	unsigned n;
	struct one *one[WORKERS_MAX];
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

// A device ends with its port, and its name may come again.
static struct port *port_open(const char *device)
{
	struct port_dpdk_opts o;
	char err[256] = "no port";
	struct port *port = NULL;
	bool ok;

	if (!device)
		return port_mem_open(DESCS);
	ok = !port_dpdk_parse(device, &o, err, sizeof(err));
	o.arena = arena;
	o.any_port = true;
	must(ok && !port_dpdk_open(&o, 1, &port, err, sizeof(err)), err);
	return port;
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

static struct endpoint address(bool v6, uint32_t host, uint16_t port)
{
	struct endpoint e = endpoint_of_v4(0x0a000000 + host, port);

	if (v6) {
		memset(e.ip, 0, 12); // no longer v4-mapped
		e.ip[0] = 0xfd;
	}
	return e;
}

static struct endpoint caller(bool v6, unsigned i)
{
	return address(v6, 0x100 + i, (uint16_t)(1024 + i % 60000));
}

// Caller 0 publishes.
static struct park_entry *parked(struct one *b, bool v6, unsigned i)
{
	static struct park_entry e;

	e.p.req = (struct srt_hs_req){.caller_id = 77 + i, .isn = ISN, .mss = 1500, .flags = 0x3f};
	e.p.peer = caller(v6, i);
	e.p.local = address(v6, 1, 9000);
	e.p.arrival = b->now;
	e.p.base_ts = (uint32_t)(100 * TS_S);
	return &e;
}

static struct key_material keys_of(enum srt_suite suite, unsigned i)
{
	struct key_material k = {0};

	if (!suite)
		return k;
	k.km.has = SRT_KM_EVEN;
	k.km.cipher = srt_suite_is_gcm(suite) ? SRT_KM_GCM : SRT_KM_CTR;
	k.km.key_len = (uint8_t)(16 + 8 * ((suite - SRT_CTR_128) % 3));
	memset(k.km.sek[0], (int)i + 1, SRT_KM_SEK_MAX);
	return k;
}

// Control's side: it hears of everything, and frees what it hears of.
static void hear(struct one *b)
{
	struct event e[64];

	while (rte_ring_sc_dequeue_burst_elem(b->path.up, e, sizeof(*e), 64, NULL))
		;
}

static void join(struct one *b, const struct path_bed_opts *o, unsigned i)
{
	struct cmd_admit c = {.stream = &b->stream, .peer_rcv_latency_ms = 120};
	session_key key;
	struct session *s;

	c.keys = keys_of(o->suite, o->shared ? 0 : i);
	must(!join_play(&b->path, parked(b, o->v6, i), &c, &key), "no room for a subscriber");
	s = session_of_key(&b->path.sessions, key);
	s->shared = o->shared ? (uint8_t)o->suite : 0; // the first suite is the first key
	s->start = s->view->history.next;
	if (o->passes)
		s->shared = pass_bring(&b->path, s, &c.keys);
	s->pinned = o->passes;
	must(s->shared || !o->passes, "it does not pass");
	if (i == 1)
		b->first = s;
	hear(b);
}

static void publish(struct one *b, const struct path_bed_opts *o)
{
	struct cmd_admit c = {.stream = &b->stream, .own_rcv_latency_ms = 120};
	session_key key;

	if (o->secret)
		c.keys = keys_of(o->suite, 0);
	c.from = parked(b, false, 0)->p;
	must(!join_publish(&b->path, &c, &key), "no room for the publisher");
	b->publisher = session_of_key(&b->path.sessions, key);
}

// --- one worker -----------------------------------------------------------------------------

static void encrypt(struct one *b, uint8_t *data)
{
	struct srt_crypt_job j = {
		.key = secure_key_at(&b->path.secure, b->publisher->suite, b->publisher->slot, 0),
		.src = data + SRT_HDR,
		.dst = data + SRT_HDR,
		.seq = b->seq,
		.len = LEN,
	};

	be32_put(data + 4, be32_get(data + 4) | SRT_WORD1_EVEN);
	srt_crypt_ctr(b->path.secure.crypt, b->publisher->suite, &j, 1);
}

static void load(struct one *b, unsigned n)
{
	uint8_t data[SRT_HDR + LEN];

	// 1 ms between packets, so that the history holds its second and frames come back.
	b->now += TS_MS * n;
	b->batch.n = n;
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *frame;

		memset(data, 0x80, sizeof(data));
		srt_pkt_write_data(data, b->seq, SRT_WORD1_SINGLE | 1,
			(uint32_t)(b->now - b->t0 + 100 * TS_S), b->publisher->id);
		if (b->publisher->suite)
			encrypt(b, data);
		b->seq = seq31_add(b->seq, 1);
		while (!(frame = arena_copy(arena, data, sizeof(data))))
			must(ring_squeeze(&b->path), "no frames");
		b->batch.pkts[i].rx = (struct port_rx){
			.frame = frame,
			.data = rte_pktmbuf_mtod(frame, const uint8_t *),
			.len = sizeof(data),
			.peer = b->publisher->peer,
			.local = b->publisher->local,
			.arrival = b->now,
		};
	}
}

static void stages(struct one *b)
{
	struct path *p = &b->path;

	p->now = b->now;
	path_steer(p, &b->batch);
	path_session(p, &b->batch);
	path_ring(p, &b->batch);
	path_fanout(p);
	path_tx(p);
}

static uint64_t turn(struct one *b)
{
	uint64_t before = b->sent;
	struct port_stats s;

	stages(b);
	b->port->ops->stats(b->port, &s);
	b->sent = s.tx_packets;
	must(!s.tx_full && !s.tx_error, "copies were not sent");
	return b->sent - before;
}

// What the workers do between rounds, and what is at the far end of port mem.
static void between(struct one *b)
{
	struct port_mem_desc d[256];

	hear(b);
	house_keep(&b->path);
	while (b->mem && port_mem_take(b->port, d, 256))
		;
}

static struct one *one_new(const struct path_bed_opts *bed, unsigned first, unsigned n)
{
	struct one *b = calloc(1, sizeof(*b));
	struct path_opts o = {
		.n_workers = 1,
		.max_streams = 1,
		.max_subscribers = n,
		.core = -1,
		.follows = &b->follow,
		.regions = &b->regions,
	};

	o.arena = arena;
	o.port = b->port = port_open(bed->device);
	b->mem = !bed->device;
	o.stats = b->stats = stats_new();
	must(path_init(&b->path, &o), "no memory");
	b->now = b->t0 = b->path.now;
	b->seq = ISN;
	b->stream.cfg.history_us = TS_S;
	publish(b, bed);
	load(b, 1); // the stream begins
	turn(b);
	between(b);
	for (unsigned i = 0; i < n; i++)
		join(b, bed, 1 + first + i);
	// Joiners wait a moment and then catch up: go on until everybody is in the fan-out list.
	for (unsigned i = 0; i < 3 || b->path.n_starting; i++) {
		must(i < 1000, "somebody never entered the fan-out list");
		load(b, 1);
		turn(b);
		between(b);
	}
	return b;
}

static void one_free(struct one *b)
{
	leave_view(&b->path, b->path.open[0]);
	path_tx(&b->path);
	must(leave_view_done(&b->path, b->path.open[0]), "frames are still in use");
	path_tx(&b->path);
	b->port->ops->close(b->port);
	srt_crypt_free(b->path.secure.crypt);
	path_regions_free(&b->regions);
	free(b->stats);
	free(b);
}

// --- all of them ----------------------------------------------------------------------------

struct path_bed *path_bed_new(const struct path_bed_opts *o)
{
	struct path_bed *b = calloc(1, sizeof(*b));

	arena_once();
	for (unsigned at = 0, n; at < o->n_subscribers; at += n) {
		struct path_bed_opts one = *o;
		char device[128];

		n = o->n_subscribers - at;
		n = n < WORKER_SUBSCRIBERS ? n : WORKER_SUBSCRIBERS;
		must(b->n < WORKERS_MAX, "more subscribers than its workers hold");
		if (o->device) { // a device of its own
			snprintf(device, sizeof(device), o->device, b->n);
			one.device = device;
		}
		b->one[b->n++] = one_new(&one, at, n);
	}
	return b;
}

void path_bed_free(struct path_bed *b)
{
	for (unsigned i = 0; i < b->n; i++)
		one_free(b->one[i]);
	free(b);
}

void path_bed_load(struct path_bed *b, unsigned n)
{
	must(n <= BURST, "more packets than a round takes");
	for (unsigned i = 0; i < b->n; i++) {
		between(b->one[i]);
		load(b->one[i], n);
	}
}

uint64_t path_bed_turn(struct path_bed *b)
{
	uint64_t sent = 0;

	for (unsigned i = 0; i < b->n; i++)
		sent += turn(b->one[i]);
	return sent;
}

// Numbers far from the newest, and never the same twice in a row, for repetitions are suppressed.
void path_bed_load_naks(struct path_bed *b, unsigned n, unsigned lost)
{
	static uint8_t data[PORT_BURST][SRT_POLL_MAX];
	struct one *w = b->one[0];
	static unsigned round;
	uint32_t first = seq31_add(w->seq, 0u - 900 + 2 * lost * (round++ % 4));

	must(n <= PORT_BURST && 8 * lost < 800, "more reports than a round takes");
	w->batch.n = n;
	for (unsigned i = 0; i < n; i++) {
		struct session *s = w->first + i;
		struct bytes_out out = bytes_out_of(data[i], sizeof(data[i]));
		// The stream's number of its publisher's packet is known by what was sent last.
		uint32_t off = (uint32_t)(w->path.open[0]->history.next) - w->seq + s->dseq;

		srt_pkt_put_ctrl(&out, SRT_NAK, 0, 0, s->id);
		for (unsigned k = 0; k < lost; k++)
			srt_loss_put(&out, (first + 2 * k + off) & SEQ31_MASK,
				(first + 2 * k + off) & SEQ31_MASK);
		w->batch.pkts[i].rx = (struct port_rx){
			.data = data[i],
			.len = (uint16_t)bytes_out_len(&out),
			.peer = s->peer,
			.local = s->local,
			.arrival = w->now,
		};
	}
}

static uint64_t status_kb(const char *member)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	uint64_t kb = 0;

	must(f, "no /proc");
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, member, strlen(member)))
			kb = strtoull(line + strlen(member), NULL, 10);
	fclose(f);
	return kb;
}

uint64_t path_bed_memory(void)
{
	return (status_kb("VmRSS:") + status_kb("HugetlbPages:")) * 1024;
}
