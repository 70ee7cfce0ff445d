#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Rules by address, --allow and --deny of `set`: those given go in front of those that hold, for
// the first that matches decides. Who bans one more address un-bans no other.

#include "ctl/cli/cli.h"

// Besides the words of rules: --forget CIDR takes back what is said of a range.
#define RULES_FORGET "forget"

// fields: what is to change of an object with this intent. Its rules, where any were given, become
// all that are to hold. Returns API_OK, or API_NOT_FOUND and one sentence in err: there is no rule
// to forget.
enum api_exit rules_join(
	const struct cli *c, const json_t *intent, json_t *fields, struct api_error *err);

// Where rules were given: say which hold now, and for whom none of them does.
void rules_say(const struct cli *c, const json_t *doc);
