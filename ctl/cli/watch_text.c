// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/watch_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct line {
	char *text;
	size_t cap;
};

static void add(const struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(const struct line *l, const char *fmt, ...)
{
	size_t at = strlen(l->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->text + at, l->cap - at, fmt, ap);
	va_end(ap);
}

static const char *get(const json_t *e, const char *field)
{
	const char *s = json_string_value(json_object_get(e, field));

	return s ? s : "";
}

static void add_why(const struct line *l, const char *why)
{
	if (*why)
		add(l, ": %s", why);
}

static void stream(const struct line *l, const json_t *e)
{
	add(l, "%s is %s", get(e, "stream"), get(e, "state"));
}

static void session(const struct line *l, const json_t *e)
{
	add(l, "%s %s %s %s", get(e, "stream"), get(e, "proto"), get(e, "peer"),
		json_is_true(json_object_get(e, "up")) ? "came" : "went");
	add_why(l, get(e, "reason"));
}

static void reject(const struct line *l, const json_t *e)
{
	json_int_t code = json_integer_value(json_object_get(e, "code"));
	const char *name = get(e, "stream"), *id = get(e, "stream_id");

	if (*name)
		add(l, "%s may not %s %s (%" JSON_INTEGER_FORMAT ")", get(e, "peer"),
			get(e, "mode"), name, code);
	else
		add(l, "%s is refused (%" JSON_INTEGER_FORMAT ")", get(e, "peer"), code);
	add_why(l, get(e, "reason"));
	if (*id && strcmp(id, name))
		add(l, ", stream id %s", id);
}

static void object(const struct line *l, const json_t *e)
{
	add(l, "%s %s is %s", get(e, "kind"), get(e, "name"), get(e, "state"));
	add_why(l, get(e, "error"));
}

static void intent(const struct line *l, const json_t *e)
{
	add(l, "%s %s %s", get(e, "kind"), get(e, "name"), get(e, "action"));
}

static void dataplane(const struct line *l, const json_t *e)
{
	add(l, "%s", get(e, "state"));
	add_why(l, get(e, "why"));
}

static void lost(const struct line *l, const json_t *e)
{
	add(l, "%" JSON_INTEGER_FORMAT " events did not fit",
		json_integer_value(json_object_get(e, "count")));
}

static void reset(const struct line *l, const json_t *e)
{
	add(l, "events may be missing before this one");
}

static void any(const struct line *l, const json_t *e)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)e, key, v)
	{
		if (!strcmp(key, "id") || !strcmp(key, "time") || !strcmp(key, "type"))
			continue;
		if (json_is_string(v))
			add(l, "%s %s  ", key, json_string_value(v));
		else if (json_is_number(v))
			add(l, "%s %.15g  ", key, json_number_value(v));
		else if (json_is_boolean(v))
			add(l, "%s%s  ", json_is_true(v) ? "" : "not ", key);
	}
}

void watch_text(const char *type, const json_t *event, char *text, size_t cap)
{
	static const struct {
		const char *type;
		void (*say)(const struct line *l, const json_t *e);
	} types[] = {{"stream", stream}, {"publisher", session}, {"subscriber", session},
		{"reject", reject}, {"object", object}, {"intent", intent},
		{"dataplane", dataplane}, {"lost", lost}, {"reset", reset}, {NULL, any}};
	const char *clock = strchr(get(event, "time"), 'T');
	struct line l = {text, cap};
	size_t i = 0;

	while (types[i].type && strcmp(types[i].type, type))
		i++;
	text[0] = '\0';
	add(&l, "%.12s  %-10s  ", clock ? clock + 1 : "-", type);
	types[i].say(&l, event);
	for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
		text[n - 1] = '\0';
}
