// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/object_rules.h"

#include "base/cidr.h"

#include <stdio.h>
#include <string.h>

#define FIELD "acl"
#define SAID_MAX 2048u

// --allow default, --deny default: those that hold are dropped.
static bool begins_anew(const struct cmd_call *call)
{
	for (size_t i = 0; i < call->n_given; i++)
		if ((!strcmp(call->given[i].name, "allow") ||
			    !strcmp(call->given[i].name, "deny")) &&
			!strcmp(call->given[i].value, "default"))
			return true;
	return false;
}

static bool range_of(const json_t *rule, struct cidr *out)
{
	const char *text = json_string_value(rule), *range = text ? strchr(text, ' ') : NULL;

	return range && !cidr_parse(range + 1, out);
}

static bool has_range(const json_t *rules, const json_t *rule)
{
	struct cidr one, other;
	const json_t *r;
	size_t i;

	if (!range_of(rule, &one))
		return false;
	json_array_foreach(rules, i, r)
	{
		if (range_of(r, &other) && one.bits == other.bits &&
			!memcmp(one.ip, other.ip, sizeof(one.ip)))
			return true;
	}
	return false;
}

static bool forgets(const json_t *rule)
{
	return !strncmp(json_string_value(rule), RULES_FORGET " ", sizeof(RULES_FORGET));
}

// What is to be forgotten and is none of the rules; NULL when all are.
static const char *find_unknown(const json_t *given, const json_t *held)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(given, i, rule)
	{
		if (forgets(rule) && !has_range(held, rule))
			return json_string_value(rule) + sizeof(RULES_FORGET);
	}
	return NULL;
}

static json_t *joined(const json_t *given, const json_t *held, bool anew)
{
	json_t *all = json_array();
	const json_t *rule;
	size_t i;

	json_array_foreach(given, i, rule)
	{
		if (!forgets(rule))
			json_array_append(all, (json_t *)rule);
	}
	json_array_foreach(held, i, rule)
	{
		if (!anew && !has_range(given, rule))
			json_array_append(all, (json_t *)rule);
	}
	return all;
}

enum api_exit rules_join(
	const struct cli *c, const json_t *intent, json_t *fields, struct api_error *err)
{
	const json_t *given = json_object_get(fields, FIELD),
		     *held = json_object_get(intent, FIELD);
	const char *unknown = find_unknown(given, held);

	if (unknown) {
		snprintf(err->detail, sizeof(err->detail), "there is no rule for %s", unknown);
		return err->exit = API_NOT_FOUND;
	}
	if (given)
		json_object_set_new(fields, FIELD, joined(given, held, begins_anew(c->call)));
	return API_OK;
}

void rules_say(const struct cli *c, const json_t *doc)
{
	const json_t *rules = json_object_get(doc, FIELD), *rule;
	bool has_allow = false;
	char said[SAID_MAX];
	size_t i, at = 0;

	if (!json_object_get(c->call->doc, FIELD))
		return;
	if (!json_array_size(rules)) {
		out_say(c->out, "no rules: every address is let in");
		return;
	}
	json_array_foreach(rules, i, rule)
	{
		const char *text = json_string_value(rule);

		has_allow |= *text == 'a';
		at += (size_t)snprintf(said + at, sizeof(said) - at, "%s, ", text);
	}
	out_say(c->out, "rules: %severy other address is %s", said,
		has_allow ? "refused" : "let in");
}
