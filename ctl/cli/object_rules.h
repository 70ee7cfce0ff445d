#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Rules by address, --allow and --deny of `set`: those given go in front of those that hold, for
// the first that matches decides. Who bans one more address un-bans no other.

#include "ctl/cli/cli.h"

// fields: what is to change of an object with this intent. Its rules, where any were given, become
// all that are to hold.
void rules_join(const struct cli *c, const json_t *intent, json_t *fields);

// Where rules were given: say which hold now.
void rules_say(const struct cli *c, const json_t *doc);
