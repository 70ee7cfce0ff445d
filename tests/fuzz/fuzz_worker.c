// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Whole workers against anybody who sends anything. A stream with a publisher and players,
// encrypted ones among them, is what the input attacks: it speaks in their names too. Beside it
// runs another stream, whose peers' ids it knows but whose addresses it has not. The input is a
// script: a byte of options, then steps. In the end the other stream has arrived whole, no
// encrypted player has been sent clear data, and every frame is given back.

#include "base/bytes.h"
#include "base/seq.h"
#include "fuzz/fuzz.h"
#include "proto/srt_cookie.h"
#include "proto/srt_hs_wire.h"
#include "proto/srt_pkt.h"
#include "worker_rig.h"

#include <string.h>

enum {
	ATTACKED, // streams
	OURS,
	OF_UDP,
	OF_RTP,
	STREAMS,
	TAG_UDP = 7,
	TAG_RTP,
	PEERS_MAX = 12,
	STRANGERS = 8,
	STRANGE_IDS = 8,
	LEN = 200,
	LONG = 1500,
	PUBLISH_MAX = 600, // packets of each stream
	TIME_MAX = 4000,   // ms
	AT_ONCE = 64,	   // datagrams before the next turn
	HELD_MAX = 64,	   // packets published while nothing is completed
};

struct run {
	struct bytes in;
	struct rig *rig;
	struct rig_peer *ours, *watcher; // peers 0 and 1: nobody speaks for them
	struct rig_peer *publisher;	 // of the attacked stream
	struct rig_peer stranger;
	uint32_t strange_ids[STRANGE_IDS]; // of sessions that strangers have got
	unsigned n_strange;
	unsigned frames, stamp, ms, waiting, held;
};

static void wait_ms(struct run *r, unsigned ms)
{
	r->waiting = 0;
	r->ms += ms;
	if (r->ms < TIME_MAX)
		rig_run(r->rig, ms);
	else
		rig_run(r->rig, 1);
}

static struct rig_peer *stranger(struct run *r, unsigned which)
{
	r->stranger.at = endpoint_of_v4(0x0a001000 + which % STRANGERS, (uint16_t)(500 + which));
	r->stranger.worker = which % r->rig->n_workers;
	return &r->stranger;
}

// From one of the attacked (low bits), or from nobody known (high bits).
static void throw(struct run * r, uint8_t who, const uint8_t *data, size_t len)
{
	struct rig_peer *p = who % 16 < r->rig->n_peers - 2 ? r->rig->peers[2 + who % 16]
							    : stranger(r, who / 16);

	rig_inject(r->rig, p, data, len);
	if (++r->waiting >= AT_ONCE)
		wait_ms(r, 1);
}

// A length and as many bytes; 0xf0 and above: a long one, zero at its end.
static size_t take(struct run *r, uint8_t *out, size_t cap)
{
	size_t len = bytes_u8(&r->in), n;
	const uint8_t *data;

	if (len >= 0xf0)
		len = LONG;
	if (len > cap)
		len = cap;
	n = bytes_left(&r->in) < len ? bytes_left(&r->in) : len;
	memset(out, 0, len);
	data = bytes_skip(&r->in, n);
	if (data)
		memcpy(out, data, n);
	return len;
}

static uint32_t id_of(const struct run *r, uint8_t whose)
{
	if (whose & 0x80)
		return r->strange_ids[whose % STRANGE_IDS];
	return r->rig->peers[whose % r->rig->n_peers]->caller.peer_id;
}

// --- steps ----------------------------------------------------------------------------------

static void step_raw(struct run *r)
{
	uint8_t d[LONG], who = bytes_u8(&r->in);

	throw(r, who, d, take(r, d, sizeof(d)));
}

static void step_addressed(struct run *r)
{
	uint8_t d[LONG], who = bytes_u8(&r->in), whose = bytes_u8(&r->in);
	size_t len = take(r, d, sizeof(d));

	if (len >= SRT_HDR)
		be32_put(d + 12, id_of(r, whose));
	throw(r, who, d, len);
}

static void step_media(struct run *r)
{
	uint8_t d[SRT_HDR + LONG], who = bytes_u8(&r->in), whose = bytes_u8(&r->in);
	uint32_t seq = seq31_add(
		r->publisher->next_seq, (uint32_t)(int16_t)bytes_u16(&r->in) & SEQ31_MASK);
	uint32_t word1 = SRT_WORD1_SINGLE ^ (uint32_t)bytes_u8(&r->in) << 24;
	uint32_t ts = (uint32_t)(r->rig->now - r->publisher->t0 + 100 * TS_S) +
		      (uint32_t)(int16_t)bytes_u16(&r->in) * 64u;

	srt_pkt_write_data(d, seq, word1 | 1, ts, id_of(r, whose));
	throw(r, who, d, SRT_HDR + take(r, d + SRT_HDR, LONG - SRT_HDR));
}

static void step_control(struct run *r)
{
	static const uint16_t types[] = {SRT_HANDSHAKE, SRT_KEEPALIVE, SRT_ACK, SRT_NAK,
		SRT_CONGESTION, SRT_SHUTDOWN, SRT_ACKACK, SRT_DROPREQ, SRT_PEERERROR, SRT_USER};
	uint8_t d[SRT_HDR + LONG], who = bytes_u8(&r->in), whose = bytes_u8(&r->in);
	uint8_t type = bytes_u8(&r->in), info = bytes_u8(&r->in);
	struct bytes_out b = bytes_out_of(d, sizeof(d));

	srt_pkt_put_ctrl(&b, types[type % 10], info, (uint32_t)r->rig->now, id_of(r, whose));
	d[3] = type / 10 % 8; // subtype
	throw(r, who, d, SRT_HDR + take(r, d + SRT_HDR, LONG - SRT_HDR));
}

// A sequence number near the attacked publisher's, where a control packet has one.
static void step_report(struct run *r)
{
	uint8_t d[SRT_HDR + 8], who = bytes_u8(&r->in), whose = bytes_u8(&r->in);
	uint8_t kind = bytes_u8(&r->in);
	struct bytes_out b = bytes_out_of(d, sizeof(d));
	uint32_t first = seq31_add(
		r->publisher->next_seq, (uint32_t)(int16_t)bytes_u16(&r->in) & SEQ31_MASK);
	uint32_t last = seq31_add(first, bytes_u16(&r->in) * (kind & 0x80 ? 0x8000u : 1u));

	srt_pkt_put_ctrl(&b,
		kind & 1   ? SRT_NAK
		: kind & 2 ? SRT_DROPREQ
			   : SRT_ACK,
		kind, (uint32_t)r->rig->now, id_of(r, whose));
	bytes_put_u32(&b, first | (kind & 1 ? 0x80000000u : 0));
	bytes_put_u32(&b, last);
	throw(r, who, d, bytes_out_len(&b));
}

// A conclusion with the cookie that its sender would have got, and any blocks.
static void step_conclusion(struct run *r)
{
	static const char *const names[] = {"p0", "s0", "p1", "s1", "p2", "s2", "x"};
	const struct srt_cookie_key key = {RIG_COOKIE_KEY, RIG_COOKIE_KEY};
	uint8_t d[LONG], who = bytes_u8(&r->in) | 0x0f, kind = bytes_u8(&r->in);
	struct bytes_out b = bytes_out_of(d, sizeof(d));
	struct hs_fixed f = {.version = HS_VERSION5,
		.extension = HS_FLAG_HSREQ | HS_FLAG_CONFIG | (kind & 0x40 ? HS_FLAG_KMREQ : 0),
		.isn = bytes_u16(&r->in),
		.mss = HS_MSS,
		.window = 8192,
		.type = HS_CONCLUSION,
		.id = 5000u + kind % 4};
	size_t at;

	f.cookie = srt_cookie_make(&key, &stranger(r, who / 16)->at, RIG_PORT, r->rig->now);
	hs_fixed_put(&b, &f);
	if (kind & 0x80)
		hs_ext_put(&b, HS_BLOCK_HSREQ,
			&(struct hs_ext){.version = SRT_VERSION, .flags = SRT_F_OURS});
	if (kind & 0x80)
		hs_string_put(&b, HS_BLOCK_SID, names[kind / 4 % 7]);
	at = bytes_out_len(&b);
	throw(r, who, d, at + take(r, d + at, sizeof(d) - at));
}

static void publish(struct run *r)
{
	if (r->stamp >= PUBLISH_MAX)
		return;
	rig_publish(r->rig, r->ours, ++r->stamp, LEN);
	if (r->publisher->up)
		rig_publish(r->rig, r->publisher, r->stamp, LEN);
	if (r->rig->hold && ++r->held >= HELD_MAX)
		r->rig->hold = false;
	if ((r->waiting += 2) >= AT_ONCE)
		wait_ms(r, 1);
}

// Ours has no packet under way then, for which it would be late.
static void step_jump(struct run *r)
{
	unsigned ms = bytes_u8(&r->in) * 4u;

	wait_ms(r, 2);
	r->ms += 20;
	if (r->ms < TIME_MAX)
		r->rig->now += ms * TS_MS;
	wait_ms(r, 1);
}

static void step_call(struct run *r)
{
	uint8_t how = bytes_u8(&r->in);
	unsigned worker = how / 16 % r->rig->n_workers;
	bool publishes = how & 0x80;
	struct rig_peer *p;

	if (r->rig->n_peers >= PEERS_MAX)
		return;
	p = how % SRT_SUITES
		    ? rig_call_secure(r->rig, ATTACKED, publishes, worker, how % SRT_SUITES)
		    : rig_call(r->rig, ATTACKED, publishes, worker);
	if (publishes)
		r->publisher = p;
}

static void step_leave(struct run *r)
{
	struct rig_peer *p = r->rig->peers[2 + bytes_u8(&r->in) % (r->rig->n_peers - 2)];

	if (p->up)
		srt_conn_close(&p->conn);
}

static void step_announce(struct run *r)
{
	uint8_t how = bytes_u8(&r->in);
	struct srt_km_keys k = r->publisher->keys;

	if (!r->publisher->suite || !r->publisher->up)
		return;
	k.has = 1 + how % 3;
	k.salt[3] ^= how & 0x40;
	k.sek[how / 4 % 2][0] ^= how;
	rig_announce(r->rig, r->publisher, &k);
	if (how & 0x80)
		r->publisher->odd ^= 1;
}

static void step_path(struct run *r)
{
	uint8_t how = bytes_u8(&r->in);
	struct rig_peer *p = r->rig->peers[2 + how % (r->rig->n_peers - 2)];

	r->rig->hold = how & 0x80;
	r->held = 0;
	port_mem_narrow(r->rig->ports[p->worker], &p->at, how & 0x40 ? 100 : 0);
}

static void step_source(struct run *r)
{
	struct endpoint peer = endpoint_of_v4(0x0a000002, 999), local = endpoint_of_v4(0, 5004);
	uint8_t d[LONG], tag = bytes_u8(&r->in) & 1 ? TAG_RTP : TAG_UDP;
	size_t len = take(r, d, sizeof(d));

	if (port_mem_inject(r->rig->ports[0], &peer, &local, tag, d, (uint16_t)len) ||
		++r->waiting >= AT_ONCE)
		wait_ms(r, 1);
}

static void step(struct run *r)
{
	switch (bytes_u8(&r->in) % 16) {
	case 0:
		step_raw(r);
		break;
	case 1:
		step_addressed(r);
		break;
	case 2:
		step_media(r);
		break;
	case 3:
		step_control(r);
		break;
	case 4:
		step_report(r);
		break;
	case 5:
		step_conclusion(r);
		break;
	case 6:
		wait_ms(r, bytes_u8(&r->in) % 64);
		break;
	case 7:
		step_jump(r);
		break;
	case 8:
	case 9:
		for (unsigned n = 1 + bytes_u8(&r->in) % 8; n--;)
			publish(r);
		break;
	case 10:
		step_call(r);
		break;
	case 11:
		step_leave(r);
		break;
	case 12:
		step_announce(r);
		break;
	case 13:
		step_path(r);
		break;
	case 14:
		step_source(r);
		break;
	case 15:
		if (r->publisher->up)
			rig_send_again(r->rig, r->publisher,
				seq31_add(r->publisher->next_seq, SEQ31_MASK - bytes_u8(&r->in)));
		break;
	}
}

// --- a run ----------------------------------------------------------------------------------

// What a stranger is told: of an answer to a conclusion, the id of its session.
static void note_strange(struct rig *rig, const struct port_mem_desc *d)
{
	struct run *r = rig->push_note;
	struct hs_fixed f;

	if (d->kind == LINE_UDP && hs_fixed_parse(d->payload, d->payload_len, &f) &&
		f.type == HS_CONCLUSION)
		r->strange_ids[r->n_strange++ % STRANGE_IDS] = f.id;
}

static void source(struct run *r, unsigned stream, uint16_t tag, uint8_t proto)
{
	struct cmd c = {.kind = CMD_SOCK_ADD};

	rig_stream(r->rig, stream, 0);
	c.sock = (struct cmd_sock){.fd = -1,
		.tag = tag,
		.source = true,
		.proto = proto,
		.stream = &r->rig->streams[stream],
		.reorder_us = 50 * TS_MS};
	FUZZ_CHECK(!rig_command(r->rig, 0, &c));
}

// Two workers or one; the attacked publisher's suite; where the attacked stream lives.
static void start(struct run *r, uint8_t options)
{
	unsigned workers = 1 + (options & 1);
	struct rig *rig = r->rig = rig_new(workers);

	rig->on_push = note_strange;
	rig->push_note = r;
	rig->overrun = true;
	rig->keeps[OURS] = true;
	r->frames = rig_frames_used(rig);
	rig_stream(rig, ATTACKED, options / 2 % workers)->cfg.km_refresh = 200;
	rig_stream(rig, OURS, 0);
	source(r, OF_UDP, TAG_UDP, DP_PROTO_UDP);
	source(r, OF_RTP, TAG_RTP, DP_PROTO_RTP);
	r->ours = rig_call(rig, OURS, true, 0);
	r->watcher = rig_call(rig, OURS, false, workers - 1);
	r->publisher = options / 4 % SRT_SUITES
			       ? rig_call_secure(rig, ATTACKED, true, 0, options / 4 % SRT_SUITES)
			       : rig_call(rig, ATTACKED, true, 0);
	rig_call(rig, ATTACKED, false, workers - 1);
	rig_call_secure(rig, ATTACKED, false, 0, SRT_CTR_128);
	rig_call_secure(rig, ATTACKED, false, workers - 1, SRT_GCM_256);
	rig_run(rig, 20);
	FUZZ_CHECK(r->ours->up && r->watcher->up && r->publisher->up);
}

static void check_ours(const struct run *r)
{
	static bool came[PUBLISH_MAX + 64];
	const struct rig_peer *p = r->watcher;

	memset(came, 0, sizeof(came));
	FUZZ_CHECK(!r->ours->closed && !p->closed);
	FUZZ_CHECK(p->n_got == r->stamp);
	for (unsigned i = 0; i < p->n_got; i++) {
		FUZZ_CHECK(p->got[i].stamp - 1 < r->stamp && !came[p->got[i].stamp]);
		FUZZ_CHECK(p->got[i].len == LEN);
		came[p->got[i].stamp] = true;
	}
	FUZZ_CHECK(!srt_rcv_given_up(&p->rcv));
}

static void close_streams(struct run *r)
{
	struct rig *rig = r->rig;

	for (uint16_t tag = TAG_UDP; tag <= TAG_RTP; tag++) {
		struct cmd c = {.kind = CMD_SOCK_DEL, .sock = {.fd = -1, .tag = tag}};

		FUZZ_CHECK(!rig_command(rig, 0, &c));
	}
	for (unsigned i = 0; i < STREAMS; i++)
		for (unsigned k = 1; k <= rig->n_workers; k++) { // its owner last
			struct cmd c = {.kind = CMD_STREAM_CLOSE, .stream = &rig->streams[i]};

			FUZZ_CHECK(!rig_command(
				rig, (rig->streams[i].owner + k) % rig->n_workers, &c));
		}
	rig_run(rig, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run r;

	memset(&r, 0, sizeof(r));
	r.in = bytes_of(data, len);
	start(&r, bytes_u8(&r.in));
	while (bytes_left(&r.in))
		step(&r);
	r.rig->hold = false;
	wait_ms(&r, 3);
	for (unsigned i = 0; i < 20; i++) {
		rig_publish(r.rig, r.ours, ++r.stamp, LEN);
		rig_run(r.rig, 1);
	}
	rig_run(r.rig, 100);
	check_ours(&r);
	for (unsigned i = 0; i < r.rig->n_peers; i++)
		FUZZ_CHECK(!r.rig->peers[i]->n_clear);
	close_streams(&r);
	FUZZ_CHECK(rig_frames_used(r.rig) == r.frames);
	rig_free(r.rig);
	return 0;
}
