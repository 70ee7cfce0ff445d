// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"
#include "ctl/cli/object.h"

#include <stdio.h>

static const struct out_col list_cols[] = {
	{"ID", "id"},
	{"STREAM", "stream", .give = 1},
	{"PROTO", "proto"},
	{"PEER", "peer"},
	{"STATE", "state", .give = 2},
	{"TX", "tx_packets", OUT_COUNT, 4},
	{"RESENT", "retransmitted_packets", OUT_COUNT, 5},
	{"DROPPED", "dropped_packets", OUT_COUNT, 6},
	{"NAKS", "nak_packets", OUT_COUNT, 9},
	{"RTT", "rtt_ms", OUT_MS, 3},
	{"LATENCY", "latency_ms", OUT_MS, 8},
	{"SINCE", "since", OUT_SINCE, 7},
};

static const struct out_col record[] = {
	{"id", "id"},
	{"stream", "stream"},
	{"protocol", "proto"},
	{"peer", "peer"},
	{"worker", "worker"},
	{"state", "state"},
	{"since", "since", OUT_SINCE},
	{"sent packets", "tx_packets", OUT_COUNT},
	{"sent bytes", "tx_bytes", OUT_BYTES},
	{"resent packets", "retransmitted_packets", OUT_COUNT},
	{"dropped packets", "dropped_packets", OUT_COUNT},
	{"loss reports", "nak_packets", OUT_COUNT},
	{"round trip", "rtt_ms", OUT_MS},
	{"latency", "latency_ms", OUT_MS},
	{"encrypted", "encrypted"},
	{"cipher", "cipher"},
	{"stream id", "stream_id"},
	{"user", "user"},
	{"token", "token"},
	{"signed by", "kid"},
};

static const struct object sub = {
	.noun = "sub",
	.list = {OUT_TABLE, "items", NULL, list_cols, NOUN_COUNT(list_cols), "no subscribers"},
	.record = {OUT_RECORD, NULL, NULL, record, NOUN_COUNT(record)},
	.gone = "kicked",
};

static const struct cmd_arg list_args[] = {
	{.name = "STREAM", .help = "only of this stream", .optional = true}, {.name = NULL}};
static const struct cmd cmd_list = {.name = "list",
	.help = "who is watching",
	.args = list_args,
	.run = object_list,
	.data = &sub};
static const struct cmd cmd_show = OBJECT_SHOW(sub, "one subscriber");
static const struct cmd_flag kick_flags[] = {
	{.name = "ban", .meta = "S", .help = "and keep its address from the stream for so long"},
	{.name = NULL}};

static int kick(struct cli *c)
{
	const char *id = c->call->args[0];
	json_t *doc = NULL;
	char query[32];
	unsigned ms;
	int rc = cli_duration(c, "ban", 0, &ms);

	if (!rc)
		rc = cli_check_id(c, "sub", id);
	if (rc)
		return rc;
	snprintf(query, sizeof(query), "ban_s=%u", (ms + 999) / 1000);
	rc = cli_call(c, "DELETE", "subscribers", id, ms ? query : NULL, NULL, &doc);
	if (!rc && ms)
		out_done(c->out, doc, "sub %s kicked, its address banned from the stream for %u s",
			id, (ms + 999) / 1000);
	else if (!rc)
		out_done(c->out, doc, "sub %s kicked", id);
	json_decref(doc);
	return rc;
}

static const struct cmd cmd_kick = {
	.name = "kick",
	.help = "disconnect a subscriber",
	.more = "A route of ours begins again: route del ends it.\n"
		"A ban lasts until its time is over or the dataplane is started again. For good,\n"
		"and beside the bans that are there: stream set STREAM --deny ADDRESS, which\n"
		"counts for who calls from then on.",
	.noun = "sub",
	.fields = CMD_FIELDS_ID,
	.flags = kick_flags,
	.run = kick,
};
static const struct cmd *const subs[] = {&cmd_list, &cmd_show, &cmd_kick, NULL};

const struct cmd cmd_sub = {.name = "sub", .help = "subscribers: who is watching", .subs = subs};
