// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"
#include "ctl/cli/object.h"

static const struct out_col list_cols[] = {
	{"ID", "id"},
	{"STREAM", "stream", .give = 1},
	{"PROTO", "proto"},
	{"PEER", "peer"},
	{"RX", "rx_packets", OUT_COUNT, 3},
	{"LOST", "lost_packets", OUT_COUNT},
	{"RECOVERED", "recovered_packets", OUT_COUNT, 4},
	{"RTT", "rtt_ms", OUT_MS, 2},
	{"LATENCY", "latency_ms", OUT_MS, 6},
	{"SINCE", "since", OUT_SINCE, 5},
};

static const struct out_col record[] = {
	{"id", "id"},
	{"stream", "stream"},
	{"protocol", "proto"},
	{"peer", "peer"},
	{"worker", "worker"},
	{"since", "since", OUT_SINCE},
	{"received packets", "rx_packets", OUT_COUNT},
	{"received bytes", "rx_bytes", OUT_BYTES},
	{"lost packets", "lost_packets", OUT_COUNT},
	{"recovered packets", "recovered_packets", OUT_COUNT},
	{"undecryptable packets", "undecryptable_packets", OUT_COUNT},
	{"round trip", "rtt_ms", OUT_MS},
	{"latency", "latency_ms", OUT_MS},
	{"encrypted", "encrypted"},
	{"cipher", "cipher"},
	{"stream id", "stream_id"},
	{"user", "user"},
	{"token", "token"},
	{"signed by", "kid"},
	{"bonded", "group"},
	{"link", "link_state"},
	{"redundant packets", "redundant_packets", OUT_COUNT},
};

static const struct out_col links[] = {
	{"LINK", "id"},
	{"PEER", "peer"},
	{"STATE", "state"},
	{"WEIGHT", "weight", OUT_COUNT, 3},
	{"RTT", "rtt_ms", OUT_MS},
	{"RX", "rx_packets", OUT_COUNT},
	{"FIRST", "unique_packets", OUT_COUNT},
	{"REDUNDANT", "redundant_packets", OUT_COUNT, 2},
	{"MISSED", "missed_packets", OUT_COUNT},
};

static const struct object pub = {
	.noun = "pub",
	.list = {OUT_TABLE, "items", NULL, list_cols, NOUN_COUNT(list_cols), "no publishers"},
	.record = {OUT_RECORD, NULL, NULL, record, NOUN_COUNT(record)},
	.below = {OUT_TABLE, "links", "links", links, NOUN_COUNT(links)},
	.gone = "kicked",
};

static const struct cmd_arg list_args[] = {
	{.name = "STREAM", .help = "only of this stream", .optional = true}, {.name = NULL}};
static const struct cmd cmd_list = {.name = "list",
	.help = "who is publishing",
	.args = list_args,
	.run = object_list,
	.data = &pub};
static const struct cmd cmd_show = OBJECT_SHOW(pub, "one publisher");
static const struct cmd cmd_kick =
	OBJECT_KICK(pub, "disconnect a publisher; a source of ours begins again");
static const struct cmd *const subs[] = {&cmd_list, &cmd_show, &cmd_kick, NULL};

const struct cmd cmd_pub = {.name = "pub", .help = "publishers: who is sending", .subs = subs};
