// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/object_hints.h"

#include "ctl/api/resource_check.h"

#include <stdio.h>
#include <stdlib.h>

void hint_no_stream(struct cli *c, const json_t *route)
{
	const char *name = json_string_value(json_object_get(route, "stream"));
	char *path = name ? cli_path("streams", name, NULL) : NULL;
	struct api_error err = {0};
	json_t *doc = NULL;

	if (path && api_call(c->api, "GET", path, NULL, &doc, &err) == API_NOT_FOUND)
		out_say(c->out, "there is no stream %s yet: the route waits for it", name);
	json_decref(doc);
	free(path);
}

static size_t count(struct cli *c, const char *collection, const char *stream)
{
	char query[RESOURCE_STREAM_MAX + 16], *path;
	struct api_error err;
	json_t *items = NULL;
	size_t n = 0;

	snprintf(query, sizeof(query), "stream=%s", stream);
	path = cli_path(collection, NULL, query);
	if (path && !api_list(c->api, path, &items, &err))
		n = json_array_size(items);
	json_decref(items);
	free(path);
	return n;
}

void hint_left_behind(struct cli *c, const char *stream)
{
	size_t routes = count(c, "routes", stream), sources = count(c, "sources", stream);

	if (routes || sources)
		out_say(c->out,
			"its routes (%zu) and sources (%zu) stay, see: sluicectl %s list %s",
			routes, sources, routes ? "route" : "source", stream);
}
