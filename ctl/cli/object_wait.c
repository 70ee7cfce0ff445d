// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/object_wait.h"

#include "base/ts.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS 2000u
#define POLL_FIRST_MS 10u
#define POLL_MAX_MS 160u

static const char *text(const json_t *doc, const char *field)
{
	const char *s = json_string_value(json_object_get(doc, field));

	return s ? s : "";
}

// A name may still be resolved, and a port may be taken by the one that just goes.
static bool is_settled(const json_t *doc)
{
	return strcmp(text(doc, "state"), "pending") && strcmp(text(doc, "state"), "unresolved");
}

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

int object_wait(struct cli *c, const struct object *o, json_t **doc)
{
	const struct resource *r = resource_find(o->noun);
	ts_us until = ts_now() + WAIT_MS * TS_MS;
	char id[160];

	snprintf(id, sizeof(id), "%s", text(*doc, r->id));
	for (unsigned ms = POLL_FIRST_MS; o->waits && !is_settled(*doc) && ts_now() < until;
		ms = ms < POLL_MAX_MS ? 2 * ms : ms) {
		json_t *now;
		int rc;

		pause_ms(ms);
		rc = cli_call(c, "GET", r->collection, id, NULL, NULL, &now);
		if (rc)
			return rc;
		json_decref(*doc);
		*doc = now;
	}
	return API_OK;
}

static bool dataplane_is_away(struct cli *c)
{
	struct api_error err;
	json_t *status;
	bool away = false;

	if (!api_call(c->api, "GET", "/v1/status", NULL, &status, &err))
		away = !strcmp(text(status, "dataplane"), "away");
	json_decref(status);
	return away;
}

int object_verdict(struct cli *c, const struct object *o, const json_t *doc)
{
	const char *id = text(doc, resource_find(o->noun)->id), *state = text(doc, "state"),
		   *error = text(doc, "error");

	if (o->waits && !strcmp(state, "active"))
		return API_OK;
	if (dataplane_is_away(c)) {
		out_say(c->out, "%s %s is stored, but the dataplane is away: start sluice-dp",
			o->noun, id);
		return API_DEGRADED;
	}
	if (!o->waits)
		return API_OK;
	out_say(c->out, "%s %s is stored, but %s%s%s", o->noun, id,
		strcmp(state, "error") ? state : "not active", *error ? ": " : "", error);
	return API_DEGRADED;
}
