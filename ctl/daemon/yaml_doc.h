#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// YAML (1.2, core schema; so JSON too) read into a JSON tree that remembers its lines. One
// document, no aliases, anchors or tags, no key twice: what has two readings is refused.

#include <jansson.h>

#include <stddef.h>

#define YAML_DOC_MAX (1u << 20) // bytes
#define YAML_DOC_DEPTH 32u

struct yaml_doc {
	json_t *root;  // an object; of an empty text an empty one
	json_t *lines; // by path
};

// name: of the file, for messages. Returns 0, or -EINVAL and one sentence in err that begins with
// "NAME:LINE: ".
int yaml_doc_read(
	struct yaml_doc *d, const char *name, const char *text, size_t len, char *err, size_t cap);
void yaml_doc_free(struct yaml_doc *d);

// The line where the key at root[a][b][c] stands, from 1; b and c may be NULL: root[a]. 0: nowhere.
unsigned yaml_doc_line(const struct yaml_doc *d, const char *a, const char *b, const char *c);

// A quoted key may hold anything: make a message with one in it fit for a line of a terminal.
void yaml_doc_one_line(char *text);
