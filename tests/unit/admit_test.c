// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Codes are wire values out of libsrt's access_control.h (srt-wire 5.3), written as numbers here.

#include "control_rig.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PUB "#!::r=live/a,m=publish"
#define SUB "#!::r=live/a,m=request"

static void listen_with(struct rig *r, struct dp_listener l)
{
	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
}

static void declare(struct rig *r, struct dp_stream s)
{
	rig_set(r, DP_STREAM, s.name, &s);
	rig_settle(r);
}

// Most cases: an open listener.
static int fresh(void **state)
{
	struct rig *r = rig_new();
	struct dp_listener l = rig_listener(9000);

	l.open = 1;
	listen_with(r, l);
	*state = r;
	return 0;
}

static int fresh_closed(void **state)
{
	struct rig *r = rig_new();

	listen_with(r, rig_listener(9000));
	*state = r;
	return 0;
}

static int leave(void **state)
{
	rig_free(*state);
	return 0;
}

// A call, carried through: 0 or what it was refused with.
static int call(struct rig *r, unsigned worker, const char *streamid, session_key *key)
{
	unsigned park = rig_call(r, worker, "l", streamid);

	rig_settle(r);
	if (key)
		*key = rig_key(r, worker, park);
	return rig_code(r, worker, park);
}

// The same as a link of a group.
static int call_link(struct rig *r, unsigned worker, const char *streamid, uint32_t group,
	uint8_t type, session_key *key)
{
	unsigned park = rig_call(r, worker, "l", streamid);

	r->workers[worker].parks[park].p.req.group =
		(struct srt_hs_group){.id = SRT_GROUP_BIT | group, .type = type};
	rig_settle(r);
	if (key)
		*key = rig_key(r, worker, park);
	return rig_code(r, worker, park);
}

// --- streams and names ----------------------------------------------------------------------

static void on_an_open_listener_the_first_publisher_makes_the_stream(void **state)
{
	struct rig *r = *state;
	struct ctl_stream *s;
	session_key pub, sub;

	assert_int_equal(call(r, 0, SUB, NULL), 2404);
	assert_null(stream_find(r->c, "live/a"));
	assert_int_equal(call(r, 0, PUB, &pub), 0);
	assert_int_equal(call(r, 0, SUB, &sub), 0);
	s = stream_find(r->c, "live/a");
	assert_null(s->declared);
	assert_int_equal(s->publisher, pub);
	assert_int_equal(s->n_subscribers, 1);
	rig_leave(r, pub, DP_CLOSE_PEER);
	rig_pass(r, 120000);
	assert_non_null(stream_find(r->c, "live/a")); // somebody still waits for it
	rig_leave(r, sub, DP_CLOSE_PEER);
	rig_settle(r);
	rig_pass(r, 59000);
	assert_non_null(stream_find(r->c, "live/a"));
	rig_pass(r, 2000);
	assert_null(stream_find(r->c, "live/a"));
	assert_int_equal(r->c->n_streams, 0);
}

static void elsewhere_only_declared_streams_exist(void **state)
{
	struct rig *r = *state;
	struct dp_route t = rig_route("live/b", 5000);

	assert_int_equal(call(r, 0, PUB, NULL), 2404);
	assert_int_equal(call(r, 0, SUB, NULL), 2404);
	declare(r, rig_stream("live/a"));
	assert_int_equal(call(r, 0, SUB, NULL), 0); // before its publisher: waits for it
	assert_int_equal(call(r, 0, PUB, NULL), 0);
	rig_set(r, DP_ROUTE, "t", &t); // names a stream, and declares none
	rig_settle(r);
	assert_int_equal(call(r, 0, "live/b", NULL), 2404);
}

static void a_listener_says_what_callers_leave_out(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);

	assert_int_equal(call(r, 0, "", NULL), 2400); // no name, no default
	declare(r, rig_stream("live/a"));
	assert_int_equal(call(r, 0, "live/a", NULL), 0); // a plain name plays
	assert_int_equal(stream_find(r->c, "live/a")->n_subscribers, 1);
	l.default_mode = DP_MODE_PUBLISH;
	snprintf(l.default_stream, sizeof(l.default_stream), "live/a");
	listen_with(r, l);
	assert_int_equal(call(r, 0, "", NULL), 0);
	assert_true(stream_find(r->c, "live/a")->publisher != 0);
	assert_int_equal(call(r, 0, SUB, NULL), 0); // who says so plays all the same
}

static void a_stream_id_that_cannot_be_is_refused_and_not_repeated(void **state)
{
	struct rig *r = *state;
	uint32_t at = notices_next(&r->c->notices);
	struct dp_notice x;

	assert_int_equal(call(r, 0, "#!::r=..,m=publish,sluice_token=secret", NULL), 2400);
	assert_int_equal(call(r, 0, "#!::r=live/a,m=bidirectional", NULL), 2405);
	assert_true(notices_get(&r->c->notices, &at, &x));
	assert_int_equal(x.event, DP_EV_REJECT);
	assert_int_equal(x.code, 2400);
	assert_int_equal(x.peer_port, 10000);
	assert_true(strlen(x.text) > 0);
	assert_null(strstr(x.text, "secret"));
	assert_string_equal(x.stream, "");
}

static void a_conclusion_that_comes_while_the_listener_goes_is_refused(void **state)
{
	struct rig *r = *state;
	unsigned park = rig_call(r, 1, "l", PUB);

	rig_del(r, DP_LISTENER, "l");
	rig_settle(r);
	assert_int_equal(rig_code(r, 1, park), 1007);
}

static void a_conclusion_for_a_stream_that_is_closing_is_refused(void **state)
{
	struct rig *r = *state;
	unsigned park;

	declare(r, rig_stream("live/a"));
	park = rig_call(r, 0, "l", SUB);
	rig_del(r, DP_STREAM, "live/a");
	rig_settle(r);
	assert_int_equal(rig_code(r, 0, park), 1007);
}

// --- publishers -----------------------------------------------------------------------------

static void a_publisher_lands_on_the_owner_whoever_heard_it(void **state)
{
	struct rig *r = *state;
	unsigned other, park;
	session_key key;

	assert_int_equal(call(r, 0, PUB, &key), 0);
	assert_int_equal(session_key_worker(key), stream_find(r->c, "live/a")->s.owner);
	other = !session_key_worker(key);
	rig_leave(r, key, DP_CLOSE_PEER);
	rig_settle(r);
	park = rig_call(r, other, "l", PUB);
	rig_settle(r);
	assert_int_equal(rig_code(r, other, park), 0);
	key = rig_key(r, other, park); // told to the worker that will hear the repeats
	assert_int_equal(session_key_worker(key), !other);
	assert_non_null(rig_session(r, key));
}

static void takeovers_are_as_the_stream_says(void **state)
{
	static const struct {
		uint8_t takeover;
		bool stalled;
		int code;
	} rows[] = {
		{DP_TAKEOVER_REJECT, false, 2409},
		{DP_TAKEOVER_REJECT, true, 2409},
		{DP_TAKEOVER_REPLACE, false, 0},
		{DP_TAKEOVER_REPLACE_STALLED, false, 2409},
		{DP_TAKEOVER_REPLACE_STALLED, true, 0},
	};
	struct rig *r = *state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dp_stream s = rig_stream("live/a");
		session_key first, second;

		s.takeover = rows[i].takeover;
		declare(r, s);
		assert_int_equal(call(r, 0, PUB, &first), 0);
		rig_state(r, "live/a", rows[i].stalled ? DP_STREAM_STALLED : DP_STREAM_LIVE);
		assert_int_equal(call(r, 1, PUB, &second), rows[i].code);
		assert_int_equal(
			stream_find(r->c, "live/a")->publisher, rows[i].code ? first : second);
		assert_int_equal(rig_session(r, first) != NULL, rows[i].code != 0);
		rig_del(r, DP_STREAM, "live/a");
		rig_settle(r);
	}
}

static void of_two_publishers_at_once_one_is_taken(void **state)
{
	struct rig *r = *state;
	unsigned a = rig_call(r, 0, "l", PUB), b = rig_call(r, 1, "l", PUB);

	rig_settle(r);
	assert_int_equal(rig_code(r, 0, a), 0);
	assert_int_equal(rig_code(r, 1, b), 2409);
}

static void a_source_is_not_taken_over(void **state)
{
	struct rig *r = *state;
	struct dp_stream s = rig_stream("live/a");
	struct dp_source q = rig_source("live/a", 5000);

	s.takeover = DP_TAKEOVER_REPLACE;
	declare(r, s);
	rig_set(r, DP_SOURCE, "q", &q);
	rig_settle(r);
	assert_int_equal(call(r, 0, PUB, NULL), 2409);
}

static void links_of_one_group_are_one_publisher(void **state)
{
	struct rig *r = *state;
	session_key a, b, c;
	struct ctl_stream *s;

	assert_int_equal(call_link(r, 0, PUB, 1, SRT_GROUP_BROADCAST, &a), 0);
	assert_int_equal(call_link(r, 1, PUB, 1, SRT_GROUP_BROADCAST, &b), 0);
	s = stream_find(r->c, "live/a");
	assert_int_equal(s->publisher, a);
	assert_int_equal(session_key_worker(a), session_key_worker(b)); // both at the owner
	// Not: another group, another kind, no group, another way to name the stream.
	assert_int_equal(call_link(r, 0, PUB, 2, SRT_GROUP_BROADCAST, NULL), 2409);
	assert_int_equal(call_link(r, 0, PUB, 1, SRT_GROUP_BACKUP, NULL), 2409);
	assert_int_equal(call(r, 0, PUB, NULL), 2409);
	assert_int_equal(call_link(r, 0, PUB ",u=eve", 1, SRT_GROUP_BROADCAST, NULL), 2409);
	// One goes, the other is the publisher; a third takes its place; the last ends it.
	rig_leave(r, a, DP_CLOSE_TIMEOUT);
	rig_settle(r);
	assert_int_equal(s->publisher, b);
	assert_int_equal(call_link(r, 0, PUB, 1, SRT_GROUP_BROADCAST, &c), 0);
	assert_int_equal(s->publisher, b);
	rig_leave(r, c, DP_CLOSE_PEER);
	rig_settle(r);
	assert_int_equal(s->publisher, b);
	rig_leave(r, b, DP_CLOSE_PEER);
	rig_settle(r);
	assert_int_equal(s->publisher, 0);
	assert_int_equal(call_link(r, 0, PUB, 2, SRT_GROUP_BACKUP, NULL), 0); // the place is free
}

// libsrt calls by all links at once.
static void links_may_come_together(void **state)
{
	struct rig *r = *state;
	struct srt_hs_group group = {.id = SRT_GROUP_BIT | 7, .type = SRT_GROUP_BACKUP};
	unsigned park[3];

	declare(r, rig_stream("live/a"));
	for (unsigned i = 0; i < 3; i++) {
		park[i] = rig_call(r, 0, "l", PUB);
		group.id += i == 2;
		r->workers[0].parks[park[i]].p.req.group = group;
	}
	rig_settle(r);
	assert_int_equal(rig_code(r, 0, park[0]), 0);
	assert_int_equal(rig_code(r, 0, park[1]), 0);
	assert_int_equal(rig_code(r, 0, park[2]), 2409);
	assert_int_equal(stream_find(r->c, "live/a")->publish_in_flight, 0);
}

static void a_group_may_publish_and_not_play(void **state)
{
	struct rig *r = *state;

	assert_int_equal(call_link(r, 0, PUB, 1, SRT_GROUP_BROADCAST, NULL), 0);
	assert_int_equal(call_link(r, 0, SUB, 2, SRT_GROUP_BROADCAST, NULL), 1015);
	assert_int_equal(stream_find(r->c, "live/a")->n_subscribers, 0);
}

static void a_group_is_replaced_as_one(void **state)
{
	struct rig *r = *state;
	struct dp_stream s = rig_stream("live/a");
	session_key a, other;

	s.takeover = DP_TAKEOVER_REPLACE;
	declare(r, s);
	assert_int_equal(call_link(r, 0, PUB, 1, SRT_GROUP_BROADCAST, &a), 0);
	assert_int_equal(call_link(r, 0, PUB, 2, SRT_GROUP_BROADCAST, &other), 0);
	assert_null(rig_session(r, a));
	assert_int_equal(stream_find(r->c, "live/a")->publisher, other);
	assert_int_equal(call_link(r, 0, PUB, 2, SRT_GROUP_BROADCAST, NULL), 0); // its link
	assert_non_null(rig_session(r, other));
}

static void a_source_takes_its_place_when_the_publisher_leaves(void **state)
{
	struct rig *r = *state;
	struct dp_source q = rig_source("live/a", 5000);
	session_key pub;

	assert_int_equal(call(r, 0, PUB, &pub), 0);
	rig_set(r, DP_SOURCE, "q", &q);
	rig_settle(r);
	assert_int_equal(rig_object(r, DP_SOURCE, "q")->state, DP_OBJ_ERROR);
	rig_leave(r, pub, DP_CLOSE_TIMEOUT);
	rig_settle(r);
	assert_int_equal(rig_object(r, DP_SOURCE, "q")->state, DP_OBJ_ACTIVE);
}

static void a_publisher_that_its_worker_refuses_leaves_the_place_free(void **state)
{
	struct rig *r = *state;

	r->publish_status = -ENOSPC;
	assert_int_equal(call(r, 0, PUB, NULL), 2402);
	r->publish_status = -EBUSY;
	assert_int_equal(call(r, 0, PUB, NULL), 2409);
	r->publish_status = 0;
	assert_int_equal(call(r, 0, PUB, NULL), 0);
}

// --- subscribers ----------------------------------------------------------------------------

static void subscribers_stay_where_they_land(void **state)
{
	struct rig *r = *state;
	session_key a, b;

	call(r, 0, PUB, NULL);
	assert_int_equal(call(r, 0, SUB, &a), 0);
	assert_int_equal(call(r, 1, SUB, &b), 0);
	assert_int_equal(session_key_worker(a), 0);
	assert_int_equal(session_key_worker(b), 1);
}

static void a_stream_has_its_own_limit(void **state)
{
	struct rig *r = *state;
	struct dp_stream s = rig_stream("live/a");
	session_key first;

	s.max_subscribers = 2;
	declare(r, s);
	assert_int_equal(call(r, 0, SUB, &first), 0);
	assert_int_equal(call(r, 1, SUB, NULL), 0);
	assert_int_equal(call(r, 0, SUB, NULL), 2402);
	rig_leave(r, first, DP_CLOSE_PEER);
	rig_settle(r);
	assert_int_equal(call(r, 0, SUB, NULL), 0);
	assert_int_equal(call(r, 0, SUB, NULL), 2402);
	s.max_subscribers = 3; // limits change for those who are there
	declare(r, s);
	assert_int_equal(call(r, 0, SUB, NULL), 0);
}

static void the_process_has_its_limits(void **state)
{
	struct rig *r = *state;
	char id[64];
	session_key last = 0;

	for (unsigned i = 0; i < RIG_STREAMS; i++) {
		snprintf(id, sizeof(id), "#!::r=s%u,m=publish", i);
		assert_int_equal(call(r, i % 2, id, NULL), 0);
	}
	assert_int_equal(call(r, 0, PUB, NULL), 2402);
	for (unsigned i = 0; i < RIG_SUBSCRIBERS; i++) {
		snprintf(id, sizeof(id), "s%u", i % RIG_STREAMS);
		assert_int_equal(call(r, i % 2, id, &last), 0);
	}
	assert_int_equal(call(r, 0, "s0", NULL), 2402);
	rig_leave(r, last, DP_CLOSE_PEER);
	rig_settle(r);
	assert_int_equal(call(r, 0, "s0", NULL), 0);
}

static void a_subscriber_that_its_worker_refuses_does_not_count(void **state)
{
	struct rig *r = *state;

	call(r, 0, PUB, NULL);
	r->play_status = -ENOSPC;
	for (unsigned i = 0; i < 2 * RIG_SUBSCRIBERS; i++)
		assert_int_equal(call(r, 0, SUB, NULL), 2402);
	r->play_status = 0;
	assert_int_equal(r->c->n_subscribers, 0);
	assert_int_equal(call(r, 0, SUB, NULL), 0);
}

static void a_caller_that_has_given_up_does_not_count(void **state)
{
	struct rig *r = *state;
	unsigned park;

	call(r, 0, PUB, NULL);
	park = rig_call(r, 1, "l", SUB);
	rig_turn(r);
	r->workers[1].parks[park].waits = false; // the worker has forgotten it
	rig_settle(r);
	assert_int_equal(r->c->n_subscribers, 0);
	assert_int_equal(rig_key(r, 1, park), 0);
}

static void rtp_that_is_not_ts_cannot_be_played_by_srt(void **state)
{
	struct rig *r = *state;

	call(r, 0, PUB, NULL);
	stream_stats(r->c, stream_find(r->c, "live/a"))->format = DP_FORMAT_RTP;
	assert_int_equal(call(r, 0, SUB, NULL), 2415);
	stream_stats(r->c, stream_find(r->c, "live/a"))->format = DP_FORMAT_RTP_TS;
	assert_int_equal(call(r, 0, SUB, NULL), 0);
}

static int call_as(struct rig *r, const char *ip, uint32_t mss)
{
	unsigned park = rig_call(r, 0, "l", SUB);
	struct parked *q = &r->workers[0].parks[park].p;

	q->req.mss = mss;
	assert_int_equal(endpoint_parse_ip(ip, &q->peer), 0);
	rig_settle(r);
	return rig_code(r, 0, park);
}

// 28 bytes of headers by libsrt's count, and SRT's 16; IPv6 has 20 less of 1,500.
static void who_cannot_take_the_streams_packets_is_refused(void **state)
{
	struct rig *r = *state;
	struct dp_stats_stream *st;

	call(r, 0, PUB, NULL);
	st = stream_stats(r->c, stream_find(r->c, "live/a"));
	assert_int_equal(call_as(r, "192.0.2.1", 300), 0); // nothing came so far
	st->payload = 1316;
	assert_int_equal(call_as(r, "192.0.2.1", 1359), 2406);
	assert_int_equal(call_as(r, "192.0.2.1", 1360), 0);
	assert_int_equal(call_as(r, "2001:db8::1", 1360), 0);
	st->payload = 1456;
	assert_int_equal(call_as(r, "192.0.2.1", 1500), 0);
	assert_int_equal(call_as(r, "192.0.2.1", 9000), 0);
	assert_int_equal(call_as(r, "2001:db8::1", 1500), 2406);
	st->payload = 1436;
	assert_int_equal(call_as(r, "2001:db8::1", 1500), 0);
}

static void a_join_storm_before_the_stream_is_open_is_all_served(void **state)
{
	struct rig *r = *state;
	unsigned subs[RIG_SUBSCRIBERS], pub = rig_call(r, 0, "l", PUB);

	for (unsigned i = 0; i < RIG_SUBSCRIBERS; i++)
		subs[i] = rig_call(r, i % 2, "l", SUB);
	rig_turn(r); // in one turn, with the opening of the stream still under way
	assert_int_equal(r->c->admits.n_for_stream, 1 + RIG_SUBSCRIBERS);
	rig_settle(r);
	assert_int_equal(rig_code(r, 0, pub), 0);
	for (unsigned i = 0; i < RIG_SUBSCRIBERS; i++)
		assert_int_equal(rig_code(r, i % 2, subs[i]), 0);
	assert_int_equal(r->c->admits.n, 0);
	assert_int_equal(stream_find(r->c, "live/a")->n_subscribers, RIG_SUBSCRIBERS);
}

static void who_gives_up_while_it_waits_holds_nothing(void **state)
{
	struct rig *r = *state;
	unsigned pub = rig_call(r, 0, "l", PUB), sub = rig_call(r, 1, "l", SUB);

	rig_turn(r);
	assert_int_equal(r->c->admits.n_for_stream, 2);
	r->workers[1].parks[sub].p.generation++; // its place was given to another caller
	rig_settle(r);
	assert_int_equal(rig_code(r, 0, pub), 0);
	assert_true(r->workers[1].parks[sub].waits);
	assert_int_equal(r->c->n_subscribers, 0);
	assert_int_equal(r->c->admits.n, 0);
}

static void one_network_has_half_of_the_places_to_wait(void **state)
{
	struct rig *r = *state;
	unsigned pub = rig_call(r, 0, "l", PUB), late, again, sub = rig_call(r, 1, "l", SUB);

	rig_turn(r);
	r->workers[1].parks[sub].p.peer = endpoint_of_v4(0x0a000001, 5000);
	while (r->c->admits.n < ADMITS_MAX / 2)
		admit_join(r->c, 1, sub);
	late = rig_call(r, 0, "l", "#!::r=live/b,m=publish"); // of another network
	r->workers[0].parks[late].p.peer = endpoint_of_v4(0x0a000101, 5000);
	again = rig_call(r, 0, "l", SUB);
	r->workers[0].parks[again].p.peer = endpoint_of_v4(0x0a000002, 5000);
	rig_settle(r);
	assert_int_equal(rig_code(r, 0, late), 0);
	assert_int_equal(rig_code(r, 0, again), 1005);
	assert_int_equal(rig_code(r, 0, pub), 0);
	assert_int_equal(r->c->admits.n, 0);
}

static void only_so_many_may_wait_in_all(void **state)
{
	struct rig *r = *state;
	unsigned pub = rig_call(r, 0, "l", PUB), late, sub = rig_call(r, 1, "l", SUB);
	uint32_t ip = 0x0a000000;

	rig_turn(r);
	while (r->c->admits.n < ADMITS_MAX) {
		r->workers[1].parks[sub].p.peer = endpoint_of_v4(ip += 256, 5000);
		admit_join(r->c, 1, sub);
	}
	late = rig_call(r, 1, "l", SUB);
	rig_settle(r);
	assert_int_equal(rig_code(r, 1, late), 1005);
	assert_int_equal(rig_code(r, 0, pub), 0);
	assert_int_equal(r->c->admits.n, 0);
	assert_int_equal(call(r, 1, SUB, NULL), 0);
}

// --- the rest -------------------------------------------------------------------------------

static void the_higher_latency_of_both_sides_counts(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);
	struct dp_stream s = rig_stream("live/a");
	struct rig_worker *w = &r->workers[0];
	struct cmd_admit *a;
	unsigned park;

	l.open = 1;
	l.latency_ms = 200;
	listen_with(r, l);
	s.latency_ms = 80; // the stream's word goes before the listener's
	declare(r, s);
	park = rig_call(r, 0, "l", SUB);
	w->parks[park].p.req.rcv_latency_ms = 500;
	w->parks[park].p.req.snd_latency_ms = 20;
	rig_turn(r);
	assert_int_equal(w->n_cmds, 1);
	a = &w->cmds[0]->admit;
	assert_int_equal(a->own_rcv_latency_ms, 80);
	assert_int_equal(a->peer_rcv_latency_ms, 500);
	rig_settle(r);
	s.latency_ms = 0;
	declare(r, s);
	rig_call(r, 0, "l", SUB);
	rig_turn(r);
	assert_int_equal(w->cmds[0]->admit.own_rcv_latency_ms, 200);
	assert_int_equal(w->cmds[0]->admit.peer_rcv_latency_ms, 200);
	rig_settle(r);
	l.latency_ms = 0;
	listen_with(r, l);
	rig_call(r, 0, "l", SUB);
	rig_turn(r);
	assert_int_equal(w->cmds[0]->admit.peer_rcv_latency_ms, 120);
}

static void a_history_is_as_deep_as_repairs_of_its_callers_reach(void **state)
{
	struct rig *r = *state;
	struct dp_stream s = rig_stream("live/a");
	unsigned park;

	declare(r, s);
	assert_int_equal(stream_find(r->c, "live/a")->s.cfg.history_us, TS_S);
	park = rig_call(r, 0, "l", SUB);
	r->workers[0].parks[park].p.req.rcv_latency_ms = 2000;
	rig_turn(r);
	assert_int_equal(stream_find(r->c, "live/a")->s.cfg.history_us, 4 * TS_S);
	rig_settle(r);
	s.history_ms = 1500; // an operator's word stands
	declare(r, s);
	park = rig_call(r, 0, "l", SUB);
	r->workers[0].parks[park].p.req.rcv_latency_ms = 2000;
	rig_turn(r);
	assert_int_equal(stream_find(r->c, "live/a")->s.cfg.history_us, 1500 * TS_MS);
}

static void who_encrypts_is_refused(void **state)
{
	struct rig *r = *state;
	unsigned park = rig_call(r, 0, "l", PUB);

	r->workers[0].parks[park].p.req.encrypted = true;
	rig_settle(r);
	assert_int_equal(rig_code(r, 0, park), 1011);
}

static void a_draining_node_takes_nobody_new(void **state)
{
	struct rig *r = *state;
	session_key pub;

	assert_int_equal(call(r, 0, PUB, &pub), 0);
	r->c->draining = true;
	assert_int_equal(call(r, 0, SUB, NULL), 2503);
	assert_non_null(rig_session(r, pub));
	r->c->draining = false;
	assert_int_equal(call(r, 0, SUB, NULL), 0);
}

static void a_deleted_stream_ends_with_its_peers(void **state)
{
	struct rig *r = *state;
	session_key pub, sub;

	declare(r, rig_stream("live/a"));
	call(r, 0, PUB, &pub);
	call(r, 1, SUB, &sub);
	rig_del(r, DP_STREAM, "live/a");
	rig_settle(r);
	assert_null(rig_session(r, pub));
	assert_null(rig_session(r, sub));
	assert_null(stream_find(r->c, "live/a"));
	assert_int_equal(r->c->n_subscribers, 0);
}

static void a_deleted_stream_with_a_route_ends_for_its_callers(void **state)
{
	struct rig *r = *state;
	struct dp_route t = rig_route("live/a", 5000);
	session_key pub, sub;

	declare(r, rig_stream("live/a"));
	rig_set(r, DP_ROUTE, "t", &t);
	call(r, 0, PUB, &pub);
	call(r, 1, SUB, &sub);
	rig_del(r, DP_STREAM, "live/a");
	rig_settle(r);
	assert_null(rig_session(r, pub));
	assert_null(rig_session(r, sub));
	assert_int_equal(rig_object(r, DP_ROUTE, "t")->state, DP_OBJ_ACTIVE);
	assert_non_null(rig_session(r, rig_object(r, DP_ROUTE, "t")->session));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, leave)
#define TEST_CLOSED(name) cmocka_unit_test_setup_teardown(name, fresh_closed, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(on_an_open_listener_the_first_publisher_makes_the_stream),
		TEST_CLOSED(elsewhere_only_declared_streams_exist),
		TEST_CLOSED(a_listener_says_what_callers_leave_out),
		TEST(a_stream_id_that_cannot_be_is_refused_and_not_repeated),
		TEST(a_conclusion_that_comes_while_the_listener_goes_is_refused),
		TEST_CLOSED(a_conclusion_for_a_stream_that_is_closing_is_refused),
		TEST(a_publisher_lands_on_the_owner_whoever_heard_it),
		TEST_CLOSED(takeovers_are_as_the_stream_says),
		TEST(of_two_publishers_at_once_one_is_taken),
		TEST_CLOSED(a_source_is_not_taken_over),
		TEST(links_of_one_group_are_one_publisher),
		TEST(links_may_come_together),
		TEST(a_group_may_publish_and_not_play),
		TEST(a_group_is_replaced_as_one),
		TEST(a_source_takes_its_place_when_the_publisher_leaves),
		TEST(a_publisher_that_its_worker_refuses_leaves_the_place_free),
		TEST(subscribers_stay_where_they_land),
		TEST_CLOSED(a_stream_has_its_own_limit),
		TEST(the_process_has_its_limits),
		TEST(a_subscriber_that_its_worker_refuses_does_not_count),
		TEST(a_caller_that_has_given_up_does_not_count),
		TEST(who_cannot_take_the_streams_packets_is_refused),
		TEST(rtp_that_is_not_ts_cannot_be_played_by_srt),
		TEST(who_gives_up_while_it_waits_holds_nothing),
		TEST(one_network_has_half_of_the_places_to_wait),
		TEST(only_so_many_may_wait_in_all),
		TEST(a_join_storm_before_the_stream_is_open_is_all_served),
		TEST(the_higher_latency_of_both_sides_counts),
		TEST(a_history_is_as_deep_as_repairs_of_its_callers_reach),
		TEST(who_encrypts_is_refused),
		TEST(a_draining_node_takes_nobody_new),
		TEST_CLOSED(a_deleted_stream_ends_with_its_peers),
		TEST_CLOSED(a_deleted_stream_with_a_route_ends_for_its_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
