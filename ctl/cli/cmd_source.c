// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"
#include "ctl/cli/object.h"

static const struct out_col line[] = {
	{"ID", "id"}, {"STREAM", "stream"}, {"URL", "url"}, {"STATE", "state"}};

static const struct out_col list_cols[] = {
	{"ID", "id"},
	{"STREAM", "stream", .give = 1},
	{"URL", "url", .give = 1},
	{"STATE", "state"},
	{"RX", "rx_packets", OUT_COUNT},
	{"BYTES", "rx_bytes", OUT_BYTES, 4},
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
	{"received packets", "rx_packets", OUT_COUNT},
	{"received bytes", "rx_bytes", OUT_BYTES},
};

static const struct object source = {
	.noun = "source",
	.list = {OUT_TABLE, "items", NULL, list_cols, NOUN_COUNT(list_cols),
		"no sources, add one: sluicectl source add STREAM udp://:5000"},
	.record = {OUT_RECORD, NULL, NULL, record, NOUN_COUNT(record)},
	.line = {OUT_LINE, NULL, NULL, line, NOUN_COUNT(line)},
	.gone = "deleted",
	.waits = true,
};

static const struct cmd cmd_add =
	OBJECT_ADD(source, "bind an address as the input of a stream", OBJECT_WAITS);
static const struct cmd cmd_list = OBJECT_LIST(source, "all sources");
static const struct cmd cmd_show = OBJECT_SHOW(source, "one source");
static const struct cmd cmd_del = OBJECT_DEL(source, "stop fetching");
static const struct cmd *const subs[] = {&cmd_add, &cmd_list, &cmd_show, &cmd_del, NULL};

const struct cmd cmd_source = {
	.name = "source", .help = "streams that are fetched or bound here", .subs = subs};
