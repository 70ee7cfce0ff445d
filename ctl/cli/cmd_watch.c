// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/ts.h"
#include "ctl/cli/cli.h"
#include "ctl/cli/nouns.h"
#include "ctl/cli/watch_text.h"

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

static bool on_event(const char *id, const char *type, const json_t *data, void *arg)
{
	struct watch *w = arg;
	char text[1024];

	watch_text(type, data, text, sizeof(text));
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

static void wait_for_daemon(void)
{
	nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
}

// The daemon may be started anew while we watch: go on behind the last event, if it comes back
// within the time-out. One that never answered is an error at once.
static int watch(struct cli *c)
{
	struct watch w = {.cli = c};
	struct api_error err = {0};
	bool was_up = false;
	ts_us until = 0;
	int rc = parse_count(c, &w.limit);

	if (rc)
		return rc;
	for (;;) {
		const char *last_id = *w.last_id ? w.last_id : NULL;

		rc = (int)api_watch(c->api, "/v1/watch", last_id, on_event, &w, &err);
		if (rc != API_UNREACHABLE)
			break;
		if (api_status(c->api) == 200) {
			if (!until)
				out_say(c->out, "sluiced is gone, waiting for it");
			was_up = true;
			until = ts_now() + c->target.timeout_ms * (ts_us)TS_MS;
		}
		if (!was_up || ts_now() > until)
			break;
		wait_for_daemon();
	}
	return rc ? cli_fail(c, &err) : rc;
}

static const struct cmd_flag flags[] = {
	{.name = "count", .meta = "N", .help = "end after N events"}, {.name = NULL}};

const struct cmd cmd_watch = {
	.name = "watch",
	.help = "what happens, as it happens",
	.more = "Runs until Ctrl-C; with --json one object a line. When sluiced is started anew "
		"it\n"
		"goes on where it was.\n\n"
		"Numbers of refusals are those on the wire. libsrt and its documents say 1000\n"
		"less: 2404, no such stream, is its SRT_REJX_NOTFOUND 1404; 1010, a wrong\n"
		"passphrase, its SRT_REJ_BADSECRET 10.",
	.flags = flags,
	.run = watch,
};
