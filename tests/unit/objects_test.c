// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "control_rig.h"
#include "ctl/dp/dp_id.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int fresh(void **state)
{
	*state = rig_new();
	return 0;
}

static int leave(void **state)
{
	rig_free(*state);
	return 0;
}

static void expect(struct rig *r, uint32_t kind, const char *identity, enum dp_obj_state state,
	const char *error)
{
	const struct object *o = rig_object(r, kind, identity);

	assert_non_null(o);
	assert_string_equal(o->error, error);
	assert_int_equal(o->state, state);
}

// --- listeners ------------------------------------------------------------------------------

static void a_listener_is_active_once_every_worker_serves_it(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);

	assert_int_equal(rig_set(r, DP_LISTENER, "l", &l), 0);
	expect(r, DP_LISTENER, "l", DP_OBJ_PENDING, "");
	assert_int_equal(r->workers[0].n_cmds, 1);
	assert_int_equal(r->workers[1].n_cmds, 1);
	rig_settle(r);
	expect(r, DP_LISTENER, "l", DP_OBJ_ACTIVE, "");
	assert_int_equal(rig_set(r, DP_LISTENER, "l", &l), 0); // again: nothing happens
	rig_settle(r);
	assert_int_equal(r->n_listens, 1);
	assert_int_equal(rig_del(r, DP_LISTENER, "l"), 0);
	rig_settle(r);
	assert_null(rig_object(r, DP_LISTENER, "l"));
	for (unsigned tag = 0; tag < TAGS_MAX; tag++)
		assert_null(r->c->tags[tag]);
}

static void other_options_of_a_listener_need_no_new_socket(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);

	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
	l.open = 1;
	l.latency_ms = 300;
	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
	expect(r, DP_LISTENER, "l", DP_OBJ_ACTIVE, "");
	assert_int_equal(r->n_listens, 1);
	assert_int_equal(rig_object(r, DP_LISTENER, "l")->listener.latency_ms, 300);
}

// Its last holder may just be going: pending for a second, then an error; had again when it is
// free. Control waits for nothing meanwhile.
static void a_busy_port_is_tried_again_in_time(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);
	const struct object *o;

	r->listen_rc = -EADDRINUSE;
	rig_set(r, DP_LISTENER, "l", &l);
	o = rig_object(r, DP_LISTENER, "l");
	assert_int_equal(o->state, DP_OBJ_PENDING);
	rig_settle(r);
	assert_int_equal(r->n_listens, 1);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(o->state, DP_OBJ_PENDING);
		rig_pass(r, 100);
	}
	expect(r, DP_LISTENER, "l", DP_OBJ_ERROR, "as the test says: Address already in use");
	assert_int_equal(r->n_listens, 11);
	rig_pass(r, 9000);
	assert_int_equal(r->n_listens, 11);
	r->listen_rc = 0;
	rig_pass(r, 1000);
	expect(r, DP_LISTENER, "l", DP_OBJ_ACTIVE, "");
}

static void a_port_of_our_own_is_named_by_its_listener(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000), again = rig_listener(9000);
	const struct object *o;

	again.ip[15] = 9;
	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
	r->listen_rc = -EADDRINUSE;
	rig_set(r, DP_LISTENER, "again", &again);
	for (unsigned i = 0; i < 11; i++)
		rig_pass(r, 100);
	o = rig_object(r, DP_LISTENER, "again");
	assert_int_equal(o->state, DP_OBJ_ERROR);
	assert_non_null(strstr(o->error, ":9000 is in use by listener l"));
}

static void an_address_that_is_not_here_is_an_error_at_once(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);

	r->listen_rc = -EADDRNOTAVAIL;
	rig_set(r, DP_LISTENER, "l", &l);
	assert_int_equal(rig_object(r, DP_LISTENER, "l")->state, DP_OBJ_ERROR);
}

static void a_socket_that_a_worker_refuses_is_given_up_everywhere(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);

	r->add_status[1] = -ENOMEM;
	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
	expect(r, DP_LISTENER, "l", DP_OBJ_ERROR, "a worker cannot serve its socket");
	assert_int_equal(rig_open_fds(r), 0);
	r->add_status[1] = 0;
	rig_pass(r, 10000);
	expect(r, DP_LISTENER, "l", DP_OBJ_ACTIVE, "");
}

static void a_listener_deleted_in_flight_leaves_nothing(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);

	rig_set(r, DP_LISTENER, "l", &l);
	rig_del(r, DP_LISTENER, "l");
	assert_null(rig_object(r, DP_LISTENER, "l"));
	rig_set(r, DP_LISTENER, "l", &l);
	rig_settle(r);
	expect(r, DP_LISTENER, "l", DP_OBJ_ACTIVE, "");
	assert_int_equal(rig_object(r, DP_LISTENER, "l")->in_flight, 0);
}

// --- contents -------------------------------------------------------------------------------

static void what_cannot_be_is_one_sentence(void **state)
{
	struct rig *r = *state;
	struct dp_listener l = rig_listener(9000);
	struct dp_stream s = rig_stream("a/../b");
	struct dp_route t = rig_route("a", 5000);
	struct dp_source q = rig_source("a", 5000);

	l.port = 0;
	rig_set(r, DP_LISTENER, "l", &l);
	expect(r, DP_LISTENER, "l", DP_OBJ_ERROR, "port 0 is no port");
	rig_set(r, DP_STREAM, "a/../b", &s);
	expect(r, DP_STREAM, "a/../b", DP_OBJ_ERROR, "not a stream name");
	t.proto = DP_PROTO_UDP + 1;
	rig_set(r, DP_ROUTE, "t", &t);
	expect(r, DP_ROUTE, "t", DP_OBJ_ERROR, "a protocol that this version does not know");
	t = rig_route("a", 0);
	rig_set(r, DP_ROUTE, "t", &t);
	expect(r, DP_ROUTE, "t", DP_OBJ_ERROR, "port 0 is no port");
	q.reorder_ms = 10001;
	rig_set(r, DP_SOURCE, "q", &q);
	expect(r, DP_SOURCE, "q", DP_OBJ_ERROR, "a reorder time of more than 10 s");
	rig_settle(r);
	assert_int_equal(r->c->n_streams, 0);
	assert_int_equal(r->n_listens + r->n_binds, 0);
}

static void a_streams_id_is_that_of_its_name(void **state)
{
	struct dp_stream s = rig_stream("a");

	assert_true(object_is_whole(DP_STREAM, dp_id("a"), &s));
	assert_false(object_is_whole(DP_STREAM, dp_id("b"), &s));
	memset(s.name, 'a', sizeof(s.name));
	assert_false(object_is_whole(DP_STREAM, dp_id("a"), &s));
	assert_false(object_is_whole(DP_LISTENER, 0, &(struct dp_listener){0}));
	assert_false(object_is_whole(DP_LISTENER, 1ull << 40, &(struct dp_listener){0}));
}

static void kinds_of_later_versions_are_refused(void **state)
{
	struct rig *r = *state;
	struct dp_obj o = {.kind = 77, .id = 5, .version = 5};
	char err[DP_ERROR_MAX];

	assert_int_equal(object_set(r->c, &o, NULL, err, sizeof(err)), -ENOTSUP);
}

// --- secrets and policies -------------------------------------------------------------------

static void a_secret_is_found_by_its_id_until_it_goes(void **state)
{
	struct rig *r = *state;
	struct dp_secret k = rig_secret("first passphrase");
	struct dp_secret empty = rig_secret("");
	uint64_t id = dp_id("secret stream a");

	assert_null(secret_find(r->c, id));
	assert_null(secret_find(r->c, 0));
	rig_set(r, DP_SECRET, "secret stream a", &k);
	assert_int_equal(secret_find(r->c, id)->secret.len, 16);
	k = rig_secret("second");
	rig_set(r, DP_SECRET, "secret stream a", &k);
	assert_memory_equal(secret_find(r->c, id)->secret.bytes, "second", 6);
	expect(r, DP_SECRET, "secret stream a", DP_OBJ_ACTIVE, "");
	rig_set(r, DP_SECRET, "secret stream a", &empty);
	expect(r, DP_SECRET, "secret stream a", DP_OBJ_ERROR, "an empty secret");
	assert_null(secret_find(r->c, id));
	rig_del(r, DP_SECRET, "secret stream a");
	assert_null(secret_find(r->c, id));
}

static void policies_are_found_by_type_and_name(void **state)
{
	struct rig *r = *state;
	struct dp_policy p = rig_policy(DP_POLICY_USER, "joe", 5);

	rig_set(r, DP_POLICY, "user joe", &p);
	assert_int_equal(policy_find(r->c, DP_POLICY_USER, "joe")->secret, 5);
	assert_null(policy_find(r->c, DP_POLICY_KEY, "joe"));
	assert_null(policy_find(r->c, DP_POLICY_USER, "jo"));
	p.secret = 6;
	rig_set(r, DP_POLICY, "user joe", &p);
	assert_int_equal(policy_find(r->c, DP_POLICY_USER, "joe")->secret, 6);
	snprintf(p.name, sizeof(p.name), "jim"); // what another daemon might send
	rig_set(r, DP_POLICY, "user joe", &p);
	assert_null(policy_find(r->c, DP_POLICY_USER, "joe"));
	assert_non_null(policy_find(r->c, DP_POLICY_USER, "jim"));
	p.type = 9;
	rig_set(r, DP_POLICY, "user joe", &p);
	expect(r, DP_POLICY, "user joe", DP_OBJ_ERROR, "a policy that this version does not know");
	assert_null(policy_find(r->c, DP_POLICY_USER, "jim"));
	rig_del(r, DP_POLICY, "user joe");
}

static void a_prefix_is_the_beginning_of_names(void **state)
{
	struct dp_policy p = rig_policy(DP_POLICY_USER, "joe", 5);

	(void)state;
	assert_true(policy_covers(&p, "any/thing"));
	snprintf(p.prefix, sizeof(p.prefix), "live/");
	assert_true(policy_covers(&p, "live/a"));
	assert_false(policy_covers(&p, "live"));
	assert_false(policy_covers(&p, "liver/a"));
}

static void only_so_many_tokens_are_revoked_and_ended_ones_make_room(void **state)
{
	struct rig *r = *state;
	char identity[64], name[32];
	struct dp_policy p;

	for (unsigned i = 0; i <= DP_REVOKED_MAX; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		snprintf(identity, sizeof(identity), "revoked %s", name);
		p = rig_policy(DP_POLICY_REVOKED, name, 0);
		p.until_s = i < 10 ? 1 : (uint64_t)time(NULL) + 3600;
		assert_int_equal(rig_set(r, DP_POLICY, identity, &p), 0);
	}
	assert_int_equal(r->c->policies.n_revoked, DP_REVOKED_MAX - 9);
	for (unsigned i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		p = rig_policy(DP_POLICY_REVOKED, name, 0);
		p.until_s = (uint64_t)time(NULL) + 3600;
		assert_int_equal(rig_set(r, DP_POLICY, name, &p), 0);
	}
	p = rig_policy(DP_POLICY_REVOKED, "one too many", 0);
	assert_int_equal(rig_set(r, DP_POLICY, "one too many", &p), -ENOSPC);
	assert_non_null(policy_find(r->c, DP_POLICY_REVOKED, "t10"));
	rig_del(r, DP_POLICY, "revoked t1"); // ended and forgotten long ago
	rig_del(r, DP_POLICY, "revoked t11");
	assert_int_equal(rig_set(r, DP_POLICY, "one too many", &p), 0);
}

// --- sync -----------------------------------------------------------------------------------

static void set_listeners(struct rig *r, unsigned from, unsigned to)
{
	char name[16];

	for (unsigned i = from; i < to; i++) {
		struct dp_listener l = rig_listener((uint16_t)(9000 + i));

		snprintf(name, sizeof(name), "l%u", i);
		assert_int_equal(rig_set(r, DP_LISTENER, name, &l), 0);
	}
	rig_settle(r);
}

static struct dp_sync_commit commit_of(struct rig *r, unsigned from, unsigned to)
{
	struct dp_sync_commit commit = {0};
	char name[16];

	for (unsigned i = from; i < to; i++) {
		struct dp_listener l = rig_listener((uint16_t)(9000 + i));

		snprintf(name, sizeof(name), "l%u", i);
		commit.digest[DP_LISTENER] += dp_mix(dp_id(name), dp_version(&l, sizeof(l)));
		commit.count[DP_LISTENER]++;
	}
	return commit;
}

static void a_sync_sweeps_what_it_did_not_mention(void **state)
{
	struct rig *r = *state;
	struct dp_sync_commit commit = commit_of(r, 2, 12);
	uint64_t digest[8];
	uint32_t count[8];

	set_listeners(r, 0, 10);
	objects_begin(r->c);
	set_listeners(r, 2, 12);
	assert_int_equal(objects_commit(r->c, &commit), 0);
	rig_settle(r);
	objects_digest(r->c, digest, count);
	assert_memory_equal(digest, commit.digest, sizeof(digest));
	assert_int_equal(count[DP_LISTENER], 10);
	assert_null(rig_object(r, DP_LISTENER, "l1"));
	assert_non_null(rig_object(r, DP_LISTENER, "l11"));
	assert_int_equal(r->n_listens, 12); // those that stayed were not touched
}

static void a_sync_that_does_not_add_up_changes_nothing(void **state)
{
	struct rig *r = *state;
	struct dp_sync_commit commit = commit_of(r, 0, 6);

	set_listeners(r, 0, 6);
	objects_begin(r->c);
	set_listeners(r, 0, 5); // one has got lost
	assert_int_equal(objects_commit(r->c, &commit), -EILSEQ);
	assert_int_equal(r->c->objects.n, 6);
}

static void the_guard_holds_a_large_removal_until_it_is_forced(void **state)
{
	struct rig *r = *state;
	struct dp_sync_commit commit = commit_of(r, 0, 79);

	set_listeners(r, 0, 100);
	objects_begin(r->c);
	set_listeners(r, 0, 79);
	assert_int_equal(objects_commit(r->c, &commit), 21);
	assert_int_equal(r->c->objects.n, 100);
	assert_int_equal(r->c->objects.held, 21);
	objects_begin(r->c);
	set_listeners(r, 0, 79);
	commit.force = 1;
	assert_int_equal(objects_commit(r->c, &commit), 0);
	assert_int_equal(r->c->objects.n, 79);
	assert_int_equal(r->c->objects.held, 0);
}

static void the_guard_is_for_more_than_20_and_more_than_20_percent(void **state)
{
	struct rig *r = *state;
	struct dp_sync_commit commit = commit_of(r, 20, 40);

	set_listeners(r, 0, 40);
	objects_begin(r->c);
	set_listeners(r, 20, 40);
	assert_int_equal(objects_commit(r->c, &commit), 0); // 20 of 40
	set_listeners(r, 40, 130);
	commit = commit_of(r, 42, 130);
	objects_begin(r->c);
	set_listeners(r, 42, 130);
	assert_int_equal(objects_commit(r->c, &commit), 0); // 22 of 110 are just 20 %
	assert_int_equal(r->c->objects.n, 88);
}

static void digests_do_not_depend_on_the_order(void **state)
{
	struct rig *r = *state, *other;
	uint64_t a[8], b[8];
	uint32_t count[8];

	set_listeners(r, 0, 5);
	set_listeners(r, 5, 8);
	objects_digest(r->c, a, count);
	other = rig_new();
	set_listeners(other, 5, 8);
	set_listeners(other, 0, 5);
	objects_digest(other->c, b, count);
	assert_memory_equal(a, b, sizeof(a));
	rig_free(other);
}

// --- streams, routes, sources ---------------------------------------------------------------

static void a_route_opens_its_stream_and_keeps_it(void **state)
{
	struct rig *r = *state;
	struct dp_route t = rig_route("live/a", 5000);

	rig_set(r, DP_ROUTE, "t", &t);
	expect(r, DP_ROUTE, "t", DP_OBJ_PENDING, "");
	rig_settle(r);
	expect(r, DP_ROUTE, "t", DP_OBJ_ACTIVE, "");
	rig_pass(r, 300000);
	assert_non_null(stream_find(r->c, "live/a"));
	rig_del(r, DP_ROUTE, "t");
	rig_settle(r);
	assert_non_null(stream_find(r->c, "live/a"));
	rig_pass(r, 59000);
	assert_non_null(stream_find(r->c, "live/a"));
	rig_pass(r, 2000); // 60 s after its last peer
	assert_null(stream_find(r->c, "live/a"));
}

static void a_route_deleted_in_flight_ends_its_push(void **state)
{
	struct rig *r = *state;
	struct dp_route t = rig_route("a", 5000);

	rig_set(r, DP_ROUTE, "t", &t);
	rig_del(r, DP_ROUTE, "t");
	rig_settle(r);
	for (unsigned w = 0; w < RIG_WORKERS; w++)
		for (unsigned slot = 0; slot < RIG_SLOTS; slot++)
			assert_false(r->workers[w].sessions[slot].used);
	assert_int_equal(stream_find(r->c, "a")->n_users, 0);
}

static void a_changed_route_replaces_the_old_push(void **state)
{
	struct rig *r = *state;
	struct dp_route t = rig_route("a", 5000);
	session_key first;

	rig_set(r, DP_ROUTE, "t", &t);
	rig_settle(r);
	first = rig_object(r, DP_ROUTE, "t")->session;
	t.ttl = 9;
	rig_set(r, DP_ROUTE, "t", &t);
	rig_settle(r);
	expect(r, DP_ROUTE, "t", DP_OBJ_ACTIVE, "");
	assert_null(rig_session(r, first));
	assert_non_null(rig_session(r, rig_object(r, DP_ROUTE, "t")->session));
	assert_int_equal(stream_find(r->c, "a")->n_users, 1);
}

static void an_interface_that_is_not_here_is_an_error(void **state)
{
	struct rig *r = *state;
	struct dp_route t = rig_route("a", 5000);

	snprintf(t.iface, sizeof(t.iface), "no-such-if");
	rig_set(r, DP_ROUTE, "t", &t);
	expect(r, DP_ROUTE, "t", DP_OBJ_ERROR, "no such interface");
}

// In words, whatever errno a kernel has.
static void a_push_that_the_kernel_refuses_says_why(void **state)
{
	static const struct {
		int error;
		const char *words;
	} cases[] = {{ENETUNREACH, "no route leads to its network"},
		{EPERM, "the system does not permit sending there"}, {ENODEV, "No such device"},
		{4095, "the system refuses it"}};
	struct rig *r = *state;
	struct dp_route t = rig_route("a", 5000);
	struct event e = {.kind = EV_PUSH};

	rig_set(r, DP_ROUTE, "t", &t);
	rig_settle(r);
	e.object = rig_object(r, DP_ROUTE, "t")->id;
	e.key = rig_object(r, DP_ROUTE, "t")->session;
	for (unsigned i = 0; i < 4; i++) {
		e.code = -cases[i].error;
		push_refused(r->c, &e);
		expect(r, DP_ROUTE, "t", DP_OBJ_ERROR, cases[i].words);
		e.code = 0;
		push_refused(r->c, &e);
		expect(r, DP_ROUTE, "t", DP_OBJ_ACTIVE, "");
	}
}

static void an_rtp_route_of_what_is_neither_ts_nor_rtp_says_so(void **state)
{
	struct rig *r = *state;
	struct dp_route t = rig_route("a", 5000);

	t.proto = DP_PROTO_RTP;
	rig_set(r, DP_ROUTE, "t", &t);
	rig_settle(r);
	expect(r, DP_ROUTE, "t", DP_OBJ_ACTIVE, "");
	stream_stats(r->c, stream_find(r->c, "a"))->format = DP_FORMAT_RAW;
	rig_pass(r, 1000);
	expect(r, DP_ROUTE, "t", DP_OBJ_ERROR, "not MPEG-TS");
	stream_stats(r->c, stream_find(r->c, "a"))->format = DP_FORMAT_TS;
	rig_pass(r, 1000);
	expect(r, DP_ROUTE, "t", DP_OBJ_ACTIVE, "");
}

static void a_source_feeds_its_stream_from_the_owner(void **state)
{
	struct rig *r = *state;
	struct dp_source q = rig_source("a", 5000);

	rig_set(r, DP_SOURCE, "q", &q);
	rig_settle(r);
	expect(r, DP_SOURCE, "q", DP_OBJ_ACTIVE, "");
	assert_int_equal(session_key_worker(rig_object(r, DP_SOURCE, "q")->session),
		stream_find(r->c, "a")->s.owner);
	rig_del(r, DP_SOURCE, "q");
	rig_settle(r);
	assert_int_equal(stream_find(r->c, "a")->publisher, 0);
}

// A stream whose publisher has sent a message about its key.
static struct ctl_stream *encrypted(struct rig *r, const char *name)
{
	struct srt_km_keys k = {.has = SRT_KM_EVEN, .cipher = SRT_KM_CTR, .key_len = 16};
	uint8_t kek[SRT_KM_SEK_MAX] = {1}, km[SRT_KM_MAX];
	struct ctl_stream *s = stream_make(r->c, name);

	keys_note(s, km, (uint16_t)srt_km_write(&k, kek, km));
	s->publisher = 1;
	return s;
}

static uint16_t tried(const struct ctl_stream *s, uint8_t cipher, uint8_t key_len)
{
	struct kdf_job j = {.cipher = cipher};

	keys_try(s, &j, key_len);
	return j.km_len;
}

// It is tried for a route that may be of the same kind; of a bonded publisher for none, for each of
// its links has a key of its own.
static void a_publishers_message_about_keys_is_tried_where_it_may_fit(void **state)
{
	struct rig *r = *state;
	struct ctl_stream *s = encrypted(r, "a");

	assert_int_not_equal(tried(s, SRT_KM_CTR, 0), 0);
	assert_int_not_equal(tried(s, SRT_KM_CTR, 16), 0);
	assert_int_equal(tried(s, SRT_KM_CTR, 32), 0);
	assert_int_equal(tried(s, SRT_KM_GCM, 0), 0);
	s->group.id = 5;
	assert_int_equal(tried(s, SRT_KM_CTR, 0), 0);
	s->group.id = 0;
	s->publisher = 0;
	assert_int_equal(tried(s, SRT_KM_CTR, 0), 0);
}

// The message of the encrypted publisher before it is tried for nobody.
static void a_source_that_is_clear_takes_the_message_about_keys_with_it(void **state)
{
	struct rig *r = *state;
	struct dp_source q = rig_source("a", 5000);
	struct ctl_stream *s = encrypted(r, "a");

	s->publisher = 0; // it has gone
	rig_set(r, DP_SOURCE, "q", &q);
	rig_settle(r);
	expect(r, DP_SOURCE, "q", DP_OBJ_ACTIVE, "");
	assert_int_not_equal(s->publisher, 0);
	assert_int_equal(tried(s, SRT_KM_CTR, 0), 0);
}

static void of_two_sources_the_second_waits_for_the_first_to_go(void **state)
{
	struct rig *r = *state;
	struct dp_source q = rig_source("a", 5000);

	rig_set(r, DP_SOURCE, "q1", &q);
	q.port = 5001;
	rig_set(r, DP_SOURCE, "q2", &q);
	rig_settle(r);
	expect(r, DP_SOURCE, "q1", DP_OBJ_ACTIVE, "");
	expect(r, DP_SOURCE, "q2", DP_OBJ_ERROR, "the stream has another publisher");
	assert_int_equal(r->n_binds, 1);
	rig_del(r, DP_SOURCE, "q1");
	rig_settle(r);
	expect(r, DP_SOURCE, "q2", DP_OBJ_ACTIVE, "");
}

static void a_changed_source_is_pending_until_the_old_one_is_gone(void **state)
{
	struct rig *r = *state;
	struct dp_source q = rig_source("a", 5000);

	rig_set(r, DP_SOURCE, "q", &q);
	rig_settle(r);
	q.reorder_ms = 80;
	rig_set(r, DP_SOURCE, "q", &q);
	expect(r, DP_SOURCE, "q", DP_OBJ_PENDING, "");
	rig_settle(r);
	expect(r, DP_SOURCE, "q", DP_OBJ_ACTIVE, "");
	assert_int_equal(r->n_binds, 2);
}

static void a_source_that_its_worker_refuses_closes_its_socket(void **state)
{
	struct rig *r = *state;
	struct dp_source q = rig_source("a", 5000);

	r->add_status[0] = r->add_status[1] = -ENFILE;
	rig_set(r, DP_SOURCE, "q", &q);
	rig_settle(r);
	expect(r, DP_SOURCE, "q", DP_OBJ_ERROR, "the worker has no room for it");
	assert_int_equal(rig_open_fds(r), 0);
	assert_int_equal(stream_find(r->c, "a")->n_users, 0);
	// Removed while the refusal is under way: the same.
	rig_del(r, DP_SOURCE, "q");
	rig_set(r, DP_SOURCE, "q", &q);
	rig_del(r, DP_SOURCE, "q");
	rig_settle(r);
	assert_int_equal(rig_open_fds(r), 0);
}

static void only_groups_are_joined_by_source(void **state)
{
	struct rig *r = *state;
	struct dp_source q = rig_source("a", 5000);
	struct endpoint any = {0}, group = endpoint_of_v4(0xef010101, 0);

	memcpy(q.from, rig_source("a", 1).ip, sizeof(q.from));
	rig_set(r, DP_SOURCE, "q", &q);
	rig_settle(r);
	assert_memory_equal(r->bound.source.ip, any.ip, sizeof(any.ip));
	memcpy(q.ip, group.ip, sizeof(q.ip));
	rig_set(r, DP_SOURCE, "q", &q);
	rig_settle(r);
	assert_memory_equal(r->bound.source.ip, q.from, sizeof(q.from));
}

static void what_an_operator_kicks_begins_again(void **state)
{
	struct rig *r = *state;
	struct dp_route t = rig_route("a", 5000);
	struct dp_source q = rig_source("a", 6000);

	rig_set(r, DP_ROUTE, "t", &t);
	rig_set(r, DP_SOURCE, "q", &q);
	rig_settle(r);
	rig_leave(r, rig_object(r, DP_ROUTE, "t")->session, DP_CLOSE_KICKED);
	rig_leave(r, rig_object(r, DP_SOURCE, "q")->session, DP_CLOSE_KICKED);
	rig_settle(r);
	expect(r, DP_ROUTE, "t", DP_OBJ_PENDING, "disconnected by an operator, it begins again");
	expect(r, DP_SOURCE, "q", DP_OBJ_PENDING, "disconnected by an operator, it begins again");
	rig_pass(r, 1500);
	expect(r, DP_ROUTE, "t", DP_OBJ_ACTIVE, "");
	expect(r, DP_SOURCE, "q", DP_OBJ_ACTIVE, "");
	assert_int_equal(r->n_binds, 2);
}

static void streams_have_a_limit(void **state)
{
	struct rig *r = *state;
	char name[16];

	for (unsigned i = 0; i <= RIG_STREAMS; i++) {
		struct dp_stream s;

		snprintf(name, sizeof(name), "s%u", i);
		s = rig_stream(name);
		rig_set(r, DP_STREAM, name, &s);
	}
	rig_settle(r);
	expect(r, DP_STREAM, "s0", DP_OBJ_ACTIVE, "");
	expect(r, DP_STREAM, name, DP_OBJ_ERROR, "no room: --max-streams of sluice-dp is reached");
	rig_del(r, DP_STREAM, "s0");
	rig_settle(r);
	expect(r, DP_STREAM, name, DP_OBJ_ACTIVE, "");
	assert_int_equal(r->c->n_streams, RIG_STREAMS);
}

static void a_stream_deleted_and_added_at_once_comes_back(void **state)
{
	struct rig *r = *state;
	struct dp_stream s = rig_stream("a");

	rig_set(r, DP_STREAM, "a", &s);
	rig_settle(r);
	rig_del(r, DP_STREAM, "a");
	rig_set(r, DP_STREAM, "a", &s);
	expect(r, DP_STREAM, "a", DP_OBJ_PENDING, "");
	rig_settle(r);
	expect(r, DP_STREAM, "a", DP_OBJ_ACTIVE, "");
	assert_int_equal(stream_stats(r->c, stream_find(r->c, "a"))->generation & 1, 1);
}

static void a_full_command_ring_loses_nothing(void **state)
{
	struct rig *r = *state;
	char name[16];

	r->workers[0].room = r->workers[1].room = 1;
	for (unsigned i = 0; i < 20; i++) {
		struct dp_route t = rig_route("a", (uint16_t)(5000 + i));

		snprintf(name, sizeof(name), "t%u", i);
		rig_set(r, DP_ROUTE, name, &t);
	}
	for (unsigned i = 0; i < 40; i++) {
		rig_turn(r);
		rig_work(r);
	}
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		expect(r, DP_ROUTE, name, DP_OBJ_ACTIVE, "");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_listener_is_active_once_every_worker_serves_it),
		TEST(other_options_of_a_listener_need_no_new_socket),
		TEST(a_busy_port_is_tried_again_in_time),
		TEST(a_port_of_our_own_is_named_by_its_listener),
		TEST(an_address_that_is_not_here_is_an_error_at_once),
		TEST(a_socket_that_a_worker_refuses_is_given_up_everywhere),
		TEST(a_listener_deleted_in_flight_leaves_nothing),
		TEST(what_cannot_be_is_one_sentence),
		TEST(a_streams_id_is_that_of_its_name),
		TEST(kinds_of_later_versions_are_refused),
		TEST(a_secret_is_found_by_its_id_until_it_goes),
		TEST(policies_are_found_by_type_and_name),
		TEST(a_prefix_is_the_beginning_of_names),
		TEST(only_so_many_tokens_are_revoked_and_ended_ones_make_room),
		TEST(a_sync_sweeps_what_it_did_not_mention),
		TEST(a_sync_that_does_not_add_up_changes_nothing),
		TEST(the_guard_holds_a_large_removal_until_it_is_forced),
		TEST(the_guard_is_for_more_than_20_and_more_than_20_percent),
		TEST(digests_do_not_depend_on_the_order),
		TEST(a_route_opens_its_stream_and_keeps_it),
		TEST(a_route_deleted_in_flight_ends_its_push),
		TEST(a_changed_route_replaces_the_old_push),
		TEST(an_interface_that_is_not_here_is_an_error),
		TEST(a_push_that_the_kernel_refuses_says_why),
		TEST(an_rtp_route_of_what_is_neither_ts_nor_rtp_says_so),
		TEST(a_source_feeds_its_stream_from_the_owner),
		TEST(a_publishers_message_about_keys_is_tried_where_it_may_fit),
		TEST(a_source_that_is_clear_takes_the_message_about_keys_with_it),
		TEST(of_two_sources_the_second_waits_for_the_first_to_go),
		TEST(a_changed_source_is_pending_until_the_old_one_is_gone),
		TEST(a_source_that_its_worker_refuses_closes_its_socket),
		TEST(only_groups_are_joined_by_source),
		TEST(what_an_operator_kicks_begins_again),
		TEST(streams_have_a_limit),
		TEST(a_stream_deleted_and_added_at_once_comes_back),
		TEST(a_full_command_ring_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
