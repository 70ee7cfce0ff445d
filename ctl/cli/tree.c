// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"

// Shown in the list of commands; the parser knows the word itself.
static const struct cmd cmd_help = {.name = "help", .help = "help for a command: help stream add"};

static const struct cmd *const nouns[] = {&cmd_status, &cmd_listener, &cmd_stream, &cmd_source,
	&cmd_route, &cmd_user, &cmd_token, &cmd_key, &cmd_sub, &cmd_pub, &cmd_node, &cmd_watch,
	&cmd_doctor, &cmd_help, NULL};

static const struct cmd_flag flags[] = {
	{.name = "socket", .meta = "PATH", .help = "unix socket of sluiced"},
	{.name = "url", .meta = "URL", .help = "a sluiced elsewhere: http://127.0.0.1:8680"},
	{.name = "token-file", .meta = "F", .help = "bearer token for --url, first line of F"},
	{.name = "cacert", .meta = "F", .help = "certificates to trust for https, PEM"},
	{.name = "json", .help = "print exactly what the API returns"},
	{.name = "timeout", .meta = "S", .help = "give up after S seconds, 10 unless said"},
	{.name = "help", .letter = 'h', .help = "help for the command it stands with"},
	{.name = "version", .help = "print the version"},
	{.name = NULL},
};

const struct cmd cmd_root = {
	.name = "sluicectl",
	.help = "steers the media relay Sluice",
	.more = "Talks to sluiced: by --socket or --url, else $SLUICE_URL (and "
		"$SLUICE_TOKEN_FILE), else\n"
		"api.sock in the run directory ($SLUICE_RUN_DIR, /run/sluice as root).\n"
		"Exit status: 0 ok, 1 failure, 2 usage, 3 not found, 4 conflict, 5 refused,\n"
		"6 sluiced unreachable, 7 time-out, 8 degraded.",
	.subs = nouns,
	.flags = flags,
};
