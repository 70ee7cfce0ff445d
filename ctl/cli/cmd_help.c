// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/cmd_help.h"

#include <string.h>

#define GUTTER 2u
#define LEFT_MAX 30u // a longer left side gets a line of its own

// "--latency MS" or "-h, --help"
static const char *flag_str(const struct cmd_flag *f, char *buf, size_t cap)
{
	char letter[8] = "";

	if (f->letter)
		snprintf(letter, sizeof(letter), "-%c, ", f->letter);
	snprintf(buf, cap, "%s--%s%s%s", letter, f->name, f->meta ? " " : "",
		f->meta ? f->meta : "");
	return buf;
}

static void line(FILE *to, size_t width, const char *left, const char *right)
{
	size_t len = strlen(left);

	if (len > width)
		fprintf(to, "  %s\n  %*s%s", left, (int)(width + GUTTER), "", right);
	else
		fprintf(to, "  %s%*s%s", left, (int)(width - len + GUTTER), "", right);
}

static size_t widest(size_t width, const char *left)
{
	size_t len = strlen(left);

	return len > width && len <= LEFT_MAX ? len : width;
}

// JSON text of a default, as a person would type it.
static void fallback(FILE *to, const struct resource_field *f)
{
	size_t len = f && f->fallback ? strlen(f->fallback) : 0;

	if (!len || f->type == RESOURCE_BOOL || f->type == RESOURCE_LIST)
		return;
	if (*f->fallback == '"')
		fprintf(to, " (default %.*s)", (int)len - 2, f->fallback + 1);
	else
		fprintf(to, " (default %s)", f->fallback);
}

static void flags(const struct cmd *c, const char *heading, FILE *to)
{
	char left[96];
	struct cmd_flag f;
	size_t width = 0;

	for (size_t i = 0; cmd_flag_at(c, i, &f); i++)
		width = widest(width, flag_str(&f, left, sizeof(left)));
	if (cmd_flag_at(c, 0, &f))
		fprintf(to, "\n%s:\n", heading);
	for (size_t i = 0; cmd_flag_at(c, i, &f); i++) {
		line(to, width, flag_str(&f, left, sizeof(left)), f.help);
		fallback(to, f.field);
		fputc('\n', to);
	}
}

static void arguments(const struct cmd *c, FILE *to)
{
	struct cmd_arg a;
	size_t width = 0;

	for (size_t i = 0; cmd_arg_at(c, i, &a); i++)
		width = widest(width, a.name);
	if (cmd_arg_at(c, 0, &a))
		fputs("\nArguments:\n", to);
	for (size_t i = 0; cmd_arg_at(c, i, &a); i++) {
		line(to, width, a.name, a.help);
		fputc('\n', to);
	}
}

static void commands(const struct cmd *c, FILE *to)
{
	size_t width = 0;

	for (const struct cmd *const *s = c->subs; *s; s++)
		width = widest(width, (*s)->name);
	fputs("\nCommands:\n", to);
	for (const struct cmd *const *s = c->subs; *s; s++) {
		line(to, width, (*s)->name, (*s)->help);
		fputc('\n', to);
	}
}

void cmd_help_usage(const struct cmd_call *call, FILE *to)
{
	const struct cmd *c = cmd_of(call);
	struct cmd_arg a;
	struct cmd_flag f;

	for (size_t i = 0; i < call->depth; i++)
		fprintf(to, "%s%s", i ? " " : "", call->path[i]->name);
	if (c->subs)
		fputs(" COMMAND", to);
	for (size_t i = 0; cmd_arg_at(c, i, &a); i++)
		fprintf(to, a.optional ? " [%s]" : " %s", a.name);
	if (c->subs || cmd_flag_at(c, 0, &f))
		fputs(" [flags]", to);
	fputc('\n', to);
}

void cmd_help_write(const struct cmd_call *call, FILE *to)
{
	const struct cmd *c = cmd_of(call);
	char path[96];

	fprintf(to, "%s: %s.\n\nUsage: ", cmd_path_str(call, path, sizeof(path)), c->help);
	cmd_help_usage(call, to);
	if (c->more)
		fprintf(to, "\n%s\n", c->more);
	if (c->subs)
		commands(c, to);
	arguments(c, to);
	flags(c, call->depth > 1 ? "Flags" : "Flags of every command", to);
	if (call->depth > 1)
		fprintf(to, "\nFlags of every command: %s --help\n", call->path[0]->name);
	else
		fprintf(to, "\nMore on one: %s COMMAND --help\n", call->path[0]->name);
}
