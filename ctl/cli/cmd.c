// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/cmd.h"

#include "ctl/cli/object_rules.h"

#include <stdio.h>
#include <string.h>

static struct cmd_arg arg_of_field(const struct resource_field *f, const char *id)
{
	return (struct cmd_arg){.name = f->meta ? f->meta : id, .help = f->help, .field = f};
}

static bool is_arg(const struct cmd *c, const struct resource *r, const struct resource_field *f)
{
	if (c->fields == CMD_FIELDS_NEW)
		return f->flags & RESOURCE_KEY;
	return c->fields != CMD_FIELDS_NONE && r->id && !strcmp(f->name, r->id);
}

static bool is_flag(const struct cmd *c, const struct resource_field *f)
{
	if (c->fields != CMD_FIELDS_NEW && c->fields != CMD_FIELDS_CHANGE)
		return false;
	return f->flags & RESOURCE_SET;
}

// A list has a flag for each word that an item may begin with, and where it is changed one to take
// items back; other fields have one.
static bool field_flag_at(
	const struct cmd *c, const struct resource_field *f, size_t *i, struct cmd_flag *out)
{
	*out = (struct cmd_flag){.name = f->flag, .meta = f->meta, .help = f->help, .field = f};
	if (!f->words || f->type != RESOURCE_LIST)
		return f->flag && !(*i)--;
	for (const char *const *w = f->words; *w; w++)
		if (!(*i)--) {
			out->name = out->word = *w;
			return true;
		}
	if (c->fields != CMD_FIELDS_CHANGE || (*i)--)
		return false;
	out->name = out->word = RULES_FORGET;
	out->help = "take back the rule for these addresses; repeatable";
	return true;
}

bool cmd_arg_at(const struct cmd *c, size_t i, struct cmd_arg *out)
{
	const struct resource *r = c->noun ? resource_find(c->noun) : NULL;

	for (size_t k = 0; r && k < r->n_fields; k++)
		if (is_arg(c, r, &r->fields[k]) && !i--) {
			*out = arg_of_field(&r->fields[k], "ID");
			return true;
		}
	for (const struct cmd_arg *a = c->args; a && a->name; a++)
		if (!i--) {
			*out = *a;
			return true;
		}
	return false;
}

bool cmd_flag_at(const struct cmd *c, size_t i, struct cmd_flag *out)
{
	const struct resource *r = c->noun ? resource_find(c->noun) : NULL;

	for (size_t k = 0; r && k < r->n_fields; k++) {
		const struct resource_field *f = &r->fields[k];

		if (is_flag(c, f) && field_flag_at(c, f, &i, out))
			return true;
	}
	for (const struct cmd_flag *f = c->flags; f && f->name; f++)
		if (!i--) {
			*out = *f;
			return true;
		}
	return false;
}

const struct cmd *cmd_child(const struct cmd *c, const char *name)
{
	for (const struct cmd *const *s = c->subs; s && *s; s++)
		if (!strcmp((*s)->name, name))
			return *s;
	return NULL;
}

const struct cmd *cmd_of(const struct cmd_call *call)
{
	return call->path[call->depth - 1];
}

const char *cmd_value(const struct cmd_call *call, const char *flag)
{
	for (size_t i = call->n_given; i > 0; i--)
		if (!strcmp(call->given[i - 1].name, flag))
			return call->given[i - 1].value;
	return NULL;
}

const char *cmd_path_str(const struct cmd_call *call, char *buf, size_t cap)
{
	size_t at = 0;

	snprintf(buf, cap, "%s", call->depth < 2 ? call->path[0]->name : "");
	for (size_t i = 1; i < call->depth && at < cap; i++) {
		int n = snprintf(buf + at, cap - at, "%s%s", i > 1 ? " " : "", call->path[i]->name);

		at += n > 0 ? (size_t)n : 0;
	}
	return buf;
}
