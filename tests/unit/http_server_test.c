// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/http/server.h"
#include "http_rig.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"

static struct rig rig;
static char out[1 << 20];
static struct http_request *held;

static void on_echo(struct http_request *r, void *arg)
{
	const json_t *body = http_body(r);

	(void)arg;
	http_reply_json(r, 200,
		json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:O?, s:s}", "method", http_method(r),
			"path", http_path(r), "name", http_param(r, "name"), "q",
			http_query(r, "q"), "dry_run", http_query_true(r, "dry_run"), "body", body,
			"caller", http_caller(r)->name));
}

static void on_hold(struct http_request *r, void *arg)
{
	(void)arg;
	held = r;
}

static void on_big(struct http_request *r, void *arg)
{
	static char big[300000];

	(void)arg;
	memset(big, 'x', sizeof(big));
	http_reply_data(r, 200, "text/plain", big, sizeof(big));
}

static const struct http_asset assets[] = {
	{"/", "text/html; charset=utf-8", (const unsigned char *)"<p>hello", 8},
	{"/app.js", "text/javascript", (const unsigned char *)"export {}", 9},
};

static void start(const struct http_config *config)
{
	rig_start(&rig, config);
	http_route(rig.server, "GET", "/v1/streams", HTTP_ROLE_READ, on_echo, NULL);
	http_route(rig.server, "POST", "/v1/streams", HTTP_ROLE_ADMIN, on_echo, NULL);
	http_route(rig.server, "GET", "/v1/streams/{name...}", HTTP_ROLE_READ, on_echo, NULL);
	http_route(rig.server, "PUT", "/v1/streams/{name...}", HTTP_ROLE_ADMIN, on_echo, NULL);
	http_route(rig.server, "GET", "/v1/nodes/{name}", HTTP_ROLE_READ, on_echo, NULL);
	http_route(rig.server, "GET", "/healthz", HTTP_ROLE_NONE, on_echo, NULL);
	http_route(rig.server, "POST", "/open", HTTP_ROLE_NONE, on_echo, NULL);
	http_route(rig.server, "GET", "/hold", HTTP_ROLE_NONE, on_hold, NULL);
	http_route(rig.server, "GET", "/big", HTTP_ROLE_NONE, on_big, NULL);
	http_assets(rig.server, assets, 2);
}

static int setup(void **state)
{
	static const struct http_config config = {.anonymous_read = true,
		.header_ms = 150,
		.body_ms = 300,
		.idle_ms = 400,
		.body_max = 4096,
		.header_max = 2048,
		.connections_max = 8};

	(void)state;
	held = NULL;
	start(&config);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_stop(&rig);
	return 0;
}

static int status_of(const char *reply)
{
	return strncmp(reply, "HTTP/1.", 7) ? -1 : atoi(reply + 9);
}

static int ask(const char *request)
{
	rig_ask(&rig, request, out, sizeof(out));
	return status_of(out);
}

static int post(const char *path, const char *type, const char *body)
{
	char request[8192];

	snprintf(request, sizeof(request),
		"POST %s HTTP/1.1\r\n" HOST "Content-Type: %s\r\nConnection: close\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		path, type, strlen(body), body);
	return ask(request);
}

// The reply's document; the caller owns it.
static json_t *document(void)
{
	const char *body = strstr(out, "\r\n\r\n");
	json_t *doc = body ? json_loads(body + 4, 0, NULL) : NULL;

	assert_non_null(doc);
	return doc;
}

static void assert_member(const char *name, const char *value)
{
	json_t *doc = document();

	assert_string_equal(json_string_value(json_object_get(doc, name)), value);
	json_decref(doc);
}

static void finds_routes_and_parameters(void **state)
{
	(void)state;
	assert_int_equal(ask("GET /v1/streams HTTP/1.1\r\n" HOST), 200);
	assert_int_equal(ask("GET /v1/streams/live/cam1?q=a%20b+c&dry_run HTTP/1.1\r\n" HOST), 200);
	assert_member("name", "live/cam1");
	assert_member("q", "a b c");
	assert_int_equal(ask("GET /v1/streams/live%2Fcam1 HTTP/1.1\r\n" HOST), 200);
	assert_member("name", "live/cam1");
	assert_int_equal(ask("GET /v1/nodes/a HTTP/1.1\r\n" HOST), 200);
	assert_int_equal(ask("GET /v1/nodes/a/b HTTP/1.1\r\n" HOST), 404);
	assert_int_equal(ask("GET /v1/streams/ HTTP/1.1\r\n" HOST), 404);
	assert_int_equal(ask("GET /v1/stream HTTP/1.1\r\n" HOST), 404);
	assert_non_null(strstr(out, "application/problem+json"));
	assert_member("code", "not_found");
	assert_member("detail", "there is nothing at /v1/stream");
}

static void answers_wrong_methods(void **state)
{
	(void)state;
	assert_int_equal(ask("DELETE /v1/streams HTTP/1.1\r\n" HOST), 405);
	assert_non_null(strstr(out, "Allow: GET, HEAD, POST\r\n"));
	assert_int_equal(ask("BREW /v1/streams HTTP/1.1\r\n" HOST), 405);
	assert_int_equal(ask("OPTIONS / HTTP/1.1\r\n" HOST), 405);
	assert_int_equal(ask("HEAD /v1/streams HTTP/1.1\r\n" HOST), 200);
	assert_string_equal(strstr(out, "\r\n\r\n"), "\r\n\r\n"); // no body ...
	assert_null(strstr(out, "Content-Length: 0"));		  // ... but its length
}

// TCP callers are anonymous: they read when that is configured, and no more.
static void knows_its_callers(void **state)
{
	int fd = rig_connect_unix(&rig);
	char uid[32];
	static const char get[] = "GET /v1/streams HTTP/1.1\r\nConnection: close\r\n\r\n";

	(void)state;
	rig_send(&rig, fd, get, strlen(get));
	assert_true(rig_read(&rig, fd, NULL, out, sizeof(out)));
	close(fd);
	assert_int_equal(status_of(out), 200);
	snprintf(uid, sizeof(uid), "uid %u", (unsigned)geteuid());
	assert_member("caller", uid);
	assert_int_equal(ask("GET /v1/streams HTTP/1.1\r\n" HOST), 200);
	assert_member("caller", "127.0.0.1");
	assert_int_equal(post("/v1/streams", "application/json", "{}"), 403);
	assert_member("code", "forbidden");
	assert_int_equal(
		ask("GET /v1/streams HTTP/1.1\r\n" HOST "Authorization: Bearer x\r\n"), 401);
	assert_non_null(strstr(out, "WWW-Authenticate: Bearer\r\n"));
}

static void without_anonymous_reading_tcp_gets_nothing(void **state)
{
	(void)state;
	start(NULL);
	assert_int_equal(ask("GET /v1/streams HTTP/1.1\r\n" HOST), 401);
	assert_int_equal(ask("GET /healthz HTTP/1.1\r\n" HOST), 200);
	rig_stop(&rig);
}

// A page elsewhere that has its name pointed at loopback must not read us.
static void answers_only_to_its_names(void **state)
{
	(void)state;
	assert_int_equal(ask("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n"), 421);
	assert_int_equal(ask("GET /healthz HTTP/1.1\r\nHost: localhost.evil.example\r\n"), 421);
	assert_int_equal(ask("GET http://evil.example/healthz HTTP/1.1\r\n" HOST), 421);
	assert_int_equal(ask("GET /healthz HTTP/1.1\r\n"), 400);
	assert_int_equal(ask("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:8680\r\n"), 200);
	assert_int_equal(ask("GET /healthz HTTP/1.1\r\nHost: LOCALHOST:1\r\n"), 200);
}

static void says_where_a_document_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(post("/open", "application/json; charset=utf-8", "{\"a\": 1}"), 200);
	assert_int_equal(post("/open", "application/json", ""), 200);
	assert_int_equal(post("/open", "text/plain", "{}"), 415);
	assert_int_equal(post("/open", "application/jsonx", "{}"), 415);
	assert_int_equal(post("/open", "application/json", "{\"a\": 1,\n  b}"), 400);
	assert_member("code", "bad_json");
	assert_non_null(strstr(out, "at line 2, column 3"));
	assert_int_equal(post("/open", "application/json", "{\"a\": 1, \"a\": 2}"), 400);
	assert_int_equal(post("/open", "application/json", "{\"a\": \"\xff\"}"), 400);
	assert_int_equal(post("/open", "application/json", "{\"a\": 99999999999999999999}"), 400);
	assert_int_equal(post("/open", "application/json", "{} x"), 400);
	assert_int_equal(post("/open", "application/json", "7"), 400);
}

static void limits_bodies(void **state)
{
	static char body[8000], request[300000];
	int n;

	(void)state;
	memset(body, ' ', 4096);
	memcpy(body, "{}", 2);
	assert_int_equal(post("/open", "application/json", body), 200);
	body[4096] = ' ';
	assert_int_equal(post("/open", "application/json", body), 413);
	assert_member("code", "too_large");
	n = snprintf(request, sizeof(request),
		"POST /open HTTP/1.1\r\n" HOST
		"Content-Type: application/json\r\nContent-Length: 250000\r\n\r\n");
	memset(request + n, ' ', 250000);
	assert_int_equal(ask(request), 413);
}

static void limits_headers(void **state)
{
	static char request[200000];
	int n = snprintf(request, sizeof(request), "GET /healthz HTTP/1.1\r\n" HOST "X: ");

	(void)state;
	memset(request + n, 'x', 5000);
	strcpy(request + n + 5000, "\r\n\r\n");
	assert_int_equal(ask(request), 400);
	memset(request, 'x', 5000);
	request[5000] = '\0';
	assert_int_equal(ask(request), 400);
	assert_int_equal(ask("\x16\x03\x01\x02\r\n\r\n"), 400); // TLS to a clear port
}

// Any split of the bytes gives the same answer.
static void takes_requests_in_pieces(void **state)
{
	static const char request[] = "POST /open?q=1 HTTP/1.1\r\n" HOST
				      "Content-Type: application/json\r\nConnection: close\r\n"
				      "Content-Length: 8\r\n\r\n{\"a\": 1}";

	(void)state;
	for (size_t cut = 1; cut < sizeof(request) - 1; cut += 3) {
		int fd = rig_connect(&rig);

		rig_send(&rig, fd, request, cut);
		event_base_loop(rig.base, EVLOOP_NONBLOCK);
		event_base_loop(rig.base, EVLOOP_NONBLOCK);
		rig_send(&rig, fd, request + cut, sizeof(request) - 1 - cut);
		assert_true(rig_read(&rig, fd, NULL, out, sizeof(out)));
		close(fd);
		assert_int_equal(status_of(out), 200);
		assert_non_null(strstr(out, "\"body\":{\"a\":1}"));
	}
}

static void answers_pipelined_requests_in_order(void **state)
{
	static const char requests[] =
		"GET /v1/streams/a HTTP/1.1\r\n" HOST "\r\n"
		"POST /open HTTP/1.1\r\n" HOST
		"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
		"GET /nowhere HTTP/1.1\r\n" HOST "\r\n"
		"GET /v1/streams/z HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
	const char *a, *b, *c, *d;

	(void)state;
	rig_ask(&rig, requests, out, sizeof(out));
	a = strstr(out, "\"name\":\"a\"");
	b = a ? strstr(a, "\"body\":[]") : NULL;
	c = b ? strstr(b, "HTTP/1.1 404") : NULL;
	d = c ? strstr(c, "\"name\":\"z\"") : NULL;
	assert_non_null(d);
}

static bool one_connection(void *arg)
{
	(void)arg;
	return http_connections(rig.server) == 1;
}

static bool no_connections(void *arg)
{
	(void)arg;
	return !http_connections(rig.server);
}

// A byte now and then does not keep a connection: the deadline is of the whole header.
static void drops_who_trickles(void **state)
{
	static const char slow[] =
		"GET /healthz HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	int fd = rig_connect(&rig);
	size_t at = 0;

	(void)state;
	assert_true(rig_until(&rig, one_connection, NULL, 1000));
	for (; at < sizeof(slow) - 1; at++) {
		assert_int_equal(send(fd, slow + at, 1, MSG_NOSIGNAL), 1);
		if (rig_until(&rig, no_connections, NULL, 10))
			break;
	}
	assert_in_range(at, 3, sizeof(slow) - 2); // 150 ms of 10 ms steps, long before the end
	close(fd);
}

// Blank lines in front do not buy the body's longer deadline, and an idle peer goes too.
static void drops_who_says_nothing(void **state)
{
	int blank = rig_connect(&rig), mute = rig_connect(&rig);

	(void)state;
	rig_send(&rig, blank, "\r\n\r\n", 4);
	assert_true(rig_read(&rig, blank, NULL, out, sizeof(out)));
	assert_true(rig_read(&rig, mute, NULL, out, sizeof(out)));
	assert_string_equal(out, "");
	assert_true(rig_until(&rig, no_connections, NULL, 1000));
	close(blank);
	close(mute);
}

static bool is_full(void *arg)
{
	(void)arg;
	return http_connections(rig.server) == 8;
}

// The ninth waits in the kernel until one of the eight goes; the unix socket has its own eight.
static void pauses_accept_when_full(void **state)
{
	static const char get[] = "GET /healthz HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
	int fd[9];

	(void)state;
	for (int i = 0; i < 9; i++)
		fd[i] = rig_connect(&rig);
	assert_true(rig_until(&rig, is_full, NULL, 2000));
	int local = rig_connect_unix(&rig);
	rig_send(&rig, local, get, strlen(get));
	assert_true(rig_read(&rig, local, NULL, out, sizeof(out)));
	assert_int_equal(status_of(out), 200);
	rig_send(&rig, fd[8], get, strlen(get));
	for (int i = 0; i < 8; i++)
		close(fd[i]);
	assert_true(rig_read(&rig, fd[8], NULL, out, sizeof(out)));
	assert_int_equal(status_of(out), 200);
	close(fd[8]);
	close(local);
}

static bool is_held(void *arg)
{
	(void)arg;
	return held;
}

static void replies_later(void **state)
{
	static const char get[] = "GET /hold HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
	int fd = rig_connect(&rig);

	(void)state;
	rig_send(&rig, fd, get, strlen(get));
	assert_true(rig_until(&rig, is_held, NULL, 1000));
	http_reply_json(held, 201, json_pack("{s:s}", "late", "yes"));
	assert_true(rig_read(&rig, fd, NULL, out, sizeof(out)));
	assert_int_equal(status_of(out), 201);
	close(fd);
	// A peer that left before its answer costs nothing (the sanitizers look).
	held = NULL;
	fd = rig_connect(&rig);
	rig_send(&rig, fd, get, strlen(get));
	assert_true(rig_until(&rig, is_held, NULL, 1000));
	close(fd);
	http_reply_empty(held, 204);
	assert_true(rig_until(&rig, no_connections, NULL, 2000));
}

static void outlives_the_server(void **state)
{
	static const char get[] = "GET /hold HTTP/1.1\r\n" HOST "\r\n";
	static const struct http_config config = {.anonymous_read = true};
	int fd;

	(void)state;
	start(&config);
	held = NULL;
	fd = rig_connect(&rig);
	rig_send(&rig, fd, get, strlen(get));
	assert_true(rig_until(&rig, is_held, NULL, 1000));
	rig_stop(&rig);
	http_reply_problem(held, 503, NULL, "the daemon stops");
	close(fd);
}

// A peer that asks for much and takes nothing is dropped after the idle time.
static void drops_who_does_not_take_the_reply(void **state)
{
	static const char get[] = "GET /big HTTP/1.1\r\n" HOST "\r\n";
	int fd = rig_connect(&rig), small = 4096;

	(void)state;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 20; i++)
		rig_send(&rig, fd, get, strlen(get));
	assert_true(rig_until(&rig, no_connections, NULL, 3000));
	close(fd);
}

static void serves_the_page_and_nothing_else(void **state)
{
	static const char *const probes[] = {"/../etc/passwd", "/%2e%2e/etc/passwd", "/app.js/",
		"//app.js", "/./app.js", "/app.js%00.html", "/..%2f..%2fetc/passwd",
		"/app%2Ejs/../x"};
	char request[256], *etag;

	(void)state;
	assert_int_equal(ask("GET / HTTP/1.1\r\n" HOST), 200);
	assert_non_null(strstr(out, "<p>hello"));
	assert_non_null(
		strstr(out, "Content-Security-Policy: default-src 'none'; script-src 'self'"));
	assert_non_null(strstr(out, "X-Content-Type-Options: nosniff"));
	etag = strstr(out, "ETag: ") + 6;
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n" HOST "If-None-Match: %.18s\r\n",
		etag);
	assert_int_equal(ask(request), 304);
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++) {
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST, probes[i]);
		ask(request);
		if (status_of(out) < 400 || status_of(out) > 499)
			fail_msg("%s: %.60s", probes[i], out);
	}
}

static void listens_only_where_it_may(void **state)
{
	struct http_server *s = http_server_new(rig.base, NULL);
	struct stat st;
	char err[256];

	(void)state;
	assert_int_equal(http_listen_tcp(s, "0.0.0.0:0", err, sizeof(err)), -EPERM);
	assert_int_equal(http_listen_tcp(s, "10.1.2.3:80", err, sizeof(err)), -EPERM);
	assert_int_equal(http_listen_tcp(s, "localhost", err, sizeof(err)), -EINVAL);
	assert_int_equal(http_listen_unix(s, rig.path, 0600, err, sizeof(err)), -EADDRINUSE);
	assert_int_equal(http_listen_unix(s, "/", 0600, err, sizeof(err)), -EADDRINUSE);
	assert_int_equal(stat(rig.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	http_server_free(s);
}

// What a crash left behind does not keep the next daemon from its socket.
static void takes_over_a_stale_socket(void **state)
{
	struct http_server *s = http_server_new(rig.base, NULL);
	char first[128], kept[128], err[256];

	(void)state;
	snprintf(first, sizeof(first), "%s.first", rig.path);
	snprintf(kept, sizeof(kept), "%s.kept", rig.path);
	assert_int_equal(http_listen_unix(s, first, 0600, err, sizeof(err)), 0);
	assert_int_equal(link(first, kept), 0);
	http_server_free(s); // the socket is closed, its second name stays
	s = http_server_new(rig.base, NULL);
	assert_int_equal(http_listen_unix(s, kept, 0600, err, sizeof(err)), 0);
	http_server_free(s);
	assert_int_equal(access(kept, F_OK), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_routes_and_parameters),
		TEST(answers_wrong_methods),
		TEST(knows_its_callers),
		cmocka_unit_test(without_anonymous_reading_tcp_gets_nothing),
		TEST(answers_only_to_its_names),
		TEST(says_where_a_document_is_wrong),
		TEST(limits_bodies),
		TEST(limits_headers),
		TEST(takes_requests_in_pieces),
		TEST(answers_pipelined_requests_in_order),
		TEST(drops_who_trickles),
		TEST(drops_who_says_nothing),
		TEST(pauses_accept_when_full),
		TEST(replies_later),
		cmocka_unit_test(outlives_the_server),
		TEST(drops_who_does_not_take_the_reply),
		TEST(serves_the_page_and_nothing_else),
		TEST(listens_only_where_it_may),
		TEST(takes_over_a_stale_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
