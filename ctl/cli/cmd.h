#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The command tree: what may be typed, and what was. Help, parsing, suggestions and completion all
// walk the same tree. What a noun's fields are comes from the resource table (ctl/api), so that
// flags cannot drift from the API.

#include "ctl/api/resources.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

#define CMD_DEPTH_MAX 4
#define CMD_ARGS_MAX 4
#define CMD_GIVEN_MAX 64

struct cli;

// A positional argument. `field` is set when it comes from the resource table.
struct cmd_arg {
	const char *name, *help;
	bool optional;
	const struct resource_field *field;
};

// meta NULL: a switch.
struct cmd_flag {
	const char *name, *meta, *help;
	char letter; // short form, 0: none
	const struct resource_field *field;
	const char *word; // of a list's flag: what it adds begins so; NULL: of no list
};

// Which fields of the noun a command takes, before its own arguments and flags.
enum cmd_fields {
	CMD_FIELDS_NONE,
	CMD_FIELDS_NEW,	   // arguments: the key; flags: what may be set
	CMD_FIELDS_CHANGE, // argument: the id; flags: what may be set
	CMD_FIELDS_ID,	   // argument: the id
};

// A word of the command line. Flags are inherited by the words below it.
struct cmd {
	const char *name;
	const char *help; // one line, no full stop
	const char *more; // a paragraph for --help; NULL: none
	const char *noun; // of the resource table; NULL: none
	enum cmd_fields fields;
	const struct cmd *const *subs; // ends in NULL; NULL: a command that runs
	const struct cmd_arg *args;    // ends in a NULL name
	const struct cmd_flag *flags;  // ends in a NULL name
	int (*run)(struct cli *c);     // returns the exit code
	const void *data;	       // of run
};

// The i-th argument or flag of a command, those of its noun first. False behind the last.
bool cmd_arg_at(const struct cmd *c, size_t i, struct cmd_arg *out);
bool cmd_flag_at(const struct cmd *c, size_t i, struct cmd_flag *out);

const struct cmd *cmd_child(const struct cmd *c, const char *name); // NULL: has none of that name

// What was typed. Strings are borrowed from argv.
struct cmd_call {
	const struct cmd *path[CMD_DEPTH_MAX]; // root first
	size_t depth;
	const char *args[CMD_ARGS_MAX];
	size_t n_args;
	struct {
		const char *name, *value; // value of a switch: ""
	} given[CMD_GIVEN_MAX];
	size_t n_given;
	json_t *doc; // fields by JSON name, checked; owned
	bool help;   // --help or `help`: depth says of what
};

// Parse argv[1..]. Returns 0, or -EINVAL and one sentence in err; then path and depth hold what
// was understood. cmd_call_fini in both cases.
int cmd_parse(
	const struct cmd *root, int argc, char **argv, struct cmd_call *out, char *err, size_t cap);
void cmd_call_fini(struct cmd_call *call);

const struct cmd *cmd_of(const struct cmd_call *call);

// A flag's value, the last one given; NULL: not given.
const char *cmd_value(const struct cmd_call *call, const char *flag);

// "stream add", of what was understood; the root's own name when nothing was.
const char *cmd_path_str(const struct cmd_call *call, char *buf, size_t cap);
