#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The one writer that every command prints through. A command hands over the API's document and a
// view of it; the JSON writer prints the document as it is, the text writer lays out the view.
// Data goes to stdout, sentences to stderr.

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

struct out;

enum out_format {
	OUT_TEXT, // as it is; null: "-"
	OUT_COUNT,
	OUT_BYTES,
	OUT_BITRATE,
	OUT_MS,
	OUT_SECONDS,
	OUT_RATIO,
	OUT_SINCE, // a time: how long ago
	OUT_YES,   // true: "yes", false: "no"
};

struct out_col {
	const char *title, *field; // JSON name
	enum out_format format;
	unsigned char give; // table: cut this first when the terminal is narrow; 0: never
};

enum out_shape {
	OUT_TABLE,  // an array of objects: a row each
	OUT_RECORD, // an object: a line each field
	OUT_MAP,    // an object of numbers: a line each member that is not 0
	OUT_LINE,   // an object: its fields on one line, without titles
};

// One part of what is shown.
struct out_view {
	enum out_shape shape;
	const char *member;	    // of the document; NULL: the document itself
	const char *title;	    // heading; NULL: none
	const struct out_col *cols; // not of OUT_MAP
	size_t n_cols;
	const char *empty;		       // sentence for an empty table or map; NULL: left out
	const char *(*words)(const char *key); // of OUT_MAP: what a member means; NULL: nothing
};

// To stdout and stderr. width: columns of the terminal, 0: cut nothing. Returns NULL when out of
// memory.
struct out *out_text_new(size_t width);
struct out *out_json_new(void);
void out_free(struct out *o);

// Columns of the terminal behind stdout; 0 when it is none. COLUMNS overrules it.
size_t out_terminal_width(void);

// Show a document.
void out_document(struct out *o, const json_t *doc, const struct out_view *views, size_t n_views);

// Show one of an endless row, at once: the object as one line of JSON, or the text.
void out_event(struct out *o, const json_t *event, const char *text);

// One sentence for the person, to stderr.
void out_say(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// What was done: the API's answer as JSON (nothing when doc is NULL), or the sentence to stderr.
void out_done(struct out *o, const json_t *doc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// Bring everything to stdout. Returns 0, or the errno of the first write that failed: EPIPE when
// the reader has gone. No use to go on then.
int out_flush(struct out *o);

// A field of obj as text. buf: at least OUT_CELL_LEN bytes.
#define OUT_CELL_LEN 640
const char *out_cell(const json_t *obj, const struct out_col *col, char *buf);
