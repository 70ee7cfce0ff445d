// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/yaml_doc.h"

#include <yaml.h>

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_LEVELS 3u // of which lines are kept
#define PATH_MAX_LEN 1024u
#define SEPARATOR '\n'

struct reading {
	yaml_parser_t parser;
	struct yaml_doc *doc;
	const char *name;
	char *err;
	size_t cap;
	char path[PATH_MAX_LEN]; // of the node under way, a separator behind each key
	unsigned depth;
};

static json_t *read_node(struct reading *r, yaml_event_t *event);

void yaml_doc_one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static json_t *fail(struct reading *r, size_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// line: from 0, as libyaml counts.
static json_t *fail(struct reading *r, size_t line, const char *fmt, ...)
{
	int n = snprintf(r->err, r->cap, "%s:%zu: ", r->name, line + 1);
	va_list ap;

	va_start(ap, fmt);
	if (n > 0 && (size_t)n < r->cap)
		vsnprintf(r->err + n, r->cap - (size_t)n, fmt, ap);
	va_end(ap);
	yaml_doc_one_line(r->err);
	return NULL;
}

static bool next(struct reading *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return true;
	fail(r, r->parser.problem_mark.line, "%s%s%s", r->parser.problem,
		r->parser.context ? " " : "", r->parser.context ? r->parser.context : "");
	return false;
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static json_t *integer_of(struct reading *r, size_t line, const char *text, int base)
{
	long long v;

	errno = 0;
	v = strtoll(base == 10 ? text : text + 2, NULL, base);
	return errno ? fail(r, line, "the number %.40s is too large", text) : json_integer(v);
}

static bool is_made_of(const char *text, const char *set)
{
	size_t n = 0;

	while (text[n] && strchr(set, text[n]))
		n++;
	return n && !text[n];
}

static json_t *real_of(struct reading *r, size_t line, const char *text)
{
	json_t *v = json_real(strtod(text, NULL));

	return v ? v : fail(r, line, "the number %.40s is too large", text);
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
static bool is_real(const char *text)
{
	const char *at = text + (*text == '-' || *text == '+');
	size_t whole = strspn(at, "0123456789"), part = 0;

	at += whole;
	if (*at == '.') {
		part = strspn(++at, "0123456789");
		at += part;
	}
	if (!whole && !part)
		return false;
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '-' || *at == '+';
		return is_made_of(at, "0123456789");
	}
	return !*at;
}

// A plain scalar by the core schema (YAML 1.2.2, 10.3.2).
static json_t *plain_of(struct reading *r, size_t line, const char *text, size_t len)
{
	static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const true_words[] = {"true", "True", "TRUE", NULL};
	static const char *const false_words[] = {"false", "False", "FALSE", NULL};
	static const char *const endless[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF",
		"-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN", NULL};
	const char *digits = text + (*text == '-' || *text == '+');

	if (is_one_of(text, null_words))
		return json_null();
	if (is_one_of(text, true_words))
		return json_true();
	if (is_one_of(text, false_words))
		return json_false();
	if (is_made_of(digits, "0123456789"))
		return integer_of(r, line, text, 10);
	if (!strncmp(text, "0o", 2) && is_made_of(text + 2, "01234567"))
		return integer_of(r, line, text, 8);
	if (!strncmp(text, "0x", 2) && is_made_of(text + 2, "0123456789abcdefABCDEF"))
		return integer_of(r, line, text, 16);
	if (is_one_of(text, endless))
		return fail(r, line, "%s is not a number that can be used here", text);
	return is_real(text) ? real_of(r, line, text) : json_stringn(text, len);
}

static json_t *scalar_of(struct reading *r, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length, line = e->start_mark.line;

	if (strlen(text) != len)
		return fail(r, line, "a value holds a NUL character");
	if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return plain_of(r, line, text, len);
	return json_stringn(text, len);
}

static bool remember(struct reading *r, size_t line)
{
	return r->depth > PATH_LEVELS ||
	       !json_object_set_new(r->doc->lines, r->path, json_integer((json_int_t)line + 1));
}

// The value behind a key that stands in event, into map.
static bool read_member(struct reading *r, json_t *map, yaml_event_t *key)
{
	const char *name = (const char *)key->data.scalar.value;
	size_t line = key->start_mark.line, mark = strlen(r->path);
	yaml_event_t event;
	json_t *value;

	if (key->type != YAML_SCALAR_EVENT || key->data.scalar.anchor || key->data.scalar.tag)
		return fail(r, line, "a key must be plain text");
	if (strlen(name) != key->data.scalar.length || mark + strlen(name) + 2 > sizeof(r->path))
		return fail(r, line, "a key is too long or holds a NUL character");
	if (json_object_get(map, name))
		return fail(r, line, "the key \"%.64s\" stands here twice", name);
	snprintf(r->path + mark, sizeof(r->path) - mark, "%s%c", name, SEPARATOR);
	if (!remember(r, line) || !next(r, &event))
		return false;
	value = read_node(r, &event);
	yaml_event_delete(&event);
	r->path[mark] = '\0';
	return value && !json_object_set_new(map, name, value);
}

static json_t *read_map(struct reading *r)
{
	json_t *map = json_object();
	yaml_event_t event;

	while (map && next(r, &event)) {
		bool end = event.type == YAML_MAPPING_END_EVENT;
		bool ok = end || read_member(r, map, &event);

		yaml_event_delete(&event);
		if (end)
			return map;
		if (!ok)
			break;
	}
	json_decref(map);
	return NULL;
}

static json_t *read_list(struct reading *r)
{
	json_t *list = json_array();
	yaml_event_t event;

	while (list && next(r, &event)) {
		bool end = event.type == YAML_SEQUENCE_END_EVENT;
		json_t *item = end ? NULL : read_node(r, &event);

		yaml_event_delete(&event);
		if (end)
			return list;
		if (!item || json_array_append_new(list, item))
			break;
	}
	json_decref(list);
	return NULL;
}

static bool is_marked(const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return e->data.scalar.anchor || e->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return e->data.sequence_start.anchor || e->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return e->data.mapping_start.anchor || e->data.mapping_start.tag;
	default:
		return false;
	}
}

// The node that begins with event. NULL after fail().
static json_t *read_node(struct reading *r, yaml_event_t *event)
{
	size_t line = event->start_mark.line;
	json_t *out;

	if (event->type == YAML_ALIAS_EVENT || is_marked(event))
		return fail(r, line, "aliases, anchors and tags are not read here");
	if (event->type == YAML_SCALAR_EVENT)
		return scalar_of(r, event);
	if (r->depth == YAML_DOC_DEPTH)
		return fail(r, line, "more than %u levels", YAML_DOC_DEPTH);
	r->depth++;
	out = event->type == YAML_MAPPING_START_EVENT ? read_map(r) : read_list(r);
	r->depth--;
	return out;
}

static bool read_one(struct reading *r, yaml_event_type_t type)
{
	yaml_event_t event;
	bool ok;

	if (!next(r, &event))
		return false;
	ok = event.type == type;
	if (!ok)
		fail(r, event.start_mark.line, "only one document is read");
	yaml_event_delete(&event);
	return ok;
}

static json_t *read_root(struct reading *r)
{
	yaml_event_t event;
	json_t *root = NULL;
	bool empty;

	if (!read_one(r, YAML_STREAM_START_EVENT) || !next(r, &event))
		return NULL;
	empty = event.type == YAML_STREAM_END_EVENT;
	yaml_event_delete(&event);
	if (empty)
		return json_object();
	if (!next(r, &event))
		return NULL;
	if (event.type == YAML_MAPPING_START_EVENT)
		root = read_node(r, &event);
	else
		fail(r, event.start_mark.line, "the document must be a map: \"key: value\" lines");
	yaml_event_delete(&event);
	if (root &&
		(!read_one(r, YAML_DOCUMENT_END_EVENT) || !read_one(r, YAML_STREAM_END_EVENT))) {
		json_decref(root);
		root = NULL;
	}
	return root;
}

int yaml_doc_read(
	struct yaml_doc *d, const char *name, const char *text, size_t len, char *err, size_t cap)
{
	struct reading r = {.doc = d, .name = name, .err = err, .cap = cap};

	*d = (struct yaml_doc){.lines = json_object()};
	snprintf(err, cap, "%s: out of memory", name);
	if (len > YAML_DOC_MAX) {
		snprintf(err, cap, "%s:1: longer than %u bytes", name, YAML_DOC_MAX);
		len = 0;
	} else if (d->lines && yaml_parser_initialize(&r.parser)) {
		yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
		d->root = read_root(&r);
		yaml_parser_delete(&r.parser);
	}
	if (d->root)
		return 0;
	yaml_doc_free(d);
	return -EINVAL;
}

void yaml_doc_free(struct yaml_doc *d)
{
	json_decref(d->root);
	json_decref(d->lines);
	*d = (struct yaml_doc){0};
}

unsigned yaml_doc_line(const struct yaml_doc *d, const char *a, const char *b, const char *c)
{
	char path[PATH_MAX_LEN];
	const char *level[] = {a, b, c};
	size_t at = 0;

	for (unsigned i = 0; i < PATH_LEVELS && level[i]; i++) {
		int n = snprintf(path + at, sizeof(path) - at, "%s%c", level[i], SEPARATOR);

		if (n < 0 || (size_t)n >= sizeof(path) - at)
			return 0;
		at += (size_t)n;
	}
	return (unsigned)json_integer_value(json_object_get(d->lines, path));
}
