// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/resource_check.h"
#include "ctl/api/secret_file.h"
#include "ctl/cli/cmd.h"
#include "ctl/cli/object_rules.h"
#include "ctl/cli/suggest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Where we are in argv, and where complaints go.
struct parser {
	struct cmd_call *call;
	char **argv;
	int argc, at;
	bool words_only; // after "--"
	char *err;
	size_t cap;
};

static int fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->err, p->cap, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

// A flag of the command or of one above it. len: bytes of the typed name.
static bool find_flag(
	const struct cmd_call *call, const char *name, size_t len, struct cmd_flag *out)
{
	for (size_t d = call->depth; d > 0; d--)
		for (size_t i = 0; cmd_flag_at(call->path[d - 1], i, out); i++) {
			if (strlen(out->name) == len && !strncmp(out->name, name, len))
				return true;
			if (len == 1 && out->letter == *name)
				return true;
		}
	return false;
}

static int see_help(struct parser *p, const char *what, const char *word)
{
	const struct cmd_call *call = p->call;
	char path[96];

	cmd_path_str(call, path, sizeof(path));
	return fail(p, "%s has no %s %.64s, see: %s%s%s --help", path, what, word,
		call->path[0]->name, call->depth > 1 ? " " : "", call->depth > 1 ? path : "");
}

// word: as typed; name, len: without dashes and value.
static int unknown_flag(struct parser *p, const char *word, const char *name, size_t len)
{
	char bare[64], path[96];
	struct cmd_flag f;
	struct suggest s;

	snprintf(bare, sizeof(bare), "%.*s", (int)len, name);
	suggest_init(&s, bare);
	for (size_t d = p->call->depth; d > 0; d--)
		for (size_t i = 0; cmd_flag_at(p->call->path[d - 1], i, &f); i++)
			suggest_show(&s, f.name);
	if (!s.best)
		return see_help(p, "flag", word);
	return fail(p, "%s has no flag %.64s, did you mean --%s?",
		cmd_path_str(p->call, path, sizeof(path)), word, s.best);
}

// `set --latency default` goes back to the default: null in the document. Of texts only what has
// no name of its own can: a file called default is ./default.
static bool is_default(const struct parser *p, const struct resource_field *f, const char *text)
{
	bool may = f->type != RESOURCE_STRING || f->flags & RESOURCE_SECRET || f->check;

	return cmd_of(p->call)->fields == CMD_FIELDS_CHANGE && may && f->type != RESOURCE_BOOL &&
	       !strcmp(text, "default");
}

// --passphrase-file F: what the file says.
static int take_secret(
	struct parser *p, const struct resource_field *f, const char *path, json_t **out)
{
	char text[SECRET_FILE_MAX + 1], why[256];
	int rc = 0;

	if (secret_file_read(path, text, why, sizeof(why)))
		return fail(p, "--%s: %s", f->flag, why);
	rc = resource_parse(f, text, out, p->err, p->cap);
	explicit_bzero(text, sizeof(text));
	return rc;
}

static int take_field(struct parser *p, const struct resource_field *f, const char *text)
{
	json_t *v = NULL;
	int rc = 0;

	if (is_default(p, f, text))
		v = json_null();
	else if (f->flags & RESOURCE_SECRET)
		rc = take_secret(p, f, text, &v);
	else
		rc = resource_parse(f, text, &v, p->err, p->cap);
	if (rc)
		return -EINVAL;
	return json_object_set_new(p->call->doc, f->name, v) ? fail(p, "out of memory") : 0;
}

// --forget 10.0.0.0/8 is no rule, and checked as one only here.
static int parse_item(
	struct parser *p, const struct cmd_flag *flag, const char *text, json_t **item)
{
	char why[256];

	if (strcmp(flag->word, RULES_FORGET) != 0)
		return resource_parse_item(flag->field, flag->word, text, item, p->err, p->cap);
	if (resource_check_range(text, why, sizeof(why)))
		return fail(p, "--%s: %s", flag->word, why);
	*item = json_sprintf("%s %s", flag->word, text);
	return 0;
}

// --allow 10.0.0.0/8: behind the items that were given before. --allow default gives none.
static int take_item(struct parser *p, const struct cmd_flag *flag, const char *text)
{
	const struct resource_field *f = flag->field;
	json_t *list = json_object_get(p->call->doc, f->name), *item = NULL;

	if (!list) {
		list = json_array();
		json_object_set_new(p->call->doc, f->name, list);
	}
	if (is_default(p, f, text) && strcmp(flag->word, RULES_FORGET) != 0)
		return 0;
	if (parse_item(p, flag, text, &item))
		return -EINVAL;
	return json_array_append_new(list, item) ? fail(p, "out of memory") : 0;
}

static int take_flag(struct parser *p, const struct cmd_flag *f, const char *value)
{
	struct cmd_call *call = p->call;

	if (f->meta && !value) {
		if (p->at >= p->argc || !strncmp(p->argv[p->at], "--", 2))
			return fail(p, "--%s needs a value: --%s %s", f->name, f->name, f->meta);
		value = p->argv[p->at++];
	}
	if (!f->meta && value)
		return fail(p, "--%s takes no value", f->name);
	if (call->n_given == CMD_GIVEN_MAX)
		return fail(p, "more than %d flags", CMD_GIVEN_MAX);
	call->given[call->n_given].name = f->name;
	call->given[call->n_given++].value = value ? value : "";
	if (f->word)
		return take_item(p, f, value);
	return f->field ? take_field(p, f->field, value ? value : "") : 0;
}

// word: "--name", "--name=value" or "-l".
static int parse_flag(struct parser *p, const char *word)
{
	bool is_long = word[1] == '-';
	const char *name = word + (is_long ? 2 : 1), *eq = is_long ? strchr(name, '=') : NULL;
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	struct cmd_flag f;

	// "-json" is a slip for "--json", not five letters.
	if (!len || (!is_long && len > 1) || (is_long && len == 1) ||
		!find_flag(p->call, name, len, &f))
		return unknown_flag(p, word, name, len);
	return take_flag(p, &f, eq ? eq + 1 : NULL);
}

static int unknown_word(struct parser *p, const char *word)
{
	const struct cmd *c = cmd_of(p->call);
	const char *near = suggest_synonym(word);
	char path[96];
	struct suggest s;

	suggest_init(&s, word);
	for (const struct cmd *const *sub = c->subs; *sub; sub++)
		suggest_show(&s, (*sub)->name);
	if (near != word && (cmd_child(c, near) || *near == '-'))
		s.best = near;
	if (!s.best)
		return see_help(p, "command", word);
	return fail(p, "%s has no command %.64s, did you mean %s?",
		cmd_path_str(p->call, path, sizeof(path)), word, s.best);
}

static int parse_arg(struct parser *p, const char *word)
{
	struct cmd_call *call = p->call;
	struct cmd_arg a;
	char path[96];

	if (call->n_args == CMD_ARGS_MAX || !cmd_arg_at(cmd_of(call), call->n_args, &a))
		return fail(p, "%s takes no further argument, \"%.64s\" is too many",
			cmd_path_str(call, path, sizeof(path)), word);
	call->args[call->n_args++] = word;
	if (!*word)
		return fail(p, "%s is empty", a.name);
	return a.field && a.field->flags & RESOURCE_KEY ? take_field(p, a.field, word) : 0;
}

static int parse_word(struct parser *p, const char *word)
{
	struct cmd_call *call = p->call;
	const struct cmd *sub;

	if (!cmd_of(call)->subs)
		return parse_arg(p, word);
	if (call->depth == 1 && !call->help && !strcmp(word, "help")) {
		call->help = true;
		return 0;
	}
	sub = cmd_child(cmd_of(call), word);
	if (!sub)
		return unknown_word(p, word);
	call->path[call->depth++] = sub;
	return 0;
}

// Whoever asks for help gets it, whatever else is wrong with the line but the command.
static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

static bool is_valued_flag(const struct parser *p, const char *word)
{
	struct cmd_flag f;

	return !strncmp(word, "--", 2) && !strchr(word, '=') &&
	       find_flag(p->call, word + 2, strlen(word + 2), &f) && f.meta;
}

static int parse_help(struct parser *p)
{
	for (; p->at < p->argc && cmd_of(p->call)->subs; p->at++) {
		const char *word = p->argv[p->at];

		if (is_valued_flag(p, word))
			p->at++;
		else if (*word != '-' && parse_word(p, word))
			return -EINVAL;
	}
	p->call->help = true;
	return 0;
}

static int parse_all(struct parser *p)
{
	while (p->at < p->argc) {
		const char *word = p->argv[p->at++];
		int rc;

		if (!p->words_only && !strcmp(word, "--")) {
			p->words_only = true;
			continue;
		}
		rc = !p->words_only && *word == '-' && word[1] ? parse_flag(p, word)
							       : parse_word(p, word);
		if (rc)
			return rc;
	}
	return 0;
}

static int list_verbs(struct parser *p)
{
	const struct cmd *c = cmd_of(p->call);
	char verbs[256] = "", path[96];
	size_t at = 0;

	for (const struct cmd *const *s = c->subs; *s && at < sizeof(verbs); s++) {
		const char *sep = s == c->subs ? "" : s[1] ? ", " : " or ";
		int n = snprintf(verbs + at, sizeof(verbs) - at, "%s%s", sep, (*s)->name);

		at += n > 0 ? (size_t)n : 0;
	}
	return fail(p, "%s needs a command: %s", cmd_path_str(p->call, path, sizeof(path)), verbs);
}

// What has no default has to be given with a new object.
static int check_needed(struct parser *p)
{
	const struct cmd *c = cmd_of(p->call);
	struct cmd_flag f;
	char path[96];

	for (size_t i = 0; c->fields == CMD_FIELDS_NEW && cmd_flag_at(c, i, &f); i++)
		if (f.field && f.field->flags & RESOURCE_NEEDED &&
			!json_object_get(p->call->doc, f.field->name))
			return fail(p, "%s needs --%s %s",
				cmd_path_str(p->call, path, sizeof(path)), f.name, f.meta);
	return 0;
}

static int check_whole(struct parser *p)
{
	struct cmd_call *call = p->call;
	struct cmd_arg a;
	char path[96];

	if (cmd_of(call)->subs)
		return list_verbs(p);
	if (!cmd_arg_at(cmd_of(call), call->n_args, &a) || a.optional)
		return check_needed(p);
	cmd_path_str(call, path, sizeof(path));
	return fail(p, "%s needs %s, see: %s %s --help", path, a.name, call->path[0]->name, path);
}

int cmd_parse(
	const struct cmd *root, int argc, char **argv, struct cmd_call *out, char *err, size_t cap)
{
	struct parser p = {
		.call = out, .argv = argv, .argc = argc, .at = 1, .err = err, .cap = cap};

	*out = (struct cmd_call){.path = {root}, .depth = 1, .doc = json_object()};
	if (!out->doc)
		return fail(&p, "out of memory");
	if (wants_help(argc, argv))
		return parse_help(&p);
	if (parse_all(&p))
		return -EINVAL;
	if (out->help || cmd_value(out, "version"))
		return 0;
	return check_whole(&p);
}

void cmd_call_fini(struct cmd_call *call)
{
	json_decref(call->doc);
	call->doc = NULL;
}
