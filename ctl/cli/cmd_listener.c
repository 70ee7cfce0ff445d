// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/nouns.h"
#include "ctl/cli/object.h"

static const struct out_col line[] = {{"ID", "id"}, {"URL", "url"}, {"STATE", "state"}};

static const struct out_col list_cols[] = {
	{"ID", "id"},
	{"URL", "url", .give = 2},
	{"STATE", "state"},
	{"OPEN", "open"},
	{"MODE", "default_mode"},
	{"STREAM", "default_stream", .give = 3},
	{"LATENCY", "latency_ms", OUT_MS, .give = 4},
	{"ERROR", "error", .give = 1},
};

static const struct out_col record[] = {
	{"id", "id"},
	{"url", "url"},
	{"node", "node"},
	{"state", "state"},
	{"error", "error"},
	{"open", "open"},
	{"default mode", "default_mode"},
	{"default stream", "default_stream"},
	{"latency", "latency_ms", OUT_MS},
	{"rules", "acl"},
	{"dialects", "dialects"},
};

static const struct object listener = {
	.noun = "listener",
	.list = {OUT_TABLE, "items", NULL, list_cols, NOUN_COUNT(list_cols),
		"no listeners, add one: sluicectl listener add srt://:9000"},
	.record = {OUT_RECORD, NULL, NULL, record, NOUN_COUNT(record)},
	.line = {OUT_LINE, NULL, NULL, line, NOUN_COUNT(line)},
	.gone = "deleted",
	.waits = true,
};

#define STREAM_IDS                                                                         \
	"Stream ids that every listener takes, percent-encoded too:\n"                     \
	"  #!::r=NAME,m=publish|request[,u=USER][,sluice_token=TOKEN]   the standard\n"    \
	"  NAME                         as --default-mode says\n"                          \
	"  publish/NAME publish:NAME    also play/ play: read: request:\n"                 \
	"Dialects of other servers; without --dialects all but ome and srtrelay:\n"        \
	"  srs         NAME?token=TOKEN   #!::h=[VHOST/]NAME,m=publish\n"                  \
	"  mediamtx    publish:NAME:USER:PASSWORD   read:NAME:USER:PASSWORD\n"             \
	"  srtrelay    publish/NAME/PASSWORD   play/NAME/PASSWORD, NAME without slashes\n" \
	"  sls         uplive.sls.com/NAME   live.sls.com/NAME, NAME as in app/stream;\n"  \
	"              when named also uplive.* uplive-* live.* live-*\n"                  \
	"  openirl     NAME, opaque: --default-mode tells publishers from players\n"       \
	"  ome         VHOST/APP/STREAM[/PLAYLIST]   srt://HOST/APP/STREAM\n"              \
	"  restreamer  NAME,mode:publish|request,token:TOKEN"

static const struct cmd cmd_add = OBJECT_ADD(listener, "open a port for SRT callers",
	OBJECT_WAITS "\n"
		     "ADDR may be empty: srt://:9000 listens on every address.\n\n" OBJECT_RULES
		     "\n\n" STREAM_IDS);
static const struct cmd cmd_list = OBJECT_LIST(listener, "all listeners");
static const struct cmd cmd_show = OBJECT_SHOW(listener, "one listener");
static const struct cmd cmd_del =
	OBJECT_DEL(listener, "close a listener; its callers are disconnected");
static const struct cmd *const subs[] = {&cmd_add, &cmd_list, &cmd_show, &cmd_del, NULL};

const struct cmd cmd_listener = {
	.name = "listener", .help = "ports where SRT callers arrive", .subs = subs};
