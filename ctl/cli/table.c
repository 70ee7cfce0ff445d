// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2u
#define CUT ".." // stands where text was cut
#define WIDTH_MIN 6u

struct table {
	const struct table_col *cols;
	size_t n_cols, n_cells, cap;
	char **cells;
};

struct table *table_new(const struct table_col *cols, size_t n)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t) {
		t->cols = cols;
		t->n_cols = n;
	}
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

char *table_clean(char *s)
{
	for (unsigned char *c = (unsigned char *)s; c && *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
		// U+0080 to U+009F in UTF-8: control characters as well.
		if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
	return s;
}

void table_cell(struct table *t, const char *text)
{
	if (t->n_cells == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 64;
		char **cells = realloc(t->cells, cap * sizeof(*cells));

		if (!cells)
			return;
		t->cells = cells;
		t->cap = cap;
	}
	t->cells[t->n_cells++] = table_clean(strdup(text));
}

size_t table_rows(const struct table *t)
{
	return t->n_cells / t->n_cols;
}

static const char *cell(const struct table *t, size_t row, size_t col)
{
	const char *s = t->cells[row * t->n_cols + col];

	return s ? s : "";
}

// A column of width 0 is left out.
static size_t total(const size_t *width, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += width[i] ? width[i] + (sum ? GAP : 0) : 0;
	return sum;
}

// How narrow a column may become. Half a number is a wrong number.
static size_t width_min(const struct table_col *c)
{
	size_t len = strlen(c->title);

	if (c->right)
		return 0;
	return len > WIDTH_MIN ? len : WIDTH_MIN;
}

// The column to cut next: the one that gives most and still can; of equals the widest. n when there
// is none.
static size_t giver(const struct table *t, const size_t *width)
{
	size_t best = t->n_cols;

	for (size_t i = 0; i < t->n_cols; i++)
		if (t->cols[i].give && width[i] > width_min(&t->cols[i]) &&
			(best == t->n_cols || t->cols[i].give > t->cols[best].give ||
				(t->cols[i].give == t->cols[best].give && width[i] > width[best])))
			best = i;
	return best;
}

static void settle(const struct table *t, size_t max, size_t *width)
{
	for (size_t i = 0; i < t->n_cols; i++) {
		width[i] = strlen(t->cols[i].title);
		for (size_t r = 0; r < table_rows(t); r++)
			if (strlen(cell(t, r, i)) > width[i])
				width[i] = strlen(cell(t, r, i));
	}
	while (max && total(width, t->n_cols) > max) {
		size_t i = giver(t, width);

		if (i == t->n_cols)
			return;
		width[i] = t->cols[i].right ? 0 : width[i] - 1;
	}
}

static void write_cell(const struct table_col *c, const char *s, size_t width, FILE *to)
{
	size_t len = strlen(s);

	if (len > width)
		fprintf(to, "%.*s" CUT, (int)(width - strlen(CUT)), s);
	else
		fprintf(to, "%*s", c->right ? (int)width : -(int)width, s);
}

static size_t last_shown(const size_t *width, size_t n)
{
	while (n > 1 && !width[n - 1])
		n--;
	return n - 1;
}

// row: SIZE_MAX for the heading. The last column is not padded: lines do not end in blanks.
static void write_row(const struct table *t, size_t row, const size_t *width, FILE *to)
{
	size_t last = last_shown(width, t->n_cols);

	for (size_t i = 0; i <= last; i++) {
		const struct table_col *c = &t->cols[i];
		const char *s = row == SIZE_MAX ? c->title : cell(t, row, i);
		bool pad = i < last || c->right || strlen(s) > width[i];

		if (width[i])
			write_cell(c, s, pad ? width[i] : strlen(s), to);
		if (width[i] && i < last)
			fprintf(to, "%*s", (int)GAP, "");
	}
	fputc('\n', to);
}

void table_write(const struct table *t, size_t width, FILE *to)
{
	size_t *widths = calloc(t->n_cols, sizeof(*widths));

	if (!widths)
		return;
	settle(t, width, widths);
	write_row(t, SIZE_MAX, widths, to);
	for (size_t r = 0; r < table_rows(t); r++)
		write_row(t, r, widths, to);
	free(widths);
}
