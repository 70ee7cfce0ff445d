// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"
#include "ctl/cli/object.h"
#include "ctl/cli/object_hints.h"

static const struct out_col line[] = {
	{"ID", "id"}, {"STREAM", "stream"}, {"URL", "url"}, {"STATE", "state"}};

static const struct out_col list_cols[] = {
	{"ID", "id"},
	{"STREAM", "stream", .give = 1},
	{"URL", "url", .give = 1},
	{"STATE", "state"},
	{"TX", "tx_packets", OUT_COUNT},
	{"BYTES", "tx_bytes", OUT_BYTES, 4},
	{"ERROR", "error", .give = 3},
};

static const struct out_col record[] = {
	{"id", "id"},
	{"stream", "stream"},
	{"url", "url"},
	{"node", "node"},
	{"state", "state"},
	{"error", "error"},
	{"passphrase", "passphrase"},
	{"sent packets", "tx_packets", OUT_COUNT},
	{"sent bytes", "tx_bytes", OUT_BYTES},
};

static const struct object route = {
	.noun = "route",
	.list = {OUT_TABLE, "items", NULL, list_cols, NOUN_COUNT(list_cols),
		"no routes, add one: sluicectl route add STREAM udp://HOST:5000"},
	.record = {OUT_RECORD, NULL, NULL, record, NOUN_COUNT(record)},
	.line = {OUT_LINE, NULL, NULL, line, NOUN_COUNT(line)},
	.gone = "deleted",
	.waits = true,
	.hint_added = hint_no_stream,
};

static const struct cmd cmd_add = OBJECT_ADD(route, "push a stream to an address", OBJECT_WAITS);
static const struct cmd cmd_list = OBJECT_LIST(route, "all routes");
static const struct cmd cmd_show = OBJECT_SHOW(route, "one route");
static const struct cmd cmd_del = OBJECT_DEL(route, "stop pushing");
static const struct cmd *const subs[] = {&cmd_add, &cmd_list, &cmd_show, &cmd_del, NULL};

const struct cmd cmd_route = {
	.name = "route", .help = "streams that are pushed somewhere", .subs = subs};
