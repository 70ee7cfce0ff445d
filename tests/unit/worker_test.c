// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "worker_rig.h"

#include "base/seq.h"
#include "proto/rtp.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { LEN = 1316 };

// One packet a millisecond.
static void stream_for(struct rig *r, struct rig_peer *pub, unsigned n, uint32_t first_stamp)
{
	for (unsigned i = 0; i < n; i++) {
		rig_publish(r, pub, first_stamp + i, LEN);
		rig_run(r, 1);
	}
}

static int by_seq(const void *a, const void *b)
{
	const struct rig_got *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

// What the peer got is stamps first..last, in order, nothing missing, nothing else, on a clock
// that never steps back.
static void check_got(struct rig_peer *p, uint32_t first, uint32_t last)
{
	qsort(p->got, p->n_got, sizeof(p->got[0]), by_seq);
	assert_int_equal(p->n_got, last - first + 1);
	for (unsigned i = 0; i < p->n_got; i++) {
		assert_int_equal(p->got[i].seq, i);
		assert_int_equal(p->got[i].stamp, first + i);
		assert_int_equal(p->got[i].len, LEN);
		assert_true(!i || (int32_t)(p->got[i].ts - p->got[i - 1].ts) > 0);
	}
}

static struct rig_peer *publisher(struct rig *r, unsigned stream, unsigned worker)
{
	struct rig_peer *p = rig_call(r, stream, true, worker);

	rig_run(r, 5);
	assert_true(p->up);
	return p;
}

static void what_is_published_arrives_whole_at_every_subscriber(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *subs[100], *pub;

	rig_stream(r, 0, 0);
	for (unsigned i = 0; i < 100; i++)
		subs[i] = rig_call(r, 0, false, 0);
	pub = publisher(r, 0, 0);
	stream_for(r, pub, 500, 1);
	rig_run(r, 50);
	for (unsigned i = 0; i < 100; i++)
		check_got(subs[i], 1, 500);
	assert_int_equal(r->n_up, 101);
	rig_free(r);
}

static void losses_on_both_legs_are_repaired(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *subs[5], *pub;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	for (unsigned i = 0; i < 5; i++)
		subs[i] = rig_call(r, 0, false, 0);
	rig_run(r, 20);
	r->loss_in = r->loss_out = 50;
	stream_for(r, pub, 3000, 1);
	r->loss_in = r->loss_out = 0;
	stream_for(r, pub, 300, 3001);
	rig_run(r, 100);
	for (unsigned i = 0; i < 5; i++)
		check_got(subs[i], 1, 3300);
	assert_int_equal(r->stats->n_workers, 1);
	rig_free(r);
}

// A hole that the publisher never fills is announced: subscribers go on without it, at once.
static void a_hole_given_up_is_announced(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub, *sub;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	sub = rig_call(r, 0, false, 0);
	rig_run(r, 20);
	stream_for(r, pub, 100, 1);
	r->loss_in = 1000;
	rig_publish(r, pub, 101, LEN);
	r->loss_in = 0;
	pub->history_len[(pub->next_seq - 1) % 4096] = 16; // its repairs are not media
	be32_put(pub->history[(pub->next_seq - 1) % 4096] + 12, 99);
	stream_for(r, pub, 400, 102);
	assert_int_equal(sub->n_got, 500);
	assert_int_equal(srt_rcv_given_up(&sub->rcv), 1);
	assert_int_equal(srt_rcv_stats(&sub->rcv)->late, 0);
	rig_free(r);
}

// The packet behind the gap comes so late that the gap is given up before it is indexed: neither
// pushes nor the history may wait for it.
static void a_gap_given_up_before_its_end_came_blocks_nobody(void **state)
{
	struct rig *r = rig_new(1);
	struct view *v = &r->group->workers[0].path.views[0];
	struct rig_peer *pub, *sub;
	unsigned before;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	sub = rig_call(r, 0, false, 0);
	rig_run(r, 20);
	stream_for(r, pub, 100, 1);
	before = rig_frames_used(r);
	r->loss_in = 1000;
	stream_for(r, pub, 50, 101);
	rig_run(r, RIG_LATENCY_MS + 30);
	for (unsigned i = 2; i <= 50; i++) // gone for good: nothing answers the NAKs
		pub->history_len[seq31_add(pub->next_seq, SEQ31_MASK + 1 - i) % 4096] = 0;
	r->loss_in = 0;
	rig_send_again(r, pub, seq31_add(pub->next_seq, SEQ31_MASK)); // the last of them, late
	stream_for(r, pub, 2000, 151);
	rig_run(r, 10);
	assert_true(v->in.inorder == v->history.next);
	assert_true(rig_frames_used(r) < before + 1300);
	assert_true(sub->n_got >= 2100);
	assert_int_equal(srt_rcv_stats(&sub->rcv)->late, 0);
	rig_free(r);
}

static void a_late_joiner_gets_the_stream_at_once(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub, *sub;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	stream_for(r, pub, 300, 1);
	sub = rig_call(r, 0, false, 0);
	rig_run(r, 20); // what comes right behind the answer would be lost in libsrt
	assert_int_equal(sub->n_got, 1);
	stream_for(r, pub, 100, 301);
	check_got(sub, sub->got[0].stamp, 400);
	assert_true(sub->got[0].stamp >= 290);
	rig_free(r);
}

// Of whom the workers serve as this peer.
static struct dp_session counters(struct rig *r, const struct rig_peer *p)
{
	struct dp_session d;

	for (uint32_t i = 0; i < RIG_SUBSCRIBERS; i++)
		if (worker_session_read(r->group, 0, i, &d) && d.peer_port == p->at.port &&
			!memcmp(d.peer_ip, p->at.ip, sizeof(d.peer_ip)))
			return d;
	fail_msg("no session");
	return d;
}

// What the stream has carried before is none of its packets: while it waits, while it catches up,
// and when it has.
static void a_late_joiner_counts_what_it_has_been_sent(void **)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub, *sub;
	struct dp_session d;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	stream_for(r, pub, 2000, 0);
	sub = rig_call(r, 0, false, 0);
	for (unsigned i = 0; i < 100 && !sub->up; i++)
		rig_run(r, 1);
	assert_true(sub->up);
	assert_int_equal(counters(r, sub).packets, 0);
	for (unsigned i = 0; i < 300; i++) {
		stream_for(r, pub, 1, 2000 + i);
		d = counters(r, sub);
		assert_int_equal(d.packets, sub->n_got);
		assert_int_equal(d.bytes, d.packets * LEN);
	}
	assert_true(sub->n_got >= 290);
	rig_free(r);
}

static void a_late_joiner_catches_up_with_a_fast_stream(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub, *sub = NULL;
	struct view *v = &r->group->workers[0].path.views[0];

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	for (unsigned i = 0; i < 150 * 40; i++) { // 40 packets a millisecond
		rig_publish(r, pub, 1 + i, LEN);
		if (i == 40 * 20) { // it begins a few hundred packets back
			sub = rig_call(r, 0, false, 0);
			history_note_random(&v->history, v->history.next - 300);
		}
		if (i % 40 == 39)
			rig_run(r, 1);
	}
	assert_non_null(sub);
	assert_true(sub->n_got > 40 * 100);
	assert_int_equal(v->out.n_starting, 0);
	rig_free(r);
}

static void a_publisher_that_comes_back_goes_on(void **state)
{
	struct rig *r = rig_new(2);
	struct rig_peer *pub, *sub[2];

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	sub[0] = rig_call(r, 0, false, 0);
	sub[1] = rig_call(r, 0, false, 1);
	rig_run(r, 20);
	stream_for(r, pub, 200, 1);
	rig_run(r, 10);
	srt_conn_close(&pub->conn);
	rig_run(r, 500);
	pub = publisher(r, 0, 1); // lands on the other worker
	stream_for(r, pub, 200, 201);
	rig_run(r, 20);
	check_got(sub[0], 1, 400);
	check_got(sub[1], 1, 400);
	// Its packets are taken in by the owner, whichever worker they land on.
	assert_true(r->group->workers[1].path.stats->forwarded >= 200);
	rig_free(r);
}

static void a_silent_publisher_makes_the_stream_stalled(void **state)
{
	struct rig *r = rig_new(1);
	const struct view *v = &r->group->workers[0].path.views[0];
	struct rig_peer *pub;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	rig_run(r, 1900);
	assert_int_equal(v->in.state, DP_STREAM_IDLE);
	rig_run(r, 300); // it has never sent a packet
	assert_int_equal(v->in.state, DP_STREAM_STALLED);
	stream_for(r, pub, 10, 1);
	assert_int_equal(v->in.state, DP_STREAM_LIVE);
	rig_run(r, 2200);
	assert_int_equal(v->in.state, DP_STREAM_STALLED);
	srt_conn_close(&pub->conn);
	rig_run(r, 300);
	assert_int_equal(v->in.state, DP_STREAM_IDLE);
	rig_free(r);
}

static void a_takeover_keeps_the_subscribers(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *old, *pub, *sub;

	rig_stream(r, 0, 0);
	old = publisher(r, 0, 0);
	sub = rig_call(r, 0, false, 0);
	rig_run(r, 20);
	stream_for(r, old, 100, 1);
	pub = publisher(r, 0, 0);
	rig_run(r, 5);
	assert_true(old->closed);
	stream_for(r, pub, 100, 101);
	rig_run(r, 20);
	check_got(sub, 1, 200);
	rig_free(r);
}

static void both_workers_deliver_and_repair(void **state)
{
	struct rig *r = rig_new(2);
	struct rig_peer *pub, *subs[20];
	unsigned again = 0;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	for (unsigned i = 0; i < 20; i++)
		subs[i] = rig_call(r, 0, false, i % 2);
	rig_run(r, 20);
	r->loss_out = 30;
	stream_for(r, pub, 2000, 1);
	r->loss_out = 0;
	stream_for(r, pub, 200, 2001);
	rig_run(r, 100);
	for (unsigned i = 0; i < 20; i++) {
		check_got(subs[i], 1, 2200);
		for (unsigned k = 0; k < subs[i]->n_got; k++)
			again += i % 2 && subs[i]->got[k].again;
	}
	assert_true(again > 100); // repairs by the worker that does not own the stream
	rig_free(r);
}

static void a_history_that_is_followed_stays_as_short(void **state)
{
	struct rig *r = rig_new(2);
	struct rig_peer *pub;
	unsigned at_two_seconds;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	rig_call(r, 0, false, 1); // on the worker that follows
	stream_for(r, pub, 2000, 0);
	at_two_seconds = rig_frames_used(r);
	stream_for(r, pub, 3000, 2000);
	// A second of frames and as many clones, and what waits for the next round of housekeeping.
	assert_in_range(rig_frames_used(r), 2000, at_two_seconds + 250);
	rig_free(r);
}

static void a_closed_stream_gives_every_frame_back(void **state)
{
	struct rig *r = rig_new(2);
	struct rig_peer *pub, *subs[4];
	struct stream *s;
	struct cmd close0 = {.kind = CMD_STREAM_CLOSE}, close1 = close0;
	unsigned before = rig_frames_used(r);

	s = rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	for (unsigned i = 0; i < 4; i++)
		subs[i] = rig_call(r, 0, false, i % 2);
	rig_run(r, 20);
	stream_for(r, pub, 500, 1);
	assert_true(rig_frames_used(r) > before + 500);
	close0.stream = close1.stream = s;
	assert_int_equal(rig_command(r, 1, &close1), 0);
	assert_int_equal(rig_command(r, 0, &close0), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(subs[i]->closed);
	assert_true(pub->closed);
	assert_int_equal(rig_frames_used(r), before);
	assert_int_equal(r->n_up, r->n_down);
	rig_free(r);
}

static void frames_wait_for_deferred_completions(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub, *sub;
	unsigned before, held;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	sub = rig_call(r, 0, false, 0);
	rig_run(r, 20);
	before = rig_frames_used(r);
	r->hold = true;
	stream_for(r, pub, 3000, 1); // three times the history's depth
	held = rig_frames_used(r);
	assert_true(held >= before + 3000);
	r->hold = false;
	rig_run(r, 200);
	assert_true(rig_frames_used(r) < before + 1200);
	check_got(sub, 1, 3000);
	rig_free(r);
}

static void an_unknown_stream_is_refused_and_every_repeat_answered(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *sub = rig_call(r, 3, false, 0);

	rig_run(r, 10);
	assert_int_equal(sub->rejected, SRT_REJX_NOTFOUND);
	assert_int_equal(rig_drops(r, DP_DROP_OVERLOAD), 0);
	rig_free(r);
}

static void a_silent_subscriber_is_forgotten(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	rig_call(r, 0, false, 0);
	rig_run(r, 20);
	assert_int_equal(r->n_up, 2);
	r->n_peers = 1; // nobody reads or answers for it any more
	for (unsigned i = 0; i < 120; i++)
		stream_for(r, pub, 1, i), rig_run(r, 49);
	assert_int_equal(r->n_down, 1);
	r->n_peers = 2;
	rig_free(r);
}

static void a_stranger_with_a_right_id_is_not_heard(void **state)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub, *stranger, *sub;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	sub = rig_call(r, 0, false, 0);
	rig_run(r, 20);
	stream_for(r, pub, 10, 1);
	stranger = rig_call(r, 0, false, 0);
	stranger->caller.peer_id = pub->caller.peer_id;
	rig_publish(r, stranger, 666, LEN);
	rig_run(r, 10);
	assert_int_equal(rig_drops(r, DP_DROP_WRONG_ADDRESS), 1);
	check_got(sub, 1, 10);
	rig_free(r);
}

// --- sources and pushes ---------------------------------------------------------------------

struct pushed {
	unsigned n;
	struct {
		uint16_t port, len;
		uint8_t rtp[12];
		uint32_t first; // four bytes of payload
	} got[512];
};

static void note_push(struct rig *r, const struct port_mem_desc *d)
{
	struct pushed *p = r->push_note;

	assert_true(p->n < 512);
	p->got[p->n].port = be16_get(d->header + WIRE_UDP_DST);
	p->got[p->n].len = d->payload_len;
	memcpy(p->got[p->n].rtp, d->kind == LINE_RTP ? d->header + WIRE_MEDIA : d->payload, 12);
	p->got[p->n++].first =
		be32_get(d->payload + (d->kind == LINE_RTP ? 0 : d->payload_len - 4));
}

enum { SOURCE_TAG = 7, UDP_TO = 6001, RTP_TO = 6002 };

static void source(struct rig *r, uint8_t proto)
{
	struct cmd c = {.kind = CMD_SOCK_ADD};

	c.sock = (struct cmd_sock){.fd = -1,
		.tag = SOURCE_TAG,
		.source = true,
		.proto = proto,
		.stream = &r->streams[0],
		.reorder_us = 50 * TS_MS};
	assert_int_equal(rig_command(r, 0, &c), 0);
}

static void route(struct rig *r, uint8_t proto, uint16_t port)
{
	struct cmd c = {.kind = CMD_PUSH_ADD};

	c.push = (struct cmd_push){.stream = &r->streams[0],
		.proto = proto,
		.peer = endpoint_of_v4(0xc0000201, port),
		.ttl = 64};
	assert_int_equal(rig_command(r, 0, &c), 0);
}

static void send_source(struct rig *r, const uint8_t *data, size_t len)
{
	struct endpoint peer = endpoint_of_v4(0x0a000002, 999), local = endpoint_of_v4(0, 5004);

	assert_int_equal(
		port_mem_inject(r->ports[0], &peer, &local, SOURCE_TAG, data, (uint16_t)len), 0);
}

// TS in an RTP packet; the last four bytes are the sequence number again.
static void send_rtp(struct rig *r, uint16_t seq, uint8_t pt, uint8_t first)
{
	uint8_t d[RTP_HDR + 188];
	struct rtp_hdr h = {.seq = seq, .pt = pt, .ssrc = 0xabcd, .ts = seq * 100u};

	memset(d, first, sizeof(d));
	rtp_write(d, &h);
	be32_put(d + sizeof(d) - 4, seq);
	send_source(r, d, sizeof(d));
	rig_run(r, 1);
}

static struct rig *with_pushes(struct pushed *note)
{
	struct rig *r = rig_new(1);

	memset(note, 0, sizeof(*note));
	r->on_push = note_push;
	r->push_note = note;
	rig_stream(r, 0, 0);
	route(r, DP_PROTO_UDP, UDP_TO);
	route(r, DP_PROTO_RTP, RTP_TO);
	return r;
}

static void rtp_is_put_in_order_and_pushed_as_it_came(void **state)
{
	static const uint16_t order[] = {65534, 65535, 1, 0, 2};
	struct pushed got;
	struct rig *r = with_pushes(&got);

	source(r, DP_PROTO_RTP);
	for (unsigned i = 0; i < 5; i++)
		send_rtp(r, order[i], 33, 0x47);
	rig_run(r, 5);
	assert_int_equal(got.n, 10);
	for (unsigned i = 0, udp = 65534, rtp = 65534; i < got.n; i++) {
		bool is_rtp = got.got[i].port == RTP_TO;

		assert_int_equal(got.got[i].len, is_rtp ? RTP_HDR + 188 : 188);
		assert_int_equal(got.got[i].first, (is_rtp ? rtp : udp) & 0xffff);
		if (is_rtp)
			assert_int_equal(be32_get(got.got[i].rtp + 8), 0xabcd);
		*(is_rtp ? &rtp : &udp) += 1;
	}
	rig_free(r);
}

static void a_hole_in_rtp_is_passed_after_the_reorder_time(void **state)
{
	struct pushed got;
	struct rig *r = with_pushes(&got);

	source(r, DP_PROTO_RTP);
	send_rtp(r, 10, 33, 0x47);
	send_rtp(r, 12, 33, 0x47);
	rig_run(r, 45);
	assert_int_equal(got.n, 2);
	rig_run(r, 10);
	assert_int_equal(got.n, 4);
	send_rtp(r, 11, 33, 0x47);
	assert_int_equal(got.n, 4);
	assert_int_equal(rig_drops(r, DP_DROP_LATE_INORDER), 1);
	send_rtp(r, 13, 33, 0x47);
	assert_int_equal(got.n, 6);
	rig_free(r);
}

static void rtp_that_is_not_ts_goes_out_as_rtp_everywhere(void **state)
{
	struct pushed got;
	struct rig *r = with_pushes(&got);

	source(r, DP_PROTO_RTP);
	send_rtp(r, 10, 96, 0x11);
	assert_int_equal(got.n, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(got.got[i].len, RTP_HDR + 188);
	rig_free(r);
}

static void ts_is_wrapped_in_rtp_with_a_clock(void **state)
{
	uint8_t ts[188] = {0x47};
	struct pushed got;
	struct rig *r = with_pushes(&got);

	source(r, DP_PROTO_UDP);
	for (uint32_t i = 0; i < 3; i++) {
		be32_put(ts + 184, i);
		send_source(r, ts, sizeof(ts));
		rig_run(r, 10);
	}
	assert_int_equal(got.n, 6);
	for (unsigned i = 1, last = 0, seen = 0; i < got.n; i++) {
		if (got.got[i].port != RTP_TO)
			continue;
		assert_int_equal(got.got[i].len, 188);
		assert_int_equal(got.got[i].rtp[0], 0x80);
		assert_int_equal(got.got[i].rtp[1], 33);
		if (seen++) {
			const uint8_t *a = got.got[last].rtp, *b = got.got[i].rtp;

			assert_int_equal((uint16_t)(be16_get(b + 2) - be16_get(a + 2)), 1);
			assert_int_equal(be32_get(b + 4) - be32_get(a + 4), 900); // 10 ms
			assert_int_equal(be32_get(b + 8), be32_get(a + 8));
		}
		last = i;
	}
	rig_free(r);
}

static void what_is_neither_rtp_nor_ts_is_dropped_on_a_source(void **state)
{
	uint8_t junk[100] = {0x16, 0xfe};
	struct pushed got;
	struct rig *r = with_pushes(&got);

	source(r, DP_PROTO_UDP);
	send_source(r, junk, sizeof(junk));
	send_source(r, junk, 0);
	rig_run(r, 2);
	assert_int_equal(got.n, 0);
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MEDIA), 2);
	rig_free(r);
}

static session_key push_by(struct rig *r, unsigned object, uint32_t ifindex, uint16_t port)
{
	struct cmd c = {.kind = CMD_PUSH_ADD};

	c.push = (struct cmd_push){.stream = &r->streams[0],
		.object = object,
		.proto = object & 1 ? DP_PROTO_UDP : DP_PROTO_RTP,
		.peer = endpoint_of_v4(0xefff0001, port),
		.ifindex = ifindex,
		.ttl = 1};
	assert_int_equal(rig_command(r, 0, &c), 0);
	return c.push.key;
}

static struct dp_session seen(struct rig *r, session_key key)
{
	struct dp_session d;

	assert_true(session_read(&r->group->workers[0].path.sessions, session_key_slot(key), &d));
	return d;
}

static void send_ts(struct rig *r, unsigned n)
{
	uint8_t ts[188] = {0x47};

	for (unsigned i = 0; i < n; i++) {
		send_source(r, ts, sizeof(ts));
		rig_run(r, 10);
	}
}

// One group by way of two interfaces, twice by the one that is down: whoever goes out by the other
// is told nothing and has sent everything, and those two have sent nothing while it was.
static void a_push_is_refused_by_its_own_interface_alone(void **)
{
	static const uint32_t by[4] = {3, 2, 3, 2}; // 2 is down; the last has a port of its own
	struct rig *r = rig_new(1);
	session_key key[6] = {0};

	rig_stream(r, 0, 0);
	for (unsigned i = 1; i < 5; i++)
		key[i] = push_by(r, i, by[i - 1], UDP_TO);
	key[5] = push_by(r, 5, 2, RTP_TO);
	source(r, DP_PROTO_UDP);
	send_ts(r, 20);
	port_mem_down(r->ports[0], 2, ENETUNREACH);
	send_ts(r, 30);
	port_mem_down(r->ports[0], 2, 0);
	for (unsigned i = 1; i < 6; i++) {
		bool down = i == 2 || i >= 4;

		assert_int_equal(r->refusal[i], down ? ENETUNREACH : 0);
		assert_int_equal(seen(r, key[i]).packets, down ? 20 : 50);
	}
	assert_int_equal(rig_drops(r, DP_DROP_TX_ERROR), 3 * 30);
	send_ts(r, 200);
	for (unsigned i = 1; i < 6; i++)
		assert_int_equal(r->refusal[i], 0); // it goes out again
	rig_free(r);
}

static void a_narrow_interface_closes_its_own_push(void **)
{
	struct rig *r = rig_new(1);
	session_key key[2];

	rig_stream(r, 0, 0);
	key[0] = push_by(r, 1, 2, UDP_TO);
	key[1] = push_by(r, 2, 3, UDP_TO);
	source(r, DP_PROTO_UDP);
	send_ts(r, 5);
	port_mem_down(r->ports[0], 3, EMSGSIZE);
	send_ts(r, 30);
	assert_int_equal(r->n_down, 1);
	assert_int_equal(r->down_reason, DP_CLOSE_NARROW);
	assert_null(session_of_key(&r->group->workers[0].path.sessions, key[1]));
	assert_int_equal(seen(r, key[0]).packets, 35);
	rig_free(r);
}

static void a_listener_that_goes_takes_its_sessions_with_it(void **state)
{
	struct rig *r = rig_new(1);
	struct cmd del = {.kind = CMD_SOCK_DEL, .sock = {.fd = -1, .tag = 0}};
	struct rig_peer *pub, *sub;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	sub = rig_call(r, 0, false, 0);
	rig_run(r, 20);
	assert_int_equal(rig_command(r, 0, &del), 0);
	assert_true(pub->closed);
	assert_true(sub->closed);
	assert_int_equal(r->n_down, 2);
	rig_free(r);
}

static void a_subscriber_behind_a_narrow_path_is_told_to_go(void **)
{
	struct rig *r = rig_new(1);
	struct rig_peer *pub, *near, *far;

	rig_stream(r, 0, 0);
	pub = publisher(r, 0, 0);
	near = rig_call(r, 0, false, 0);
	far = rig_call(r, 0, false, 0);
	rig_run(r, 20);
	stream_for(r, pub, 100, 0);
	port_mem_narrow(r->ports[0], &far->at, 1000);
	stream_for(r, pub, 400, 100);
	rig_run(r, 200);
	assert_true(far->closed);
	assert_int_equal(r->n_down, 1);
	assert_int_equal(r->down_reason, DP_CLOSE_NARROW);
	assert_false(near->closed);
	check_got(near, 0, 499);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_published_arrives_whole_at_every_subscriber),
		cmocka_unit_test(losses_on_both_legs_are_repaired),
		cmocka_unit_test(a_hole_given_up_is_announced),
		cmocka_unit_test(a_gap_given_up_before_its_end_came_blocks_nobody),
		cmocka_unit_test(a_late_joiner_gets_the_stream_at_once),
		cmocka_unit_test(a_late_joiner_counts_what_it_has_been_sent),
		cmocka_unit_test(a_late_joiner_catches_up_with_a_fast_stream),
		cmocka_unit_test(a_publisher_that_comes_back_goes_on),
		cmocka_unit_test(a_silent_publisher_makes_the_stream_stalled),
		cmocka_unit_test(a_takeover_keeps_the_subscribers),
		cmocka_unit_test(both_workers_deliver_and_repair),
		cmocka_unit_test(a_history_that_is_followed_stays_as_short),
		cmocka_unit_test(a_closed_stream_gives_every_frame_back),
		cmocka_unit_test(frames_wait_for_deferred_completions),
		cmocka_unit_test(an_unknown_stream_is_refused_and_every_repeat_answered),
		cmocka_unit_test(a_silent_subscriber_is_forgotten),
		cmocka_unit_test(a_stranger_with_a_right_id_is_not_heard),
		cmocka_unit_test(a_subscriber_behind_a_narrow_path_is_told_to_go),
		cmocka_unit_test(a_listener_that_goes_takes_its_sessions_with_it),
		cmocka_unit_test(rtp_is_put_in_order_and_pushed_as_it_came),
		cmocka_unit_test(a_hole_in_rtp_is_passed_after_the_reorder_time),
		cmocka_unit_test(rtp_that_is_not_ts_goes_out_as_rtp_everywhere),
		cmocka_unit_test(ts_is_wrapped_in_rtp_with_a_clock),
		cmocka_unit_test(what_is_neither_rtp_nor_ts_is_dropped_on_a_source),
		cmocka_unit_test(a_push_is_refused_by_its_own_interface_alone),
		cmocka_unit_test(a_narrow_interface_closes_its_own_push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
