// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/fmt.h"
#include "ctl/cli/out_impl.h"
#include "ctl/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLS_MAX 16

static bool is_number(enum out_format f)
{
	return f == OUT_COUNT || f == OUT_BYTES || f == OUT_BITRATE || f == OUT_MS ||
	       f == OUT_RATIO;
}

static void show_table(const struct out *o, const json_t *rows, const struct out_view *v)
{
	struct table_col cols[COLS_MAX];
	char buf[OUT_CELL_LEN];
	struct table *t;

	for (size_t i = 0; i < v->n_cols; i++)
		cols[i] = (struct table_col){
			v->cols[i].title, is_number(v->cols[i].format), v->cols[i].give};
	t = table_new(cols, v->n_cols);
	for (size_t r = 0; t && r < json_array_size(rows); r++)
		for (size_t i = 0; i < v->n_cols; i++)
			table_cell(t, out_cell(json_array_get(rows, r), &v->cols[i], buf));
	if (t)
		table_write(t, o->width, stdout);
	table_free(t);
}

static void show_record(const json_t *obj, const struct out_view *v)
{
	char buf[OUT_CELL_LEN];
	size_t width = 0;

	for (size_t i = 0; i < v->n_cols; i++)
		if (strlen(v->cols[i].title) > width)
			width = strlen(v->cols[i].title);
	for (size_t i = 0; i < v->n_cols; i++) {
		const struct out_col *c = &v->cols[i];
		const char *text = json_object_get(obj, c->field) ? out_cell(obj, c, buf) : NULL;

		if (text)
			printf("%-*s  %s\n", (int)width, c->title,
				text == buf ? table_clean(buf) : text);
	}
}

static void show_member(const char *key, double value, size_t width, const struct out_view *v)
{
	const char *words = v->words ? v->words(key) : "";
	char buf[FMT_LEN];

	printf("%-*s  ", (int)width, key);
	printf(*words ? "%10s  %s\n" : "%s\n", fmt_count(value, buf), words);
}

static void show_map(const json_t *map, const struct out_view *v)
{
	const char *key;
	json_t *value;
	size_t width = 0;

	json_object_foreach((json_t *)map, key, value)
	{
		if (json_number_value(value) > 0 && strlen(key) > width)
			width = strlen(key);
	}
	json_object_foreach((json_t *)map, key, value)
	{
		if (json_number_value(value) > 0)
			show_member(key, json_number_value(value), width, v);
	}
}

static void show_line(const json_t *obj, const struct out_view *v)
{
	char buf[OUT_CELL_LEN];

	for (size_t i = 0; i < v->n_cols; i++) {
		const char *text = out_cell(obj, &v->cols[i], buf);

		printf("%s%s", i ? "  " : "", text == buf ? table_clean(buf) : text);
	}
	putchar('\n');
}

static bool is_empty(const json_t *part, enum out_shape shape)
{
	const char *key;
	json_t *value;

	if (shape == OUT_TABLE)
		return !json_array_size(part);
	if (shape != OUT_MAP)
		return !json_is_object(part);
	json_object_foreach((json_t *)part, key, value)
	{
		if (json_number_value(value) > 0)
			return false;
	}
	return true;
}

static void show(struct out *o, const json_t *part, const struct out_view *v)
{
	switch (v->shape) {
	case OUT_TABLE:
		show_table(o, part, v);
		break;
	case OUT_RECORD:
		show_record(part, v);
		break;
	case OUT_MAP:
		show_map(part, v);
		break;
	case OUT_LINE:
		show_line(part, v);
	}
}

static void document(struct out *o, const json_t *doc, const struct out_view *v, size_t n)
{
	bool first = true;

	for (; n > 0; n--, v++) {
		const json_t *part = v->member ? json_object_get(doc, v->member) : doc;

		if (is_empty(part, v->shape)) {
			if (v->empty)
				out_say(o, "%s", v->empty);
			continue;
		}
		if (!first)
			putchar('\n');
		if (v->title)
			printf("%s\n", v->title);
		show(o, part, v);
		first = false;
	}
}

static void event(struct out *o, const json_t *ev, const char *text)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s", text);
	printf("%s\n", table_clean(line));
}

static void done(struct out *o, const json_t *doc, const char *sentence)
{
	out_say(o, "%s", sentence);
}

struct out *out_text_new(size_t width)
{
	static const struct out_ops ops = {.document = document, .done = done, .event = event};
	struct out *o = calloc(1, sizeof(*o));

	if (o) {
		o->ops = &ops;
		o->width = width;
	}
	return o;
}
