#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Columns of text that fit a terminal. Cells are set row by row; widths are settled at the end.
// When the table is too wide, the column that gives most is cut first, down to its heading.

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table;

struct table_col {
	const char *title;
	bool right;	    // numbers
	unsigned char give; // 0: never cut
};

// cols is borrowed. Returns NULL when out of memory.
struct table *table_new(const struct table_col *cols, size_t n);
void table_free(struct table *t);

// Append a cell, left to right, row by row. The text is copied; bytes that would steer a terminal
// become "?". When memory is out the cell stays empty.
void table_cell(struct table *t, const char *text);

size_t table_rows(const struct table *t);

// width: columns of the terminal, 0: do not cut.
void table_write(const struct table *t, size_t width, FILE *to);

// Make the bytes of s harmless for a terminal, in place; returns s.
char *table_clean(char *s);
