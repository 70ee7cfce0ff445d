// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"
#include "ctl/cli/object.h"

static const struct out_col line[] = {{"KID", "kid"}, {"PREFIX", "prefix"}, {"STATE", "state"}};

static const struct out_col list_cols[] = {
	{"KID", "kid"},
	{"PREFIX", "prefix", .give = 1},
	{"STATE", "state"},
	{"AGE", "since", OUT_SINCE},
	{"ERROR", "error", .give = 2},
};

static const struct out_col record[] = {
	{"kid", "kid"},
	{"prefix", "prefix"},
	{"state", "state"},
	{"since", "since"},
	{"error", "error"},
	{"key", "key"},
};

static const struct object key = {
	.noun = "key",
	.list = {OUT_TABLE, "items", NULL, list_cols, NOUN_COUNT(list_cols),
		"no signing keys, make one: sluicectl key rotate"},
	.record = {OUT_RECORD, NULL, NULL, record, NOUN_COUNT(record)},
	.line = {OUT_LINE, NULL, NULL, line, NOUN_COUNT(line)},
	.gone = "revoked",
};

static const struct cmd cmd_list =
	OBJECT_LIST(key, "all signing keys, without the keys themselves");
static const struct cmd cmd_show = OBJECT_SHOW(key, "one signing key and the key itself");
static const struct cmd cmd_rotate = {
	.name = "rotate",
	.help = "make the next signing key",
	.more = "The key before it stays valid, so that tokens live on; an older one goes, and\n"
		"lets nobody in any more. Who is in stays.",
	.noun = "key",
	.fields = CMD_FIELDS_NEW,
	.run = object_add,
	.data = &key,
};
static const struct cmd cmd_revoke = {
	.name = "revoke",
	.help = "take a signing key away, and close what its tokens let in",
	.noun = "key",
	.fields = CMD_FIELDS_ID,
	.run = object_del,
	.data = &key,
};
static const struct cmd *const subs[] = {&cmd_list, &cmd_show, &cmd_rotate, &cmd_revoke, NULL};

const struct cmd cmd_key = {.name = "key", .help = "what tokens are signed with", .subs = subs};
