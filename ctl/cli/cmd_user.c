// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"
#include "ctl/cli/object.h"

static const struct out_col line[] = {{"NAME", "name"}, {"MODE", "mode"}, {"STATE", "state"}};

static const struct out_col list_cols[] = {
	{"NAME", "name"},
	{"MODE", "mode"},
	{"PREFIX", "prefix", .give = 2},
	{"STATE", "state"},
	{"ERROR", "error", .give = 1},
};

static const struct out_col record[] = {
	{"name", "name"},
	{"prefix", "prefix"},
	{"mode", "mode"},
	{"passphrase", "passphrase"},
	{"state", "state"},
	{"error", "error"},
};

static const struct object user = {
	.noun = "user",
	.list = {OUT_TABLE, "items", NULL, list_cols, NOUN_COUNT(list_cols),
		"no users, add one: sluicectl user add NAME --mode publish --passphrase-file F"},
	.record = {OUT_RECORD, NULL, NULL, record, NOUN_COUNT(record)},
	.line = {OUT_LINE, NULL, NULL, line, NOUN_COUNT(line)},
	.gone = "deleted",
	.waits = true,
};

static const struct cmd cmd_add = OBJECT_ADD(user, "let callers that say u=NAME in",
	OBJECT_WAITS
	"\n"
	"The passphrase is the caller's for every stream of the prefix, in place of the stream's.");
static const struct cmd cmd_list = OBJECT_LIST(user, "all users");
static const struct cmd cmd_show = OBJECT_SHOW(user, "one user");
static const struct cmd cmd_del =
	OBJECT_DEL(user, "delete a user, and end the sessions that came by it");
static const struct cmd *const subs[] = {&cmd_add, &cmd_list, &cmd_show, &cmd_del, NULL};

const struct cmd cmd_user = {
	.name = "user", .help = "who comes in with a passphrase of its own", .subs = subs};
