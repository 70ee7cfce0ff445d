// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/cli.h"
#include "ctl/cli/nouns.h"
#include "ctl/dp/dp_drops.h"

#include <string.h>

static const struct out_col summary[] = {
	{"node", "node"},
	{"region", "region"},
	{"version", "version"},
	{"up", "uptime_s", OUT_SECONDS},
	{"dataplane", "dataplane"},
	{"dataplane version", "dataplane_version"},
	{"streams", "streams", OUT_COUNT},
	{"subscribers", "subscribers", OUT_COUNT},
};

static const struct out_col ports[] = {{"PORT", "name"}, {"KIND", "kind"}, {"MODE", "mode"}};

static const struct out_col workers[] = {
	{"WORKER", "id"},
	{"CORE", "core"},
	{"BUSY", "busy_ratio", OUT_RATIO},
	{"RX", "rx_packets", OUT_COUNT},
	{"RX/S", "rx_pps", OUT_COUNT},
	{"TX", "tx_packets", OUT_COUNT},
	{"TX/S", "tx_pps", OUT_COUNT},
};

static const char *drop_words(const char *name)
{
	static const struct {
		const char *name, *words;
	} drops[] = {
#define X(id, name, words) {name, words},
		DP_DROPS(X)
#undef X
	};

	for (size_t i = 0; i < NOUN_COUNT(drops); i++)
		if (!strcmp(name, drops[i].name))
			return drops[i].words;
	return "";
}

static const struct out_view views[] = {
	{OUT_RECORD, NULL, NULL, summary, NOUN_COUNT(summary)},
	{OUT_TABLE, "ports", NULL, ports, NOUN_COUNT(ports)},
	{OUT_TABLE, "workers", NULL, workers, NOUN_COUNT(workers)},
	{OUT_MAP, "drops", "DROPS", .words = drop_words},
};

// What keeps the node from doing what the store says. Returns the exit code.
static int verdict(struct cli *c, const json_t *doc)
{
	const char *dataplane = json_string_value(json_object_get(doc, "dataplane")),
		   *node = json_string_value(json_object_get(doc, "node")),
		   *secrets = json_string_value(json_object_get(doc, "secrets_error"));
	json_int_t held = json_integer_value(json_object_get(doc, "held"));

	if (!dataplane || strcmp(dataplane, "connected")) {
		out_say(c->out, "the dataplane is away: start sluice-dp");
		return API_DEGRADED;
	}
	if (json_is_false(json_object_get(doc, "store_ok"))) {
		out_say(c->out, "the store cannot be read: nothing can be changed");
		return API_DEGRADED;
	}
	if (secrets) {
		out_say(c->out, "%s", secrets);
		return API_DEGRADED;
	}
	if (!held)
		return API_OK;
	out_say(c->out,
		"%" JSON_INTEGER_FORMAT " objects would go at once and are held; if that is meant: "
		"sluicectl node sync --force %s",
		held, node ? node : "NAME");
	return API_DEGRADED;
}

static int status(struct cli *c)
{
	json_t *doc;
	int rc = cli_call(c, "GET", "status", NULL, NULL, NULL, &doc);

	if (rc)
		return rc;
	out_document(c->out, doc, views, NOUN_COUNT(views));
	rc = verdict(c, doc);
	json_decref(doc);
	return rc;
}

const struct cmd cmd_status = {
	.name = "status",
	.help = "the node on one screen",
	.more = "Exit status 8 while the dataplane is away or removals are held.",
	.run = status,
};
