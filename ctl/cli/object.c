// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/object.h"

#include "ctl/api/resource_check.h"
#include "ctl/cli/object_rules.h"
#include "ctl/cli/object_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_TRIES 5

const struct cmd_flag object_dry_run[] = {
	{.name = "dry-run", .letter = 'n', .help = "check only, change nothing"}, {.name = NULL}};

static const struct resource *resource_of(const struct object *o)
{
	return resource_find(o->noun);
}

static const char *query_of(const struct cli *c)
{
	return cmd_value(c->call, "dry-run") ? "dry_run=true" : NULL;
}

// Names of streams were checked while parsing; ids are checked here.
static int check_id(struct cli *c, const struct object *o)
{
	struct cmd_arg a;

	if (cmd_arg_at(cmd_of(c->call), 0, &a) && a.field && a.field->flags & RESOURCE_KEY)
		return API_OK;
	return cli_check_id(c, o->noun, c->call->args[0]);
}

int object_add(struct cli *c)
{
	const struct object *o = cmd_of(c->call)->data;
	json_t *doc;
	int rc = cli_call(
		c, "POST", resource_of(o)->collection, NULL, query_of(c), c->call->doc, &doc);

	if (rc)
		return rc;
	if (!query_of(c))
		rc = object_wait(c, o, &doc);
	if (doc)
		out_document(c->out, doc, &o->line, 1);
	if (query_of(c))
		out_say(c->out, "only checked, nothing was changed");
	else if (doc && !rc)
		rc = object_verdict(c, o, doc);
	if (doc && !rc && !query_of(c) && o->hint_added)
		o->hint_added(c, doc);
	json_decref(doc);
	return rc;
}

// One try: the intent that GET gave, with our fields put in, goes back if nobody was faster.
static enum api_exit put(
	struct cli *c, const char *path, const char *path_put, json_t **out, struct api_error *err)
{
	const struct object *o = cmd_of(c->call)->data;
	char etag[128];
	json_t *doc, *intent, *mine;
	enum api_exit rc = api_call(c->api, "GET", path, NULL, &doc, err);

	if (rc)
		return rc;
	snprintf(etag, sizeof(etag), "%s", api_etag(c->api));
	intent = resource_intent(resource_of(o), doc);
	mine = json_copy(c->call->doc);
	rc = rules_join(c, intent, mine, err);
	json_object_update(intent, mine);
	json_decref(mine);
	if (!rc)
		rc = api_call_match(c->api, "PUT", path_put, *etag ? etag : NULL, intent, out, err);
	json_decref(intent);
	json_decref(doc);
	return rc;
}

int object_set(struct cli *c)
{
	const struct object *o = cmd_of(c->call)->data;
	const char *collection = resource_of(o)->collection, *name = c->call->args[0];
	struct api_error err = {.exit = API_FAILURE, .detail = "out of memory"};
	char *path, *path_put;
	json_t *doc = NULL;
	enum api_exit rc = API_FAILURE;

	if (json_object_size(c->call->doc) < 2) {
		out_say(c->out, "nothing to set, see: sluicectl %s set --help", o->noun);
		return API_USAGE;
	}
	path = cli_path(collection, name, NULL);
	path_put = cli_path(collection, name, query_of(c));
	for (int i = 0; path && path_put && i < SET_TRIES; i++) {
		rc = put(c, path, path_put, &doc, &err);
		if (err.status != 412)
			break;
	}
	free(path);
	free(path_put);
	if (rc)
		return cli_fail(c, &err);
	out_document(c->out, doc, &o->line, 1);
	rules_say(c, doc);
	if (query_of(c))
		out_say(c->out, "only checked, nothing was changed");
	json_decref(doc);
	return API_OK;
}

// The API's list in one piece.
static json_t *list_of(json_t *items)
{
	return items ? json_pack("{s:o, s:n}", "items", items, "next") : NULL;
}

static int check_stream(struct cli *c, const char *name)
{
	char why[256];

	if (!resource_check_stream(name, why, sizeof(why)))
		return API_OK;
	out_say(c->out, "STREAM: %s", why);
	return API_USAGE;
}

int object_list(struct cli *c)
{
	const struct object *o = cmd_of(c->call)->data;
	const char *stream = c->call->n_args ? c->call->args[0] : NULL;
	struct api_error err = {.exit = API_FAILURE, .detail = "out of memory"};
	char query[RESOURCE_STREAM_MAX + 16], *path;
	json_t *items = NULL, *doc;
	enum api_exit rc = API_FAILURE;

	if (stream && check_stream(c, stream))
		return API_USAGE;
	snprintf(query, sizeof(query), "stream=%s", stream ? stream : "");
	path = cli_path(resource_of(o)->collection, NULL, stream ? query : NULL);
	if (path)
		rc = api_list(c->api, path, &items, &err);
	free(path);
	if (rc)
		return cli_fail(c, &err);
	doc = list_of(items);
	out_document(c->out, doc, &o->list, 1);
	json_decref(doc);
	return API_OK;
}

int object_show(struct cli *c)
{
	const struct object *o = cmd_of(c->call)->data;
	json_t *doc = NULL;
	int rc = check_id(c, o);

	if (!rc)
		rc = cli_call(
			c, "GET", resource_of(o)->collection, c->call->args[0], NULL, NULL, &doc);
	if (rc)
		return rc;
	out_document(c->out, doc, (struct out_view[]){o->record, o->below}, o->below.cols ? 2 : 1);
	json_decref(doc);
	return API_OK;
}

int object_del(struct cli *c)
{
	const struct object *o = cmd_of(c->call)->data;
	json_t *doc = NULL;
	int rc = check_id(c, o);

	if (!rc)
		rc = cli_call(c, "DELETE", resource_of(o)->collection, c->call->args[0],
			query_of(c), NULL, &doc);
	if (!rc)
		out_done(c->out, doc, "%s %s %s%s", o->noun, c->call->args[0],
			query_of(c) ? "would be " : "", o->gone);
	if (!rc && !query_of(c) && o->hint_deleted)
		o->hint_deleted(c, c->call->args[0]);
	json_decref(doc);
	return rc;
}
