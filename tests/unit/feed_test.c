// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/http/feed.h"
#include "http_rig.h"
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rig rig;
static struct feed *feed;
static char out[8 << 20];

static int setup(void **state)
{
	static const struct http_config config = {.anonymous_read = true};

	(void)state;
	rig_start(&rig, &config);
	feed = feed_new(rig.base, "boot7");
	http_route(rig.server, "GET", "/v1/watch", HTTP_ROLE_READ, feed_serve, feed);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	feed_free(feed);
	rig_stop(&rig);
	return 0;
}

static void publish(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		feed_publish(feed, "stream", json_pack("{s:s}", "name", "live/cam1"));
}

// Ask for the feed, after the event last_id when it is not NULL.
static int watch(const char *last_id)
{
	char request[256];
	int fd = rig_connect(&rig);

	snprintf(request, sizeof(request),
		"GET /v1/watch HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n",
		last_id ? "Last-Event-ID: " : "", last_id ? last_id : "", last_id ? "\r\n" : "");
	rig_send(&rig, fd, request, strlen(request));
	assert_true(rig_read(&rig, fd, ": sluice", out, sizeof(out)));
	assert_non_null(strstr(out, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(out, "Content-Type: text/event-stream\r\n"));
	return fd;
}

// Read on, behind what came already, until text was seen.
static void expect(int fd, const char *text)
{
	size_t len = strlen(out);

	if (!strstr(out, text))
		assert_true(rig_read(&rig, fd, text, out + len, sizeof(out) - len));
	assert_non_null(strstr(out, text));
}

static void tells_readers_what_happens(void **state)
{
	int fd = watch(NULL);
	char *data;
	json_t *doc;

	(void)state;
	publish(1);
	assert_true(rig_read(&rig, fd, "\n\n", out, sizeof(out)));
	assert_non_null(strstr(out, "id: boot7-1\nevent: stream\ndata: {"));
	data = strstr(out, "data: ") + 6;
	*strchr(data, '\n') = '\0';
	doc = json_loads(data, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(doc, "name")), "live/cam1");
	assert_string_equal(json_string_value(json_object_get(doc, "id")), "boot7-1");
	assert_string_equal(json_string_value(json_object_get(doc, "type")), "stream");
	assert_int_equal(json_string_length(json_object_get(doc, "time")), 24);
	json_decref(doc);
	close(fd);
}

static void resumes_behind_the_last_id(void **state)
{
	int fd;

	(void)state;
	publish(5);
	fd = watch("boot7-3");
	expect(fd, "boot7-5");
	assert_null(strstr(out, "boot7-3"));
	close(fd);
	fd = watch("boot7-5"); // nothing was missed
	publish(1);
	assert_true(rig_read(&rig, fd, "\n\n", out, sizeof(out)));
	assert_non_null(strstr(out, "id: boot7-6\n"));
	assert_null(strstr(out, "reset"));
	close(fd);
}

static void resets_whom_it_does_not_know(void **state)
{
	static const char *const unknown[] = {"boot6-3", "boot7-9", "boot7-", "boot7-1x", "x",
		"boot7--1", "boot7-99999999999999999999999"};

	(void)state;
	publish(5);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		int fd = watch(unknown[i]);

		expect(fd, "\"reset\"}");
		assert_non_null(strstr(out, "id: boot7-5\nevent: reset\n"));
		close(fd);
	}
}

// Far more than one buffer holds: paced by what the reader takes, nothing missing.
static void replays_all_that_is_kept(void **state)
{
	int fd;
	char *at;

	(void)state;
	publish(FEED_KEPT + 500);
	fd = watch("boot7-500");
	expect(fd, "boot7-10500\nevent");
	at = out;
	for (unsigned n = 501; n <= FEED_KEPT + 500; n++) {
		char id[40];

		snprintf(id, sizeof(id), "id: boot7-%u\n", n);
		at = strstr(at, id);
		assert_non_null(at);
	}
	close(fd);
	fd = watch("boot7-499"); // 500 is gone
	expect(fd, "reset");
	close(fd);
}

static bool nobody_reads(void *arg)
{
	(void)arg;
	return !feed_readers(feed);
}

// Who takes nothing costs a buffer, and is dropped when all that is kept has gone by.
static void drops_who_falls_behind(void **state)
{
	int slow = watch(NULL), small = 2048, fd = watch(NULL);

	(void)state;
	setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(feed_readers(feed), 2);
	for (int round = 0; round < 12 && !feed_dropped(feed); round++) {
		char want[40];

		publish(FEED_KEPT / 2);
		snprintf(want, sizeof(want), "boot7-%u\n", FEED_KEPT / 2 * (unsigned)(round + 1));
		assert_true(rig_read(&rig, fd, want, out, sizeof(out)));
	}
	assert_int_equal(feed_dropped(feed), 1);
	assert_int_equal(feed_readers(feed), 1);
	close(slow);
	close(fd);
	assert_true(rig_until(&rig, nobody_reads, NULL, 2000));
}

static void forgets_who_left(void **state)
{
	int fd[20];

	(void)state;
	for (int i = 0; i < 20; i++)
		fd[i] = watch(NULL);
	assert_int_equal(feed_readers(feed), 20);
	for (int i = 0; i < 20; i++)
		close(fd[i]);
	assert_true(rig_until(&rig, nobody_reads, NULL, 2000));
	publish(3);
}

static void ends_in_order_when_the_daemon_stops(void **state)
{
	int fd = watch(NULL);

	(void)state;
	feed_free(feed);
	assert_true(rig_read(&rig, fd, "0\r\n\r\n", out, sizeof(out)));
	close(fd);
	feed = feed_new(rig.base, "boot8");
}

static void takes_the_id_from_the_query_too(void **state)
{
	static const char request[] =
		"GET /v1/watch?last_event_id=boot7-2 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int fd = rig_connect(&rig);

	(void)state;
	publish(3);
	rig_send(&rig, fd, request, sizeof(request) - 1);
	assert_true(rig_read(&rig, fd, "id: boot7-3\n", out, sizeof(out)));
	assert_null(strstr(out, "boot7-2\n"));
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_readers_what_happens),
		TEST(resumes_behind_the_last_id),
		TEST(resets_whom_it_does_not_know),
		TEST(replays_all_that_is_kept),
		TEST(drops_who_falls_behind),
		TEST(forgets_who_left),
		TEST(ends_in_order_when_the_daemon_stops),
		TEST(takes_the_id_from_the_query_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
