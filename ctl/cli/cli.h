#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// One run of sluicectl: what was typed, whom it talks to, where it prints. Commands get it, do
// their calls through it and return an exit code.

#include "ctl/api/client.h"
#include "ctl/cli/cmd.h"
#include "ctl/cli/out.h"

struct cli {
	const struct cmd_call *call;
	struct api_target target; // strings borrowed from argv, environment and socket_path
	char socket_path[256];
	struct api_client *api;
	struct out *out;
};

#define CLI_TIMEOUT_MS 10000u

// Find the daemon: flag, else environment, else the run directory's socket. Returns API_OK, or
// API_USAGE and one sentence in err.
enum api_exit cli_target(struct cli *c, char *err, size_t cap);

// Say what went wrong, and what to do about a daemon that does not answer. Returns err->exit.
int cli_fail(struct cli *c, const struct api_error *err);

// A path below /v1/: collection, name (NULL: the collection itself), query without "?" (NULL:
// none). The caller frees it.
char *cli_path(const char *collection, const char *name, const char *query);

// One call of such a path. As api_call, but a failure has been said when it returns, and GET gives
// a document or fails.
int cli_call(struct cli *c, const char *method, const char *collection, const char *name,
	const char *query, const json_t *body, json_t **out);

// A duration flag in milliseconds; `fallback` when it was not given. Returns API_OK, or API_USAGE
// after saying so.
int cli_duration(struct cli *c, const char *flag, unsigned fallback, unsigned *ms);

// An id from the command line must not reach another path than its own.
int cli_check_id(struct cli *c, const char *noun, const char *id);
