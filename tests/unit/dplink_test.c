// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The connection against a dataplane that is played in the same event loop.

#include "ctl/daemon/dplink.h"
#include "fake_dp.h"
#include "test.h"

#include "ctl/core/desired.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rig {
	struct event_base *base;
	struct fake_dp dp;
	struct dplink *dplink;
	unsigned ups, downs, notices, settles, objects;
	struct dp_notice notice;
	struct dp_object_state object;
	int stats_fd;
	bool late;
	// Of a page or a kick.
	int status;
	size_t n;
	uint64_t next, first_key;
	unsigned answers;
};

static void on_up(void *arg, const struct dp_hello_r *, int stats_fd)
{
	struct rig *g = arg;

	g->ups++;
	if (g->stats_fd >= 0)
		close(g->stats_fd);
	g->stats_fd = stats_fd;
}

static void on_down(void *arg, const char *why)
{
	struct rig *g = arg;

	assert_true(strlen(why) > 0);
	g->downs++;
}

static void on_notice(void *arg, const struct dp_notice *n)
{
	struct rig *g = arg;

	g->notices++;
	g->notice = *n;
}

static void on_object(void *arg, const struct dp_object_state *state)
{
	struct rig *g = arg;

	g->objects++;
	g->object = *state;
}

static void on_settled(void *arg)
{
	struct rig *g = arg;

	g->settles++;
}

static void on_admit(void *arg, const struct dp_admit *q)
{
	const struct dp_admit_r r = {
		.id = q->id, .verdict = DP_VERDICT_REFUSE, .code = (uint32_t)strlen(q->token)};
	struct rig *g = arg;

	dplink_admit(g->dplink, &r);
}

static const struct dplink_ops ops = {on_up, on_down, on_notice, on_object, on_settled, on_admit};

static void on_deadline(evutil_socket_t, short, void *arg)
{
	struct rig *g = arg;

	g->late = true;
}

// Turn the loop until the condition holds.
#define UNTIL(g, condition)                                              \
	do {                                                             \
		begin_wait(g);                                           \
		while (!(condition) && !(g)->late)                       \
			event_base_loop((g)->base, EVLOOP_ONCE);         \
		event_free(deadline);                                    \
		if (!(condition))                                        \
			fail_msg("not within ten seconds: " #condition); \
	} while (0)

static struct event *deadline;

static void begin_wait(struct rig *g)
{
	g->late = false;
	deadline = evtimer_new(g->base, on_deadline, g);
	evtimer_add(deadline, &(struct timeval){.tv_sec = 10});
}

static int open_rig(void **state)
{
	struct rig *g = calloc(1, sizeof(*g));

	g->base = event_base_new();
	g->stats_fd = -1;
	fake_dp_init(&g->dp, g->base);
	g->dplink = dplink_new(g->base, g->dp.path, 7, &ops, g);
	*state = g;
	return g->dplink ? 0 : -1;
}

static int close_rig(void **state)
{
	struct rig *g = *state;

	dplink_free(g->dplink);
	fake_dp_fini(&g->dp);
	if (g->stats_fd >= 0)
		close(g->stats_fd);
	event_base_free(g->base);
	free(g);
	return 0;
}

static int no_address(void *, const char *, struct endpoint *)
{
	return -EAGAIN;
}

static struct desired make(uint32_t kind, json_t *doc)
{
	struct desired d;

	assert_non_null(doc);
	assert_int_equal(desired_make(kind, doc, "n", no_address, NULL, &d), 0);
	json_decref(doc);
	return d;
}

static struct desired a_stream(const char *name)
{
	return make(DP_STREAM, json_pack("{s:s}", "name", name));
}

static struct desired a_route(const char *stream, unsigned port)
{
	char url[64];

	snprintf(url, sizeof(url), "udp://127.0.0.1:%u", port);
	return make(DP_ROUTE, json_pack("{s:s, s:s}", "stream", stream, "url", url));
}

static struct desired a_listener(unsigned port)
{
	char url[64];

	snprintf(url, sizeof(url), "srt://0.0.0.0:%u", port);
	return make(DP_LISTENER, json_pack("{s:s}", "url", url));
}

static void want(struct rig *g, const struct desired *all, size_t n)
{
	struct desired_set set = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(desired_set_put(&set, &all[i]), 0);
	desired_set_sort(&set);
	dplink_want(g->dplink, &set);
}

// Three objects that refer to each other.
static void want_three(struct rig *g)
{
	const struct desired all[] = {a_listener(9000), a_route("a", 5000), a_stream("a")};

	want(g, all, 3);
}

static void want_streams(struct rig *g, size_t n)
{
	struct desired *all = calloc(n + 1, sizeof(*all));
	char name[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "s%zu", i);
		all[i] = a_stream(name);
	}
	want(g, all, n);
	free(all);
}

static void start_settled(struct rig *g)
{
	fake_dp_start(&g->dp);
	want_three(g);
	UNTIL(g, g->settles);
}

static void an_empty_dataplane_gets_everything_in_order(void **state)
{
	struct rig *g = *state;

	start_settled(g);
	assert_string_equal(g->dp.log, "begin stream:a route:a listener commit ");
	assert_true(dplink_is_up(g->dplink));
	assert_int_equal(g->dp.epoch, 7);
	assert_int_equal(g->ups, 1);
	assert_int_equal(g->dp.n, 3);
}

static void nothing_is_sent_before_the_intent_is_known(void **state)
{
	struct rig *g = *state;

	fake_dp_start(&g->dp);
	UNTIL(g, g->ups && g->dp.dumps >= 2); // the second look is the next second's
	assert_string_equal(g->dp.log, "");
	want(g, NULL, 0);
	UNTIL(g, g->settles);
	assert_string_equal(g->dp.log, "");
}

static void an_equal_digest_needs_no_transfer(void **state)
{
	struct rig *g = *state;

	start_settled(g);
	fake_dp_forget_log(&g->dp);
	fake_dp_hang_up(&g->dp);
	UNTIL(g, g->ups == 2);
	g->settles = 0;
	UNTIL(g, g->settles);
	assert_int_equal(g->downs, 1);
	assert_int_equal(g->dp.hellos, 1);
	assert_string_equal(g->dp.log, "");
}

static void a_killed_dataplane_gets_everything_again(void **state)
{
	struct rig *g = *state;

	start_settled(g);
	fake_dp_forget_log(&g->dp);
	fake_dp_kill(&g->dp);
	UNTIL(g, g->downs);
	assert_false(dplink_is_up(g->dplink));
	assert_null(dplink_hello(g->dplink));
	fake_dp_start(&g->dp);
	g->settles = 0;
	UNTIL(g, g->settles);
	assert_string_equal(g->dp.log, "begin stream:a route:a listener commit ");
	assert_int_equal(dplink_hello(g->dplink)->instance, 2);
}

static void changes_are_sent_alone(void **state)
{
	const struct desired less[] = {a_stream("b"), a_listener(9000), a_stream("a")};
	struct rig *g = *state;

	start_settled(g);
	fake_dp_forget_log(&g->dp);
	g->settles = 0;
	want(g, less, 3);
	UNTIL(g, g->settles);
	assert_string_equal(g->dp.log, "-:a stream:b ");
	assert_non_null(fake_dp_find(&g->dp, DP_STREAM, less[0].id));
}

static void single_objects_come_and_go(void **state)
{
	const struct desired b = a_stream("b");
	struct rig *g = *state;

	start_settled(g);
	fake_dp_forget_log(&g->dp);
	g->settles = 0;
	dplink_put(g->dplink, &b);
	UNTIL(g, g->settles);
	assert_string_equal(g->dp.log, "stream:b ");
	dplink_drop(g->dplink, DP_STREAM, b.id);
	dplink_drop(g->dplink, DP_STREAM, 12345); // is not there: nothing is sent
	UNTIL(g, !fake_dp_find(&g->dp, DP_STREAM, b.id));
	assert_string_equal(g->dp.log, "stream:b -:b ");
	assert_int_equal(g->dp.begins, 0);
}

// More at once than the window holds, and some while the dataplane is away: nothing is forgotten.
static void single_objects_wait_for_their_turn(void **state)
{
	struct desired all[400];
	struct rig *g = *state;
	char name[32];

	start_settled(g);
	for (unsigned i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "x%u", i);
		all[i] = a_stream(name);
	}
	for (unsigned i = 0; i < 300; i++)
		dplink_put(g->dplink, &all[i]);
	for (unsigned i = 0; i < 100; i++)
		dplink_drop(g->dplink, DP_STREAM, all[i].id);
	UNTIL(g, g->dp.n == 203 && !fake_dp_find(&g->dp, DP_STREAM, all[99].id));
	g->settles = 0;
	UNTIL(g, g->settles);
	assert_int_equal(g->dp.n, 203);
	fake_dp_kill(&g->dp);
	UNTIL(g, g->downs);
	for (unsigned i = 300; i < 400; i++)
		dplink_put(g->dplink, &all[i]);
	dplink_drop(g->dplink, DP_STREAM, all[200].id);
	fake_dp_start(&g->dp);
	UNTIL(g, g->dp.commits == 2);
	assert_int_equal(g->dp.n, 302);
	assert_null(fake_dp_find(&g->dp, DP_STREAM, all[200].id));
	assert_non_null(fake_dp_find(&g->dp, DP_STREAM, all[399].id));
}

static void a_changed_content_is_sent_again(void **state)
{
	struct desired all[] = {a_listener(9000), a_route("a", 5000),
		make(DP_STREAM, json_pack("{s:s, s:i}", "name", "a", "latency_ms", 500))};
	struct rig *g = *state;

	start_settled(g);
	fake_dp_forget_log(&g->dp);
	g->settles = 0;
	want(g, all, 3);
	UNTIL(g, g->settles);
	assert_string_equal(g->dp.log, "stream:a ");
	assert_int_equal(fake_dp_find(&g->dp, DP_STREAM, all[2].id)->s.version, all[2].version);
}

static void many_objects_pass_a_bounded_window(void **state)
{
	struct rig *g = *state;

	fake_dp_start(&g->dp);
	want_streams(g, 3000);
	UNTIL(g, g->dp.commits);
	UNTIL(g, g->settles);
	assert_int_equal(g->dp.n, 3000);
	assert_int_equal(g->dp.begins, 1);
	assert_int_equal(g->dp.sets, 3000);
	want_streams(g, 1000); // an operator's deletions: single ones, no guard
	UNTIL(g, g->dp.n == 1000);
	assert_int_equal(g->dp.begins, 1);
	assert_int_equal(g->dp.dels, 2000);
}

static void a_sweep_of_many_is_held_until_forced(void **state)
{
	struct rig *g = *state;

	fake_dp_start(&g->dp);
	want_streams(g, 100);
	UNTIL(g, g->settles);
	want_streams(g, 100);
	// Another daemon's dataplane, as far as this one knows: it comes up with less intent.
	dplink_free(g->dplink);
	g->dplink = dplink_new(g->base, g->dp.path, 8, &ops, g);
	want_streams(g, 50);
	UNTIL(g, dplink_held(g->dplink));
	assert_int_equal(dplink_held(g->dplink), 50);
	assert_int_equal(g->dp.n, 100);
	dplink_force(g->dplink);
	UNTIL(g, g->dp.n == 50);
	UNTIL(g, !dplink_held(g->dplink));
}

static void held_objects_survive_single_changes(void **state)
{
	struct rig *g = *state;

	fake_dp_start(&g->dp);
	want_streams(g, 100);
	UNTIL(g, g->settles);
	dplink_free(g->dplink);
	g->dplink = dplink_new(g->base, g->dp.path, 8, &ops, g);
	want_streams(g, 50);
	UNTIL(g, dplink_held(g->dplink));
	want_streams(g, 49);
	UNTIL(g, g->dp.n == 99);
	g->settles = 0;
	UNTIL(g, g->settles);
	assert_int_equal(g->dp.n, 99);
}

static void a_refused_object_says_why_and_is_tried_again(void **state)
{
	const struct desired all[] = {a_stream("a"), a_stream("b")};
	struct rig *g = *state;

	fake_dp_start(&g->dp);
	want(g, all, 1);
	UNTIL(g, g->settles);
	g->dp.refuse_id = all[1].id;
	want(g, all, 2);
	UNTIL(g, dplink_refusal(g->dplink, DP_STREAM, all[1].id));
	assert_string_equal(dplink_refusal(g->dplink, DP_STREAM, all[1].id), "no room for it");
	assert_null(dplink_refusal(g->dplink, DP_STREAM, all[0].id));
	g->dp.refuse_id = 0;
	UNTIL(g, fake_dp_find(&g->dp, DP_STREAM, all[1].id));
	UNTIL(g, !dplink_refusal(g->dplink, DP_STREAM, all[1].id));
}

static void a_refusal_does_not_keep_a_sync_from_sweeping(void **state)
{
	const struct desired all[] = {a_stream("old"), a_stream("a"), a_stream("b")};
	struct rig *g = *state;

	fake_dp_start(&g->dp);
	want(g, all, 1);
	UNTIL(g, g->settles);
	dplink_free(g->dplink);
	g->dplink = dplink_new(g->base, g->dp.path, 8, &ops, g);
	g->dp.refuse_id = all[1].id;
	want(g, all + 1, 2);
	UNTIL(g, !fake_dp_find(&g->dp, DP_STREAM, all[0].id));
	assert_non_null(fake_dp_find(&g->dp, DP_STREAM, all[2].id));
	assert_non_null(dplink_refusal(g->dplink, DP_STREAM, all[1].id));
}

static void a_refused_owner_comes_again(void **state)
{
	struct rig *g = *state;

	g->dp.refuse_hello = true;
	fake_dp_start(&g->dp);
	want_three(g);
	UNTIL(g, g->dp.hellos >= 2);
	assert_int_equal(g->ups, 0);
	g->dp.refuse_hello = false;
	UNTIL(g, g->ups);
}

static void states_of_objects_are_known(void **state)
{
	const struct desired l = a_listener(9000);
	const struct dp_object_state *o;
	struct fake_object *theirs;
	struct rig *g = *state;

	start_settled(g);
	o = dplink_object(g->dplink, DP_LISTENER, l.id, l.version);
	assert_non_null(o);
	assert_int_equal(o->state, DP_OBJ_ACTIVE);
	assert_null(dplink_object(g->dplink, DP_LISTENER, l.id, l.version + 1));

	theirs = fake_dp_find(&g->dp, DP_LISTENER, l.id);
	theirs->s.state = DP_OBJ_ERROR;
	strcpy(theirs->s.error, "port taken");
	g->objects = 0;
	fake_dp_notice(&g->dp, &(struct dp_notice){.event = DP_EV_OBJECT, .session = l.id});
	UNTIL(g, g->objects);
	assert_int_equal(g->object.id, l.id);
	assert_string_equal(g->object.error, "port taken");
	o = dplink_object(g->dplink, DP_LISTENER, l.id, l.version);
	assert_int_equal(o->state, DP_OBJ_ERROR);
}

static void notices_are_handed_on(void **state)
{
	struct rig *g = *state;

	start_settled(g);
	fake_dp_notice(&g->dp, &(struct dp_notice){.event = DP_EV_REJECT, .code = 2404, .lost = 3});
	UNTIL(g, g->notices);
	assert_int_equal(g->notice.event, DP_EV_REJECT);
	assert_int_equal(g->notice.code, 2404);
	assert_int_equal(g->notice.lost, 3);
}

// The answer is none to a request: nothing waits for it, nothing is answered.
static void questions_are_answered(void **state)
{
	struct dp_admit q = {.id = 77};
	struct rig *g = *state;

	start_settled(g);
	memset(q.token, 't', sizeof(q.token)); // not terminated
	fake_dp_ask(&g->dp, &q);
	UNTIL(g, g->dp.verdicts);
	assert_int_equal(g->dp.verdict.id, 77);
	assert_int_equal(g->dp.verdict.verdict, DP_VERDICT_REFUSE);
	assert_int_equal(g->dp.verdict.code, sizeof(q.token) - 1);
	fake_dp_kill(&g->dp);
	UNTIL(g, g->downs);
	dplink_admit(g->dplink, &(struct dp_admit_r){.id = 78}); // nobody to tell
}

// What others name comes before them and goes after them.
static void secrets_come_first_and_go_last(void **state)
{
	struct rig *g = *state;
	struct desired all[4];

	desired_make_secret(5, "0123456789", 10, 1, &all[0]);
	all[1] = make(DOC_USER, json_pack("{s:s, s:s}", "name", "joe", "mode", "publish"));
	all[2] = a_stream("a");
	all[3] = a_listener(9000);
	fake_dp_start(&g->dp);
	want(g, all, 4);
	UNTIL(g, g->settles);
	assert_string_equal(g->dp.log, "begin secret policy stream:a listener commit ");
	fake_dp_forget_log(&g->dp);
	want(g, &all[3], 1);
	UNTIL(g, g->dp.dels == 3);
	assert_string_equal(g->dp.log, "-:a - - ");
}

static void on_page(void *arg, int status, const struct dp_session *s, size_t n, uint64_t next)
{
	struct rig *g = arg;

	g->status = status;
	g->n = n;
	g->next = next;
	g->first_key = n ? s[0].key : 0;
	g->answers++;
}

static void on_kicked(void *arg, int status)
{
	struct rig *g = arg;

	g->status = status;
	g->answers++;
}

static void sessions_come_in_pages(void **state)
{
	struct rig *g = *state;

	start_settled(g);
	for (size_t i = 0; i < 5; i++)
		g->dp.sessions[i] = (struct dp_session){.key = 100 + i, .stream = "a"};
	g->dp.n_sessions = 5;
	dplink_sessions(g->dplink, DP_DUMP_SUBSCRIBERS, NULL, 0, 3, on_page, g);
	UNTIL(g, g->answers == 1);
	assert_int_equal(g->status, 0);
	assert_int_equal(g->n, 3);
	assert_int_equal(g->first_key, 100);
	assert_int_not_equal(g->next, 0);
	dplink_sessions(g->dplink, DP_DUMP_SUBSCRIBERS, NULL, g->next, 3, on_page, g);
	UNTIL(g, g->answers == 2);
	assert_int_equal(g->n, 2);
	assert_int_equal(g->first_key, 103);
	assert_int_equal(g->next, 0);
	dplink_sessions(g->dplink, DP_DUMP_SUBSCRIBERS, "b", 0, 3, on_page, g);
	UNTIL(g, g->answers == 3);
	assert_int_equal(g->n, 0);
}

static void kicks_are_answered(void **state)
{
	struct rig *g = *state;

	start_settled(g);
	g->dp.sessions[0].key = 55;
	g->dp.n_sessions = 1;
	dplink_kick(g->dplink, 55, 0, on_kicked, g);
	UNTIL(g, g->answers == 1);
	assert_int_equal(g->status, 0);
	assert_int_equal(g->dp.kicked, 55);
	dplink_kick(g->dplink, 56, 0, on_kicked, g);
	UNTIL(g, g->answers == 2);
	assert_int_equal(g->status, -ENOENT);
}

static void who_waits_learns_that_the_dataplane_went(void **state)
{
	struct rig *g = *state;

	dplink_kick(g->dplink, 1, 0, on_kicked, g);
	assert_int_equal(g->answers, 1);
	assert_int_equal(g->status, -ENOTCONN);
	start_settled(g);
	g->answers = 0;
	g->dp.deaf = true;
	dplink_kick(g->dplink, 1, 0, on_kicked, g);
	dplink_sessions(g->dplink, DP_DUMP_SUBSCRIBERS, NULL, 0, 3, on_page, g);
	fake_dp_kill(&g->dp);
	UNTIL(g, g->answers == 2);
	assert_int_equal(g->status, -ENOTCONN);
}

static void a_dataplane_that_does_not_answer_is_left(void **state)
{
	struct rig *g = *state;

	start_settled(g);
	g->dp.deaf = true;
	UNTIL(g, g->downs);
	g->dp.deaf = false;
	UNTIL(g, g->ups == 2);
}

static void a_spoilt_sync_is_no_dead_end(void **state)
{
	struct rig *g = *state;

	g->dp.spoil_commit = true;
	start_settled(g);
	assert_int_equal(g->dp.n, 3);
}

static void the_counters_are_handed_over(void **state)
{
	struct rig *g = *state;
	int p[2];

	assert_int_equal(pipe(p), 0);
	g->dp.stats_fd = p[1];
	start_settled(g);
	assert_true(g->stats_fd >= 0);
	assert_true(fcntl(g->stats_fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(g->stats_fd, "x", 1), 1);
	close(p[0]);
	close(p[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_dataplane_gets_everything_in_order),
		TEST(nothing_is_sent_before_the_intent_is_known),
		TEST(an_equal_digest_needs_no_transfer),
		TEST(a_killed_dataplane_gets_everything_again),
		TEST(changes_are_sent_alone),
		TEST(single_objects_come_and_go),
		TEST(single_objects_wait_for_their_turn),
		TEST(a_changed_content_is_sent_again),
		TEST(many_objects_pass_a_bounded_window),
		TEST(a_sweep_of_many_is_held_until_forced),
		TEST(held_objects_survive_single_changes),
		TEST(a_refused_object_says_why_and_is_tried_again),
		TEST(a_refusal_does_not_keep_a_sync_from_sweeping),
		TEST(a_refused_owner_comes_again),
		TEST(states_of_objects_are_known),
		TEST(notices_are_handed_on),
		TEST(questions_are_answered),
		TEST(secrets_come_first_and_go_last),
		TEST(sessions_come_in_pages),
		TEST(kicks_are_answered),
		TEST(who_waits_learns_that_the_dataplane_went),
		TEST(a_dataplane_that_does_not_answer_is_left),
		TEST(a_spoilt_sync_is_no_dead_end),
		TEST(the_counters_are_handed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
