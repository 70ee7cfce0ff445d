#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The verbs that all nouns share: add, set, list, show, del. A noun gives its columns, as `data` of
// its commands.

#include "ctl/cli/cli.h"

struct object {
	const char *noun;		    // of the resource table
	struct out_view list, record, line; // line: what `add` answers
	const char *gone; // what happened to one that was deleted: "deleted", "kicked"
	bool waits;	  // add: wait until it is active
};

int object_add(struct cli *c);
int object_set(struct cli *c);
int object_list(struct cli *c);
int object_show(struct cli *c);
int object_del(struct cli *c);

// The flag of add, set and del; ends in a NULL name.
extern const struct cmd_flag object_dry_run[];
