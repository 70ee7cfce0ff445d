#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The verbs that all nouns share: add, set, list, show, del. A noun gives its columns, as `data` of
// its commands.

#include "ctl/cli/cli.h"

struct object {
	const char *noun;		    // of the resource table
	struct out_view list, record, line; // line: what `add` answers
	struct out_view below;		    // the record; no columns: nothing
	const char *gone; // what happened to one that was deleted: "deleted", "kicked"
	bool waits;	  // add: wait until it is active
	void (*hint_added)(struct cli *c, const json_t *doc);  // NULL: nothing to say
	void (*hint_deleted)(struct cli *c, const char *name); // likewise
};

int object_add(struct cli *c);
int object_set(struct cli *c);
int object_list(struct cli *c);
int object_show(struct cli *c);
int object_del(struct cli *c);

// The flag of add, set and del; ends in a NULL name.
extern const struct cmd_flag object_dry_run[];

// Commands with these verbs. o: the struct object, called as its noun is.
#define OBJECT_ADD(o, what, text)                                                                \
	{                                                                                        \
		.name = "add", .help = what, .more = text, .noun = #o, .fields = CMD_FIELDS_NEW, \
		.flags = object_dry_run, .run = object_add, .data = &o                           \
	}
#define OBJECT_LIST(o, what)                                                 \
	{                                                                    \
		.name = "list", .help = what, .run = object_list, .data = &o \
	}
#define OBJECT_SHOW(o, what)                                                       \
	{                                                                          \
		.name = "show", .help = what, .noun = #o, .fields = CMD_FIELDS_ID, \
		.run = object_show, .data = &o                                     \
	}
#define OBJECT_DEL(o, what)                                                       \
	{                                                                         \
		.name = "del", .help = what, .noun = #o, .fields = CMD_FIELDS_ID, \
		.flags = object_dry_run, .run = object_del, .data = &o            \
	}
#define OBJECT_KICK(o, what)                                                       \
	{                                                                          \
		.name = "kick", .help = what, .noun = #o, .fields = CMD_FIELDS_ID, \
		.run = object_del, .data = &o                                      \
	}

// How rules of addresses are read.
#define OBJECT_RULES                                                                         \
	"Rules (--allow, --deny) are read in their order, the first that matches decides.\n" \
	"Who matches none may come in where all rules are denials; one --allow among them\n" \
	"keeps everybody else out. A caller has to pass the listener's and the stream's."

// What `add` of an object that waits says in its help.
#define OBJECT_WAITS \
	"Waits up to 2 s: exit status 0 when it is active, 8 with the reason when it is not."
