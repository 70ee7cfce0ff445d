// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/cli.h"
#include "ctl/cli/nouns.h"

#include <stdio.h>
#include <stdlib.h>

// The removal guard (decisions B2) held a sync back; an operator may overrule it.
static int sync_node(struct cli *c)
{
	const char *node = c->call->args[0];
	char *name = NULL;
	json_t *doc = NULL;
	int rc = cli_check_id(c, "node", node);

	if (rc)
		return rc;
	if (!cmd_value(c->call, "force")) {
		out_say(c->out, "node sync removes what was held back, say so with --force");
		return API_USAGE;
	}
	if (asprintf(&name, "%s/sync", node) < 0)
		return API_FAILURE;
	rc = cli_call(c, "POST", "nodes", name, "force=true", NULL, &doc);
	if (!rc)
		out_done(c->out, doc, "node %s is as the store says", node);
	json_decref(doc);
	free(name);
	return rc;
}

static const struct cmd_arg args[] = {
	{.name = "NAME", .help = "of the node, as status shows it"}, {.name = NULL}};
static const struct cmd_flag flags[] = {
	{.name = "force", .help = "remove what the removal guard held back"}, {.name = NULL}};

static const struct cmd cmd_sync = {
	.name = "sync",
	.help = "bring the dataplane to what the store says",
	.more = "Needed when status says held: more than 20 objects and more than 20 % would go at "
		"once.",
	.args = args,
	.flags = flags,
	.run = sync_node,
};
static const struct cmd *const subs[] = {&cmd_sync, NULL};

const struct cmd cmd_node = {.name = "node", .help = "nodes of the fleet", .subs = subs};
