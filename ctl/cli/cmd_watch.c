// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/ts.h"
#include "ctl/cli/cli.h"
#include "ctl/cli/nouns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 200u

// What the feed has shown so far.
struct watch {
	struct cli *cli;
	char last_id[128];
	unsigned long seen, limit; // limit 0: endless
};

static void append(char *text, size_t cap, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t cap, const char *fmt, ...)
{
	size_t at = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + at, cap - at, fmt, ap);
	va_end(ap);
}

static void append_value(char *text, size_t cap, const char *key, const json_t *v)
{
	if (json_is_string(v))
		append(text, cap, "  %s %s", key, json_string_value(v));
	else if (json_is_number(v))
		append(text, cap, "  %s %.15g", key, json_number_value(v));
	else if (json_is_boolean(v))
		append(text, cap, "  %s%s", json_is_true(v) ? "" : "not ", key);
}

// "12:00:01.123  stream      cam1  state live": time, type, then what the event says.
static void lay_out(const char *type, const json_t *data, char *text, size_t cap)
{
	const char *time = json_string_value(json_object_get(data, "time")), *key;
	const char *clock = time ? strchr(time, 'T') : NULL;
	json_t *v;

	text[0] = 0;
	append(text, cap, "%.12s  %-10s", clock ? clock + 1 : "-", type);
	json_object_foreach((json_t *)data, key, v)
	{
		if (strcmp(key, "id") && strcmp(key, "time") && strcmp(key, "type"))
			append_value(text, cap, key, v);
	}
}

static bool on_event(const char *id, const char *type, const json_t *data, void *arg)
{
	struct watch *w = arg;
	char text[1024];

	lay_out(type, data, text, sizeof(text));
	out_event(w->cli->out, data, text);
	if (id)
		snprintf(w->last_id, sizeof(w->last_id), "%s", id);
	return !out_flush(w->cli->out) && ++w->seen != w->limit;
}

static int parse_count(struct cli *c, unsigned long *n)
{
	const char *text = cmd_value(c->call, "count");
	char *end;

	*n = text ? strtoul(text, &end, 10) : 0;
	if (!text || (*n && !*end && *text != '-' && strlen(text) < 10))
		return API_OK;
	out_say(c->out, "--count must be a whole number above 0, not \"%s\"", text);
	return API_USAGE;
}

// The daemon may be started anew while we watch: resume behind the last event, within the time-out.
static int watch(struct cli *c)
{
	struct watch w = {.cli = c};
	struct api_error err = {0};
	ts_us until = 0;
	int rc = parse_count(c, &w.limit);

	while (!rc) {
		unsigned long seen = w.seen;

		rc = (int)api_watch(
			c->api, "/v1/watch", *w.last_id ? w.last_id : NULL, on_event, &w, &err);
		if (rc != API_UNREACHABLE || !*w.last_id)
			break;
		if (seen != w.seen || !until) {
			out_say(c->out, "sluiced is gone, waiting for it");
			until = ts_now() + c->target.timeout_ms * TS_MS;
		}
		if (ts_now() > until)
			break;
		nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
		rc = API_OK;
	}
	return rc && err.exit ? cli_fail(c, &err) : rc;
}

static const struct cmd_flag flags[] = {
	{.name = "count", .meta = "N", .help = "end after N events"}, {.name = NULL}};

const struct cmd cmd_watch = {
	.name = "watch",
	.help = "what happens, as it happens",
	.more = "Runs until Ctrl-C; with --json one object a line. When sluiced is started anew "
		"it\n"
		"goes on where it was.",
	.flags = flags,
	.run = watch,
};
