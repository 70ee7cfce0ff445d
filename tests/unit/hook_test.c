// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/endpoint.h"
#include "base/ts.h"
#include "ctl/daemon/hook.h"
#include "test.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define VERDICTS_MAX 512

static struct event_base *base;
static struct evhttp *server;
static unsigned port;
static json_t *asked; // the last question
static struct dp_admit_r verdicts[VERDICTS_MAX];
static size_t n_verdicts;
static struct evhttp_request *held[VERDICTS_MAX]; // questions to /slow
static size_t n_held;

static void answer(struct evhttp_request *r, int status, const char *body)
{
	struct evbuffer *b = evbuffer_new();

	evbuffer_add_printf(b, "%s", body);
	evhttp_send_reply(r, status, NULL, b);
	evbuffer_free(b);
}

static void on_request(struct evhttp_request *r, void *arg)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(r);
	const char *path = evhttp_request_get_uri(r);
	int status = 0;

	(void)arg;
	assert_int_equal(evhttp_request_get_command(r), EVHTTP_REQ_POST);
	json_decref(asked);
	asked = json_loadb((char *)evbuffer_pullup(in, -1), evbuffer_get_length(in), 0, NULL);
	if (!strcmp(path, "/slow"))
		held[n_held++] = r;
	else if (!strcmp(path, "/code"))
		answer(r, 401, "{\"code\": 2404, \"ttl_s\": 5}");
	else if (!strcmp(path, "/wild"))
		answer(r, 403, "{\"code\": 7, \"ttl_s\": -1}");
	else if (!strcmp(path, "/text"))
		answer(r, 200, "welcome");
	else if (sscanf(path, "/%d", &status) == 1)
		answer(r, status, "");
}

static void on_verdict(void *arg, const struct dp_admit_r *r)
{
	(void)arg;
	verdicts[n_verdicts++] = *r;
}

static int setup(void **state)
{
	struct evhttp_bound_socket *s;
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	struct endpoint e = {0};

	base = event_base_new();
	server = evhttp_new(base);
	s = evhttp_bind_socket_with_handle(server, "127.0.0.1", 0);
	assert_non_null(s);
	getsockname(evhttp_bound_socket_get_fd(s), (struct sockaddr *)&sa, &len);
	assert_int_equal(endpoint_from_sockaddr(&sa, &e), 0);
	port = e.port;
	evhttp_set_gencb(server, on_request, NULL);
	n_verdicts = n_held = 0;
	*state = hook_new(base, on_verdict, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	hook_free(*state);
	evhttp_free(server);
	event_base_free(base);
	json_decref(asked);
	asked = NULL;
	return 0;
}

static void ask(struct hook *h, const char *path, uint64_t id)
{
	struct dp_admit q = {.id = id,
		.mode = DP_MODE_PUBLISH,
		.stream = "live/a",
		.user = "joe",
		.token = "t0k\xff",
		.session = "s1",
		.query = "#!::r=live/a,m=publish"};
	struct endpoint peer = endpoint_of_v4(0xc0000207, 0);
	char url[64];

	memcpy(q.peer_ip, peer.ip, sizeof(q.peer_ip));
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path ? path : "");
	hook_ask(h, path ? url : NULL, &q);
}

static void wait_for(size_t n)
{
	ts_us end = ts_now() + 5 * TS_S;

	while (n_verdicts < n && ts_now() < end)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(n_verdicts, n);
}

static const struct dp_admit_r *verdict_of(struct hook *h, const char *path)
{
	ask(h, path, 1000 + n_verdicts);
	wait_for(n_verdicts + 1);
	assert_int_equal(verdicts[n_verdicts - 1].id, 999 + n_verdicts);
	return &verdicts[n_verdicts - 1];
}

static const char *said(const char *field)
{
	return json_string_value(json_object_get(asked, field));
}

static void asks_in_json(void **state)
{
	assert_int_equal(verdict_of(*state, "/204")->verdict, DP_VERDICT_ALLOW);
	assert_string_equal(said("action"), "publish");
	assert_string_equal(said("stream"), "live/a");
	assert_string_equal(said("user"), "joe");
	assert_string_equal(said("ip"), "192.0.2.7");
	assert_string_equal(said("protocol"), "srt");
	assert_string_equal(said("session"), "s1");
	assert_string_equal(said("query"), "#!::r=live/a,m=publish");
	assert_true(json_is_null(json_object_get(asked, "token"))); // was no UTF-8
}

static void understands_answers(void **state)
{
	static const struct {
		const char *path;
		enum dp_verdict verdict;
		uint32_t code, ttl_ms;
	} rows[] = {
		{"/200", DP_VERDICT_ALLOW, 0, 0},
		{"/text", DP_VERDICT_ALLOW, 0, 0},
		{"/401", DP_VERDICT_REFUSE, 2401, 0},
		{"/403", DP_VERDICT_REFUSE, 2403, 0},
		{"/code", DP_VERDICT_REFUSE, 2404, 5000},
		{"/wild", DP_VERDICT_REFUSE, 2403, 0},
		{"/302", DP_VERDICT_FAILED, 0, 0},
		{"/404", DP_VERDICT_FAILED, 0, 0},
		{"/500", DP_VERDICT_FAILED, 0, 0},
	};
	const struct hook_counters *c = hook_counters(*state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct dp_admit_r *r = verdict_of(*state, rows[i].path);

		assert_int_equal(r->verdict, rows[i].verdict);
		assert_int_equal(r->code, rows[i].code);
		assert_int_equal(r->ttl_ms, rows[i].ttl_ms);
	}
	assert_int_equal(c->allowed, 2);
	assert_int_equal(c->refused, 4);
	assert_int_equal(c->failed, 3);
	assert_int_equal(c->under_way, 0);
}

static void fails_in_time(void **state)
{
	ts_us begin = ts_now();

	assert_int_equal(verdict_of(*state, "/slow")->verdict, DP_VERDICT_FAILED);
	assert_in_range(ts_now() - begin, 900 * TS_MS, 3 * TS_S);
	evhttp_free(server); // nobody listens there any more
	assert_int_equal(verdict_of(*state, "/200")->verdict, DP_VERDICT_FAILED);
	server = evhttp_new(base);
	ask(*state, NULL, 7);
	assert_int_equal(verdicts[n_verdicts - 1].verdict, DP_VERDICT_FAILED);
}

// A hook that hangs costs a bounded number of questions; the next ones fail at once.
static void bounds_what_is_under_way(void **state)
{
	const struct hook_counters *c = hook_counters(*state);

	for (uint64_t i = 0; i < HOOK_MAX + 10; i++)
		ask(*state, "/slow", i);
	assert_int_equal(c->under_way, HOOK_MAX);
	assert_int_equal(n_verdicts, 10);
	assert_int_equal(c->over, 10);
	hook_forget(*state);
	assert_int_equal(c->under_way, 0);
	assert_int_equal(verdict_of(*state, "/200")->verdict, DP_VERDICT_ALLOW);
	assert_int_equal(n_verdicts, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asks_in_json, setup, teardown),
		cmocka_unit_test_setup_teardown(understands_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(fails_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(bounds_what_is_under_way, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
