// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Documents against the resource table: what is wrong with one, what it intends, and the same for
// one flag of the command line.

#include "ctl/api/resources.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRING_MAX 512 // bytes, of fields that give no limit
#define SETTABLE (RESOURCE_KEY | RESOURCE_SET)

static int fail(char *err, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *err, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, cap, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static const char *unit_of(const struct resource_field *f)
{
	if (!f->unit)
		return "";
	if (!strcmp(f->unit, "ms"))
		return " milliseconds";
	if (!strcmp(f->unit, "s"))
		return " seconds";
	return !strcmp(f->unit, "percent") ? " percent" : "";
}

// "play or publish", "reject, replace or replace-stalled"
static const char *words_of(const struct resource_field *f, char *buf, size_t cap)
{
	size_t at = 0;

	for (size_t i = 0; f->words[i] && at < cap; i++) {
		const char *sep = !i ? "" : f->words[i + 1] ? ", " : " or ";
		int n = snprintf(buf + at, cap - at, "%s%s", sep, f->words[i]);

		at += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

static bool is_word(const struct resource_field *f, const char *text)
{
	for (size_t i = 0; f->words[i]; i++)
		if (!strcmp(f->words[i], text))
			return true;
	return false;
}

static int check_int(
	const struct resource_field *f, const char *as, json_int_t v, char *err, size_t cap)
{
	if (v >= f->min && v <= f->max)
		return 0;
	return fail(err, cap,
		"%s must be between %" PRId64 " and %" PRId64 "%s, not %" JSON_INTEGER_FORMAT, as,
		f->min, f->max, unit_of(f), v);
}

static int check_text(
	const struct resource_field *f, const char *as, const char *text, char *err, size_t cap)
{
	size_t max = f->max ? (size_t)f->max : STRING_MAX;
	char why[256];

	if (f->type == RESOURCE_WORD) {
		if (is_word(f, text))
			return 0;
		return fail(err, cap, "%s must be %s, not \"%.64s\"", as,
			words_of(f, why, sizeof(why)), text);
	}
	if (strlen(text) > max)
		return fail(err, cap, "%s is longer than %zu bytes", as, max);
	if (f->check && f->check(text, why, sizeof(why)))
		return fail(err, cap, "%s: %s", as, why);
	return 0;
}

static int check_ref(const struct resource_field *f, const json_t *v, char *err, size_t cap)
{
	if (json_object_size(v) == 1 && json_is_string(json_object_get(v, "ref")))
		return 0;
	return fail(err, cap, "%s must be a string, or {\"ref\": ID} as it was shown", f->name);
}

// jansson keeps strings with their length: one with a NUL inside reads shorter than it is.
static bool has_nul(const json_t *v)
{
	return strlen(json_string_value(v)) != json_string_length(v);
}

static int check_list(const struct resource_field *f, const json_t *v, char *err, size_t cap)
{
	json_t *item;
	size_t i;

	if (!json_is_array(v))
		return fail(err, cap, "%s must be a list", f->name);
	if (json_array_size(v) > (size_t)f->max)
		return fail(err, cap, "%s has more than %" PRId64 " items", f->name, f->max);
	json_array_foreach(v, i, item)
	{
		char why[256];

		if (!json_is_string(item) || has_nul(item))
			return fail(err, cap, "%s must be a list of strings", f->name);
		if (f->check && f->check(json_string_value(item), why, sizeof(why)))
			return fail(err, cap, "%s: %s", f->name, why);
	}
	return 0;
}

static int check_value(const struct resource_field *f, const json_t *v, char *err, size_t cap)
{
	switch (f->type) {
	case RESOURCE_BOOL:
		if (json_is_boolean(v))
			return 0;
		return fail(err, cap, "%s must be true or false", f->name);
	case RESOURCE_INT:
		if (json_is_integer(v))
			return check_int(f, f->name, json_integer_value(v), err, cap);
		return fail(err, cap, "%s must be a whole number", f->name);
	case RESOURCE_LIST:
		return check_list(f, v, err, cap);
	default:
		if (f->flags & RESOURCE_SECRET && !json_is_string(v))
			return check_ref(f, v, err, cap);
		if (!json_is_string(v))
			return fail(err, cap, "%s must be a string", f->name);
		if (has_nul(v))
			return fail(err, cap, "%s holds a NUL character", f->name);
		return check_text(f, f->name, json_string_value(v), err, cap);
	}
}

static int check_member(const struct resource *r, const char *key, const json_t *v,
	enum resource_op op, char *err, size_t cap)
{
	const struct resource_field *f = resource_field_find(r, key);

	if (!f)
		return fail(err, cap, "a %s has no field \"%.64s\"", r->noun, key);
	if (!(f->flags & SETTABLE)) {
		if (op == RESOURCE_REPLACE)
			return 0;
		return fail(err, cap, "%s is reported, it cannot be set", f->name);
	}
	if (json_is_null(v) && !(f->flags & (RESOURCE_KEY | RESOURCE_NEEDED)))
		return 0;
	return check_value(f, v, err, cap);
}

int resource_validate(
	const struct resource *r, const json_t *doc, enum resource_op op, char *err, size_t cap)
{
	const char *key;
	json_t *v;

	if (!json_is_object(doc))
		return fail(err, cap, "a %s is a JSON object", r->noun);
	json_object_foreach(
		(json_t *)doc, key, v) if (check_member(r, key, v, op, err, cap)) return -EINVAL;
	for (size_t i = 0; i < r->n_fields; i++)
		if (r->fields[i].flags & (RESOURCE_KEY | RESOURCE_NEEDED) &&
			!json_object_get(doc, r->fields[i].name))
			return fail(
				err, cap, "a %s needs the field %s", r->noun, r->fields[i].name);
	return 0;
}

static json_t *fallback_of(const struct resource_field *f)
{
	return f->fallback ? json_loads(f->fallback, JSON_DECODE_ANY, NULL) : json_null();
}

json_t *resource_intent(const struct resource *r, const json_t *doc)
{
	json_t *out = json_object();

	for (size_t i = 0; i < r->n_fields; i++) {
		const struct resource_field *f = &r->fields[i];
		json_t *v = json_object_get(doc, f->name);

		if (!(f->flags & SETTABLE))
			continue;
		v = v && !json_is_null(v) ? json_deep_copy(v) : fallback_of(f);
		json_object_set_new(out, f->name, v);
	}
	return out;
}

static int parse_int(const struct resource_field *f, const char *as, const char *text, json_t **out,
	char *err, size_t cap)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || *end || errno || (*text != '-' && (*text < '0' || *text > '9')))
		return fail(err, cap, "%s must be a whole number, not \"%.64s\"", as, text);
	if (check_int(f, as, v, err, cap))
		return -EINVAL;
	*out = json_integer(v);
	return 0;
}

// "srs,ome" as a list. Nothing between commas is an item too, and wrong.
static int parse_list(const struct resource_field *f, const char *as, const char *text,
	json_t **out, char *err, size_t cap)
{
	*out = json_array();
	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ",");
		char item[STRING_MAX + 1], why[256];

		snprintf(item, sizeof(item), "%.*s", (int)len, at);
		if (f->check && f->check(item, why, sizeof(why))) {
			json_decref(*out);
			return fail(err, cap, "%s: %s", as, why);
		}
		json_array_append_new(*out, json_string(item));
		at += len;
		if (!*at)
			return 0;
	}
}

static const char *meant(const struct resource_field *f, const char *text)
{
	for (const char *const *a = f->aliases; a && *a; a += 2)
		if (!strcmp(*a, text))
			return a[1];
	return text;
}

int resource_parse(
	const struct resource_field *f, const char *text, json_t **out, char *err, size_t cap)
{
	char as[48];

	snprintf(as, sizeof(as), "%s%s", f->flag ? "--" : "", f->flag ? f->flag : f->name);
	if (f->type == RESOURCE_BOOL) {
		*out = json_true();
		return 0;
	}
	if (f->type == RESOURCE_INT)
		return parse_int(f, as, text, out, err, cap);
	if (f->type == RESOURCE_LIST)
		return parse_list(f, as, text, out, err, cap);
	text = meant(f, text);
	if (check_text(f, as, text, err, cap))
		return -EINVAL;
	*out = json_string(text);
	return *out ? 0 : fail(err, cap, "%s is not valid UTF-8", as);
}

int resource_parse_item(const struct resource_field *f, const char *word, const char *value,
	json_t **out, char *err, size_t cap)
{
	char why[256];

	*out = json_sprintf("%s %s", word, value);
	if (!*out)
		return fail(err, cap, "--%s is not valid UTF-8", word);
	if (!f->check || !f->check(json_string_value(*out), why, sizeof(why)))
		return 0;
	json_decref(*out);
	return fail(err, cap, "--%s: %s", word, why);
}
