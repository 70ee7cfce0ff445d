// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/http/feed.h"

#include "ctl/http/server.h"

#include <event2/event.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#define HEARTBEAT_S 15 // a peer that left without a word is found out by the kernel
#define BOOT_MAX 32

struct reader {
	LIST_ENTRY(reader) next;
	struct feed *feed;
	struct http_request *request;
	uint64_t at; // the next event to send
};

struct feed {
	char boot[BOOT_MAX];
	struct event *heartbeat;
	LIST_HEAD(, reader) readers;
	unsigned n_readers;
	uint64_t last, dropped; // number of the newest event, readers dropped
	char *kept[FEED_KEPT];	// frames as they travel; event n stands at n % FEED_KEPT
};

static uint64_t oldest(const struct feed *f)
{
	return f->last < FEED_KEPT ? 1 : f->last - FEED_KEPT + 1;
}

static void reader_free(struct reader *rd)
{
	LIST_REMOVE(rd, next);
	rd->feed->n_readers--;
	free(rd);
}

static void drop(struct reader *rd)
{
	rd->feed->dropped++;
	http_stream_drop(rd->request);
	reader_free(rd);
}

// Hand over what the reader may have: it frees itself when it fell behind.
static void pump(struct reader *rd)
{
	const struct feed *f = rd->feed;

	if (rd->at < oldest(f)) {
		drop(rd);
		return;
	}
	while (rd->at <= f->last && http_stream_queued(rd->request) < FEED_BUFFER_MAX) {
		const char *frame = f->kept[rd->at % FEED_KEPT];

		http_stream_send(rd->request, frame, strlen(frame));
		rd->at++;
	}
}

static void on_drained(struct http_request *r, void *arg)
{
	(void)r;
	pump(arg);
}

static void on_gone(struct http_request *r, void *arg)
{
	(void)r;
	reader_free(arg);
}

static void on_heartbeat(evutil_socket_t fd, short what, void *arg)
{
	static const char beat[] = ": still here\n\n";
	struct feed *f = arg;
	struct reader *rd;

	(void)fd;
	(void)what;
	LIST_FOREACH(rd, &f->readers, next)
	if (!http_stream_queued(rd->request))
		http_stream_send(rd->request, beat, sizeof(beat) - 1);
}

struct feed *feed_new(struct event_base *base, const char *boot)
{
	const struct timeval every = {.tv_sec = HEARTBEAT_S};
	struct feed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	snprintf(f->boot, sizeof(f->boot), "%s", boot);
	LIST_INIT(&f->readers);
	f->heartbeat = event_new(base, -1, EV_PERSIST, on_heartbeat, f);
	if (!f->heartbeat || event_add(f->heartbeat, &every)) {
		feed_free(f);
		return NULL;
	}
	return f;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	while (!LIST_EMPTY(&f->readers)) {
		struct reader *rd = LIST_FIRST(&f->readers);

		http_stream_end(rd->request);
		reader_free(rd);
	}
	if (f->heartbeat)
		event_free(f->heartbeat);
	for (size_t i = 0; i < FEED_KEPT; i++)
		free(f->kept[i]);
	free(f);
}

static void time_now(char *buf, size_t cap)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(buf, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, cap - n, ".%03ldZ", now.tv_nsec / 1000000);
}

// "id: ...\nevent: ...\ndata: {...}\n\n"; NULL when out of memory.
static char *frame_of(const char *id, const char *type, json_t *data)
{
	char time[40], *text, *frame = NULL;

	time_now(time, sizeof(time));
	json_object_set_new(data, "id", json_string(id));
	json_object_set_new(data, "time", json_string(time));
	json_object_set_new(data, "type", json_string(type));
	text = json_dumps(data, JSON_COMPACT);
	if (text && asprintf(&frame, "id: %s\nevent: %s\ndata: %s\n\n", id, type, text) < 0)
		frame = NULL;
	free(text);
	return frame;
}

uint64_t feed_publish(struct feed *f, const char *type, json_t *data)
{
	struct reader *rd = LIST_FIRST(&f->readers), *next;
	char id[BOOT_MAX + 24], *frame;

	snprintf(id, sizeof(id), "%s-%" PRIu64, f->boot, f->last + 1);
	frame = frame_of(id, type, data);
	json_decref(data);
	if (!frame)
		return 0;
	f->last++;
	free(f->kept[f->last % FEED_KEPT]);
	f->kept[f->last % FEED_KEPT] = frame;
	for (; rd; rd = next) {
		next = LIST_NEXT(rd, next);
		pump(rd);
	}
	return f->last;
}

unsigned feed_readers(const struct feed *f)
{
	return f->n_readers;
}

uint64_t feed_dropped(const struct feed *f)
{
	return f->dropped;
}

// Where a reader goes on that saw `id` last. Returns -ENOENT for an id that is not kept.
static int resume_at(const struct feed *f, const char *id, uint64_t *at)
{
	size_t len = strlen(f->boot);
	char *end;
	uint64_t n;

	if (strncmp(id, f->boot, len) || id[len] != '-' || id[len + 1] < '0' || id[len + 1] > '9')
		return -ENOENT;
	n = strtoull(id + len + 1, &end, 10);
	if (*end || n > f->last || n + 1 < oldest(f))
		return -ENOENT;
	*at = n + 1;
	return 0;
}

static void send_reset(struct reader *rd)
{
	json_t *data = json_object();
	char id[BOOT_MAX + 24], *frame;

	snprintf(id, sizeof(id), "%s-%" PRIu64, rd->feed->boot, rd->feed->last);
	frame = frame_of(id, "reset", data);
	json_decref(data);
	if (frame)
		http_stream_send(rd->request, frame, strlen(frame));
	free(frame);
}

void feed_serve(struct http_request *r, void *arg)
{
	struct feed *f = arg;
	const char *id = http_header(r, "Last-Event-ID");
	struct reader *rd;
	bool unknown;

	if (!strcmp(http_method(r), "HEAD")) {
		http_reply_data(r, 200, "text/event-stream", NULL, 0);
		return;
	}
	rd = calloc(1, sizeof(*rd));
	if (!rd) {
		http_reply_problem(r, 500, NULL, "out of memory");
		return;
	}
	id = id ? id : http_query(r, "last_event_id");
	*rd = (struct reader){.feed = f, .request = r, .at = f->last + 1};
	unknown = id && *id && resume_at(f, id, &rd->at);
	LIST_INSERT_HEAD(&f->readers, rd, next);
	f->n_readers++;
	http_stream_start(r, "text/event-stream", on_drained, on_gone, rd);
	http_stream_send(r, ": sluice\n\n", 10);
	if (unknown)
		send_reset(rd);
	pump(rd);
}
