// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"
#include "ctl/cli/object.h"
#include "ctl/cli/object_hints.h"

static const struct out_col line[] = {{"NAME", "name"}, {"STATE", "state"}};

static const struct out_col list_cols[] = {
	{"NAME", "name", .give = 1},
	{"STATE", "state"},
	{"SUBSCRIBERS", "subscribers", OUT_COUNT},
	{"RATE", "rx_bitrate", OUT_BITRATE},
	{"RX", "rx_packets", OUT_COUNT, 5},
	{"LOST", "lost_packets", OUT_COUNT},
	{"RECOVERED", "recovered_packets", OUT_COUNT, 3},
	{"TX", "tx_packets", OUT_COUNT, 2},
	{"RESENT", "retransmitted_packets", OUT_COUNT, 4},
	{"DECLARED", "declared", .give = 0},
};

static const struct out_col record[] = {
	{"name", "name"},
	{"state", "state"},
	{"declared", "declared"},
	{"publisher", "publisher"},
	{"subscribers", "subscribers", OUT_COUNT},
	{"received", "rx_bitrate", OUT_BITRATE},
	{"received packets", "rx_packets", OUT_COUNT},
	{"received bytes", "rx_bytes", OUT_BYTES},
	{"lost packets", "lost_packets", OUT_COUNT},
	{"recovered packets", "recovered_packets", OUT_COUNT},
	{"sent packets", "tx_packets", OUT_COUNT},
	{"sent bytes", "tx_bytes", OUT_BYTES},
	{"resent packets", "retransmitted_packets", OUT_COUNT},
	{"latency", "latency_ms", OUT_MS},
	{"history", "history_ms", OUT_MS},
	{"leg", "leg"},
	{"takeover", "takeover"},
	{"max subscribers", "max_subscribers", OUT_COUNT},
	{"repair percent", "repair_percent", OUT_COUNT},
	{"slow after", "slow_after_s", OUT_COUNT},
	{"publish passphrase", "publish_passphrase"},
	{"play passphrase", "play_passphrase"},
	{"cipher", "cryptomode"},
	{"key refresh", "km_refresh_packets", OUT_COUNT},
	{"publish auth", "publish_auth"},
	{"play auth", "play_auth"},
	{"hook", "hook"},
	{"hook failure", "hook_failure"},
	{"rules", "acl"},
};

static const struct object stream = {
	.noun = "stream",
	.list = {OUT_TABLE, "items", NULL, list_cols, NOUN_COUNT(list_cols),
		"no streams, declare one: sluicectl stream add NAME"},
	.record = {OUT_RECORD, NULL, NULL, record, NOUN_COUNT(record)},
	.line = {OUT_LINE, NULL, NULL, line, NOUN_COUNT(line)},
	.gone = "deleted",
	.hint_deleted = hint_left_behind,
};

static const struct cmd cmd_add = OBJECT_ADD(stream, "declare a stream", OBJECT_RULES);
static const struct cmd cmd_set = {
	.name = "set",
	.help = "change a stream",
	.more = "Only the flags given change. The value \"default\" goes back to the default.\n"
		"Limits hold at once, everything else for new sessions.\n\n" OBJECT_RULES "\n"
		"Those given here go in front of those that hold; --allow default and --deny\n"
		"default drop all of these, --forget one.",
	.noun = "stream",
	.fields = CMD_FIELDS_CHANGE,
	.flags = object_dry_run,
	.run = object_set,
	.data = &stream,
};
static const struct cmd cmd_list = OBJECT_LIST(stream, "all streams");
static const struct cmd cmd_show = OBJECT_SHOW(stream, "one stream");
static const struct cmd cmd_del =
	OBJECT_DEL(stream, "delete a stream; its publisher and subscribers are disconnected");
static const struct cmd *const subs[] = {&cmd_add, &cmd_set, &cmd_list, &cmd_show, &cmd_del, NULL};

const struct cmd cmd_stream = {
	.name = "stream", .help = "live streams, however they come and go", .subs = subs};
