// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/client.h"
#include "ctl/api/sse.h"
#include "ctl/http/feed.h"
#include "ctl/http/server.h"
#include "test.h"

#include <event2/event.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/sluice-client-XXXXXX", sock[128], url[64];
static pid_t server_pid;

static void on_echo(struct http_request *r, void *arg)
{
	const json_t *body = http_body(r);
	const char *match = http_header(r, "If-Match");

	(void)arg;
	http_reply_header(r, "ETag", "\"v7\"");
	http_reply_json(r, 200,
		json_pack("{s:s, s:s?, s:s?, s:O?}", "method", http_method(r), "name",
			http_param(r, "name"), "match", match, "body", body));
}

static void on_status(struct http_request *r, void *arg)
{
	(void)arg;
	http_reply_problem(r, atoi(http_param(r, "n")), NULL, "as asked for");
}

// Three pages of two items.
static void on_pages(struct http_request *r, void *arg)
{
	const char *cursor = http_query(r, "cursor");
	int at = cursor ? atoi(cursor) : 0;
	char next[16];

	(void)arg;
	snprintf(next, sizeof(next), "%d &", at + 1);
	http_reply_json(r, 200,
		json_pack("{s:[i,i], s:s?}", "items", 2 * at, 2 * at + 1, "next",
			at < 2 ? next : NULL));
}

static void on_hold(struct http_request *r, void *arg)
{
	(void)r;
	(void)arg;
}

static void on_tick(evutil_socket_t fd, short what, void *feed)
{
	(void)fd;
	(void)what;
	feed_publish(feed, "tick", json_pack("{s:i}", "x", 1));
}

static void serve(int ready)
{
	static const struct http_config config = {.anonymous_read = true};
	const struct timeval every = {.tv_usec = 5000};
	struct event_base *base = event_base_new();
	struct http_server *s = http_server_new(base, &config);
	struct feed *feed = feed_new(base, "b");
	char err[256];
	int port;

	http_route(s, "GET", "/v1/echo/{name...}", HTTP_ROLE_READ, on_echo, NULL);
	http_route(s, "PUT", "/v1/echo/{name...}", HTTP_ROLE_ADMIN, on_echo, NULL);
	http_route(s, "POST", "/v1/echo", HTTP_ROLE_ADMIN, on_echo, NULL);
	http_route(s, "GET", "/v1/status/{n}", HTTP_ROLE_READ, on_status, NULL);
	http_route(s, "GET", "/v1/pages", HTTP_ROLE_READ, on_pages, NULL);
	http_route(s, "GET", "/v1/hold", HTTP_ROLE_READ, on_hold, NULL);
	http_route(s, "GET", "/v1/watch", HTTP_ROLE_READ, feed_serve, feed);
	event_add(event_new(base, -1, EV_PERSIST, on_tick, feed), &every);
	port = http_listen_unix(s, sock, 0600, err, sizeof(err))
		       ? -1
		       : http_listen_tcp(s, "127.0.0.1:0", err, sizeof(err));
	if (write(ready, &port, sizeof(port)) == sizeof(port) && port > 0)
		event_base_dispatch(base);
	_exit(1);
}

static int start_server(void **state)
{
	int ready[2], port = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sock, sizeof(sock), "%s/api.sock", dir);
	assert_int_equal(pipe(ready), 0);
	server_pid = fork();
	if (!server_pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(ready[1]);
	}
	assert_int_equal(read(ready[0], &port, sizeof(port)), sizeof(port));
	assert_true(port > 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	unlink(sock);
	rmdir(dir);
	return 0;
}

static struct api_client *client(const char *at_url, const char *at_socket)
{
	struct api_target t = {.url = at_url, .socket = at_socket, .timeout_ms = 2000};
	struct api_error err;
	struct api_client *c = api_client_new(&t, &err);

	assert_non_null(c);
	return c;
}

static const char *text_of(const json_t *doc, const char *name)
{
	return json_string_value(json_object_get(doc, name));
}

static void calls_over_both_transports(void **state)
{
	struct api_client *unix_one = client(NULL, sock), *tcp = client(url, NULL);
	json_t *body = json_pack("{s:i}", "a", 1), *out;
	struct api_error err;

	(void)state;
	assert_int_equal(api_call(tcp, "GET", "/v1/echo/a/b", NULL, &out, &err), API_OK);
	assert_string_equal(text_of(out, "name"), "a/b");
	assert_string_equal(api_etag(tcp), "\"v7\"");
	json_decref(out);
	assert_int_equal(api_call(unix_one, "POST", "/v1/echo", body, &out, &err), API_OK);
	assert_true(json_equal(json_object_get(out, "body"), body));
	json_decref(out);
	assert_int_equal(
		api_call_match(unix_one, "PUT", "/v1/echo/x", "\"v7\"", body, &out, &err), API_OK);
	assert_string_equal(text_of(out, "match"), "\"v7\"");
	assert_string_equal(text_of(out, "method"), "PUT");
	json_decref(out);
	// The connection is used again, and a body does not stick to the next call.
	assert_int_equal(api_call(unix_one, "GET", "/v1/echo/y", NULL, &out, &err), API_OK);
	assert_true(json_is_null(json_object_get(out, "body")));
	json_decref(out);
	json_decref(body);
	api_client_free(unix_one);
	api_client_free(tcp);
}

static void maps_problems_to_exit_codes(void **state)
{
	static const struct {
		int status;
		enum api_exit exit;
	} table[] = {{400, API_USAGE}, {404, API_NOT_FOUND}, {405, API_USAGE}, {409, API_CONFLICT},
		{412, API_CONFLICT}, {413, API_USAGE}, {401, API_REFUSED}, {403, API_REFUSED},
		{422, API_USAGE}, {500, API_FAILURE}, {503, API_DEGRADED}, {504, API_TIMEOUT}};
	struct api_client *c = client(url, NULL);
	struct api_error err;
	char path[64];
	json_t *out;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		snprintf(path, sizeof(path), "/v1/status/%d", table[i].status);
		assert_int_equal(api_call(c, "GET", path, NULL, &out, &err), table[i].exit);
		assert_int_equal(err.exit, table[i].exit);
		assert_int_equal(err.status, table[i].status);
		assert_string_equal(err.detail, "as asked for");
		assert_true(*err.code);
		assert_null(out);
	}
	assert_int_equal(api_call(c, "POST", "/v1/echo", NULL, &out, &err), API_REFUSED);
	api_client_free(c);
}

static void follows_pages(void **state)
{
	struct api_client *c = client(NULL, sock);
	struct api_error err;
	json_t *out;

	(void)state;
	assert_int_equal(api_list(c, "/v1/pages?x=1", &out, &err), API_OK);
	assert_int_equal(json_array_size(out), 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(json_integer_value(json_array_get(out, i)), i);
	json_decref(out);
	assert_int_equal(api_list(c, "/v1/nothing", &out, &err), API_NOT_FOUND);
	assert_null(out);
	api_client_free(c);
}

static void says_that_nobody_is_there(void **state)
{
	struct api_client *c = client(NULL, "/nonexistent/api.sock");
	struct api_error err;
	json_t *out;

	(void)state;
	assert_int_equal(api_call(c, "GET", "/v1/status", NULL, &out, &err), API_UNREACHABLE);
	assert_string_equal(err.detail, "cannot reach sluiced at /nonexistent/api.sock: No such "
					"file or directory");
	api_client_free(c);
	c = client("http://127.0.0.1:1", NULL);
	assert_int_equal(api_call(c, "GET", "/v1/status", NULL, &out, &err), API_UNREACHABLE);
	api_client_free(c);
}

static void gives_up_in_time(void **state)
{
	struct api_target t = {.url = url, .timeout_ms = 100};
	struct api_error err;
	struct api_client *c = api_client_new(&t, &err);
	json_t *out;

	(void)state;
	assert_int_equal(api_call(c, "GET", "/v1/hold", NULL, &out, &err), API_TIMEOUT);
	assert_int_equal(err.status, 0);
	api_client_free(c);
}

static void refuses_bad_targets(void **state)
{
	static const char *const bad[] = {"", "localhost:80", "ftp://x", "http://", "http://x/y",
		"file:///etc/passwd", "http://x?y", "https://x//"};
	struct api_error err;
	struct api_target t = {.url = url, .token_file = "/nonexistent/token"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct api_target b = {.url = bad[i]};

		assert_null(api_client_new(&b, &err));
		assert_int_equal(err.exit, API_USAGE);
	}
	assert_null(api_client_new(&t, &err));
	assert_int_equal(err.exit, API_USAGE);
	assert_string_equal(err.detail,
		"cannot read the token file /nonexistent/token: No such file or directory");
	t.token_file = "/dev/null";
	assert_null(api_client_new(&t, &err));
	assert_string_equal(err.detail, "the token file /dev/null holds no token");
}

static void sends_the_token(void **state)
{
	char path[128];
	struct api_target t = {.url = url, .token_file = path};
	struct api_error err;
	struct api_client *c;
	FILE *f;
	json_t *out;

	(void)state;
	snprintf(path, sizeof(path), "%s/token", dir);
	f = fopen(path, "w");
	fputs("secret\n", f);
	fclose(f);
	c = api_client_new(&t, &err);
	assert_non_null(c);
	// The server takes no tokens yet and says so to whoever sends one.
	assert_int_equal(api_call(c, "GET", "/v1/echo/a", NULL, &out, &err), API_REFUSED);
	assert_int_equal(err.status, 401);
	api_client_free(c);
	unlink(path);
}

static void makes_paths(void **state)
{
	static const char *const table[][3] = {
		{"streams", NULL, "/v1/streams"},
		{"streams", "live/cam1", "/v1/streams/live/cam1"},
		{"streams", "a b?c#d%e", "/v1/streams/a%20b%3Fc%23d%25e"},
		{"routes", "\xc3\xa9", "/v1/routes/%C3%A9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char *p = api_path(table[i][0], table[i][1]);

		assert_string_equal(p, table[i][2]);
		free(p);
	}
}

struct seen {
	unsigned n;
	char id[64];
};

static bool on_event(const char *id, const char *type, const json_t *data, void *arg)
{
	struct seen *s = arg;

	assert_string_equal(type, "tick");
	assert_string_equal(text_of(data, "id"), id);
	snprintf(s->id, sizeof(s->id), "%s", id);
	return ++s->n < 3;
}

static void follows_the_feed(void **state)
{
	struct api_client *c = client(url, NULL);
	struct seen seen = {0};
	struct api_error err;
	json_t *out;
	unsigned last;

	(void)state;
	assert_int_equal(api_watch(c, "/v1/watch", NULL, on_event, &seen, &err), API_OK);
	assert_int_equal(seen.n, 3);
	last = (unsigned)atoi(seen.id + 2);
	seen.n = 2;
	assert_int_equal(api_watch(c, "/v1/watch", seen.id, on_event, &seen, &err), API_OK);
	assert_int_equal(atoi(seen.id + 2), last + 1);
	assert_int_equal(api_call(c, "GET", "/v1/echo/after", NULL, &out, &err), API_OK);
	json_decref(out);
	assert_int_equal(api_watch(c, "/v1/nothing", NULL, on_event, &seen, &err), API_NOT_FOUND);
	api_client_free(c);
}

static bool on_any(const char *id, const char *type, const json_t *data, void *arg)
{
	char *log = arg;
	char *text = data ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	sprintf(log + strlen(log), "[%s %s %s]", id, type, text ? text : "-");
	free(text);
	return true;
}

// The same bytes, cut anywhere, are the same events.
static void reads_events_in_any_pieces(void **state)
{
	static const char stream[] =
		": hello\n\nid: 1\nevent: a\ndata: {\"x\":1}\n\n"
		"data:{\ndata: \"y\":2}\r\nid: 2\r\n\r\nevent: none\n\nid: 3\ndata: broken\n\n";
	static const char want[] = "[1 a {\"x\":1}][2 message {\"y\":2}][3 message -]";

	(void)state;
	for (size_t cut = 0; cut < sizeof(stream); cut++) {
		char log[256] = "";
		struct sse s = {.cb = on_any, .arg = log};

		assert_true(sse_feed(&s, stream, cut));
		assert_true(sse_feed(&s, stream + cut, sizeof(stream) - 1 - cut));
		assert_string_equal(log, want);
		sse_fini(&s);
	}
}

static void ends_a_line_without_end(void **state)
{
	static char much[1 << 16];
	struct sse s = {.cb = on_any};
	unsigned n = 0;

	(void)state;
	memset(much, 'x', sizeof(much));
	while (n < 100 && sse_feed(&s, much, sizeof(much)))
		n++;
	assert_int_equal(n, SSE_LINE_MAX / sizeof(much) - 1);
	sse_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_over_both_transports),
		cmocka_unit_test(maps_problems_to_exit_codes),
		cmocka_unit_test(follows_pages),
		cmocka_unit_test(says_that_nobody_is_there),
		cmocka_unit_test(gives_up_in_time),
		cmocka_unit_test(refuses_bad_targets),
		cmocka_unit_test(sends_the_token),
		cmocka_unit_test(makes_paths),
		cmocka_unit_test(follows_the_feed),
		cmocka_unit_test(reads_events_in_any_pieces),
		cmocka_unit_test(ends_a_line_without_end),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
