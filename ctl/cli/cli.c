// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/cli.h"

#include "base/rundir.h"
#include "ctl/cli/fmt.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define SOCKET_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

// An empty variable counts as not set.
static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static enum api_exit bad(char *err, size_t cap, const char *sentence)
{
	snprintf(err, cap, "%s", sentence);
	return API_USAGE;
}

enum api_exit cli_target(struct cli *c, char *err, size_t cap)
{
	const char *socket = cmd_value(c->call, "socket"), *url = cmd_value(c->call, "url"),
		   *token = cmd_value(c->call, "token-file");

	if (socket && url)
		return bad(err, cap, "--socket and --url name two daemons, give one of them");
	if ((socket && !*socket) || (url && !*url))
		return bad(err, cap, socket ? "--socket is empty" : "--url is empty");
	if (!socket && !url)
		url = env("SLUICE_URL");
	if (!socket && !url && rundir_path("api.sock", c->socket_path, sizeof(c->socket_path)))
		return bad(err, cap, "the path of the run directory is too long");
	if (!socket && !url)
		socket = c->socket_path;
	if (socket && strlen(socket) > SOCKET_MAX)
		return bad(err, cap, "the path of the socket is too long, at most 107 bytes");
	c->target.socket = socket;
	c->target.url = url;
	c->target.token_file = token ? token : url ? env("SLUICE_TOKEN_FILE") : NULL;
	c->target.cacert = cmd_value(c->call, "cacert");
	return API_OK;
}

int cli_fail(struct cli *c, const struct api_error *err)
{
	const char *hint = "";

	if (err->exit == API_UNREACHABLE && c->target.url)
		hint = "; is sluiced running there, and does it listen on that address?";
	else if (err->exit == API_UNREACHABLE)
		hint = "; start sluiced, or name its socket with --socket";
	else if (err->exit == API_REFUSED && !err->status && !c->target.url)
		hint = "; be root or a member of the group sluice";
	out_say(c->out, "%s%s", err->detail, hint);
	return (int)err->exit;
}

static int empty_answer(struct api_error *err)
{
	*err = (struct api_error){.exit = API_FAILURE, .detail = "the answer of sluiced is empty"};
	return API_FAILURE;
}

char *cli_path(const char *collection, const char *name, const char *query)
{
	char *path = api_path(collection, name), *whole = NULL;

	if (!query || !path)
		return path;
	if (asprintf(&whole, "%s?%s", path, query) < 0)
		whole = NULL;
	free(path);
	return whole;
}

int cli_call(struct cli *c, const char *method, const char *collection, const char *name,
	const char *query, const json_t *body, json_t **out)
{
	struct api_error err = {0};
	char *path = cli_path(collection, name, query);
	int rc = API_FAILURE;

	*out = NULL;
	if (path)
		rc = (int)api_call(c->api, method, path, body, out, &err);
	if (!rc && !*out && !strcmp(method, "GET"))
		rc = empty_answer(&err);
	if (rc)
		cli_fail(c, &err);
	free(path);
	return rc;
}

int cli_duration(struct cli *c, const char *flag, unsigned fallback, unsigned *ms)
{
	const char *text = cmd_value(c->call, flag);
	uint64_t v;

	*ms = fallback;
	if (!text)
		return API_OK;
	if (fmt_parse_duration(text, &v) || !v || v > UINT_MAX) {
		out_say(c->out,
			"--%s must be a time in seconds above 0, such as 5 or 500ms, not \"%s\"",
			flag, text);
		return API_USAGE;
	}
	*ms = (unsigned)v;
	return API_OK;
}

int cli_check_id(struct cli *c, const char *noun, const char *id)
{
	static const char ok[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	if (strspn(id, ok) == strlen(id) && strcmp(id, ".") && strcmp(id, ".."))
		return API_OK;
	out_say(c->out, "\"%.64s\" is not an id, see: sluicectl %s list", id, noun);
	return API_USAGE;
}
