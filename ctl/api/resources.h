#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the API is about: one table of resources and their fields. It drives validation in the
// daemon, flags and help of the command line, and the API description, so they cannot drift.
//
// A field is part of the key (identity: given once), settable (intent: POST and PUT), or reported
// (live state: only in answers). JSON member names carry their unit ("latency_ms"); the command
// line's flag does not ("--latency MS").

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum resource_type {
	RESOURCE_STRING,
	RESOURCE_WORD, // one of field->words
	RESOURCE_BOOL,
	RESOURCE_INT,
	RESOURCE_NUMBER,
	RESOURCE_TIME, // RFC 3339, UTC, milliseconds
	RESOURCE_LIST,
	RESOURCE_MAP,
};

// Flags of a field.
#define RESOURCE_KEY 1u	     // identity: needed in a POST, never changes
#define RESOURCE_SET 2u	     // intent: POST and PUT may set it; null or absent means the default
#define RESOURCE_REPORTED 4u // only in answers
#define RESOURCE_SECRET 8u   // a text that is never shown again: then it is {"ref": ID}
#define RESOURCE_NULL 16u    // a reported field that may be null
#define RESOURCE_NEEDED 32u  // settable, and without a default

// Says in one sentence (no newline) what is wrong with the text. Returns 0 or -EINVAL.
typedef int (*resource_check)(const char *text, char *err, size_t cap);

struct resource_field {
	const char *name;     // JSON member
	const char *flag;     // of the command line, without dashes; NULL: positional (key) or none
	const char *meta;     // placeholder in help: "MS", "NAME"; NULL for a switch
	const char *unit;     // "ms", "s", "bytes", "bit/s", "percent", "packets"; NULL: none
	const char *help;     // one line, no full stop
	const char *fallback; // default as JSON text; NULL: none (null)
	// Of RESOURCE_WORD, NULL-terminated. Of a settable RESOURCE_LIST: each is a flag that adds
	// the item "WORD VALUE" behind those before it; NULL: its flag takes items with commas.
	const char *const *words;
	// Of RESOURCE_WORD, pairs that end in NULL: the command line takes the first for the
	// second.
	const char *const *aliases;
	resource_check check; // of RESOURCE_STRING and of a list's items; NULL: any text
	enum resource_type type;
	unsigned flags;
	// RESOURCE_INT: inclusive. RESOURCE_STRING: max bytes, 0: 512. RESOURCE_LIST: max items.
	int64_t min, max;
};

// Methods a resource has.
#define RESOURCE_LISTED 1u // GET collection
#define RESOURCE_SHOWN 2u  // GET one
#define RESOURCE_ADDED 4u  // POST collection
#define RESOURCE_PUT 8u	   // PUT one
#define RESOURCE_DELETED 16u

struct resource {
	const char *noun;	// of the command line: "stream", "sub"
	const char *collection; // below /v1/: "streams", "subscribers"
	const char *id;		// field that names one of them in a path: "name" or "id"
	const char *help;
	const struct resource_field *fields;
	size_t n_fields;
	unsigned methods;
};

// All resources, in the order of the help.
extern const struct resource resources[];
extern const size_t n_resources;

// By noun ("stream") or collection ("streams"). NULL when there is none.
const struct resource *resource_find(const char *noun);
const struct resource *resource_find_collection(const char *collection);
const struct resource_field *resource_field_find(const struct resource *r, const char *name);

// ADD: a new object (POST): reported fields are refused. REPLACE: the whole object again (PUT):
// reported fields are passed over, so that what GET gave can be changed and put back.
enum resource_op { RESOURCE_ADD, RESOURCE_REPLACE };

// Is doc a valid document of the resource? Returns 0, or -EINVAL and one sentence in err that
// names the field.
int resource_validate(
	const struct resource *r, const json_t *doc, enum resource_op op, char *err, size_t cap);

// The intent of a valid document: key and settable fields only, each present, defaults filled in,
// null where there is none. Equal intents are json_equal. The caller owns the result.
json_t *resource_intent(const struct resource *r, const json_t *doc);

// One flag's text as a JSON value of the field's type, checked like the document. Returns 0, or
// -EINVAL and one sentence in err that names --flag.
int resource_parse(
	const struct resource_field *f, const char *text, json_t **out, char *err, size_t cap);

// The same for an item of a list: --WORD VALUE.
int resource_parse_item(const struct resource_field *f, const char *word, const char *value,
	json_t **out, char *err, size_t cap);
