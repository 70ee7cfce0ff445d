// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// sluicectl: parse, connect, run one command, say how it went by exit status.

#include "ctl/cli/cli.h"
#include "ctl/cli/cmd_help.h"
#include "ctl/cli/nouns.h"
#include "version.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

// A reader that has seen enough (head, less) is no failure; a full disk is.
static int flush(struct cli *c, int rc)
{
	int error = out_flush(c->out);

	if (!error || error == EPIPE)
		return rc;
	out_say(c->out, "cannot write: %s", strerror(error));
	return rc ? rc : API_FAILURE;
}

static int help(struct cli *c)
{
	cmd_help_write(c->call, stdout);
	return flush(c, API_OK);
}

static int version(struct cli *c)
{
	puts("sluicectl " SLUICE_VERSION);
	return flush(c, API_OK);
}

static int run(struct cli *c)
{
	struct api_error err = {0};
	char sentence[256];
	int rc = cli_duration(c, "timeout", CLI_TIMEOUT_MS, &c->target.timeout_ms);

	if (rc)
		return rc;
	if (cli_target(c, sentence, sizeof(sentence))) {
		out_say(c->out, "%s", sentence);
		return API_USAGE;
	}
	c->api = api_client_new(&c->target, &err);
	if (!c->api)
		return cli_fail(c, &err);
	rc = flush(c, cmd_of(c->call)->run(c));
	api_client_free(c->api);
	return rc;
}

static int dispatch(struct cli *c, int argc, const char *usage)
{
	if (argc < 2) {
		cmd_help_write(c->call, stderr);
		return API_USAGE;
	}
	if (usage) {
		out_say(c->out, "%s", usage);
		return API_USAGE;
	}
	if (c->call->help)
		return help(c);
	return cmd_value(c->call, "version") ? version(c) : run(c);
}

int main(int argc, char **argv)
{
	struct cmd_call call;
	struct cli c = {.call = &call};
	char err[512];
	int rc;

	signal(SIGPIPE, SIG_IGN);
	rc = cmd_parse(&cmd_root, argc, argv, &call, err, sizeof(err));
	c.out = cmd_value(&call, "json") ? out_json_new() : out_text_new(out_terminal_width());
	if (c.out)
		rc = dispatch(&c, argc, rc ? err : NULL);
	else
		rc = API_FAILURE;
	out_free(c.out);
	cmd_call_fini(&call);
	return rc;
}
