#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the dataplane of one node should hold: typed objects made of the intent's documents. Pure.
//
// Documents are what resource_intent() gives (ctl/api), their URL in its one spelling. Identity
// (decisions B12): a stream's name; a listener's "ADDR:PORT"; a route's or source's
// "STREAM URL NODE". A document names a secret as {"ref": ID}; the secret lies elsewhere, sealed.

#include "base/endpoint.h"
#include "ctl/dp/dp_proto.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Kinds of documents: the dataplane's objects, and those that are POLICY objects there.
enum { DOC_USER = DP_KINDS, DOC_KEY, DOC_REVOKED, DOC_KINDS };

struct desired {
	uint32_t kind; // enum dp_kind
	uint64_t id, version;
	union {
		struct dp_listener listener;
		struct dp_stream stream;
		struct dp_route route;
		struct dp_source source;
		struct dp_secret secret;
		struct dp_policy policy;
	} body;
};

size_t desired_body_size(uint32_t kind);

// "listener", "stream", "route", "source", "user", "key", "token" (nouns of the API), "secret",
// "policy", and back. 0 or NULL: none.
uint32_t desired_kind(const char *noun);
const char *desired_noun(uint32_t kind);
uint32_t desired_dp_kind(uint32_t kind); // of the object that a document of the kind becomes

// Give the document's URL and ranges of addresses their one spelling, a listener's address
// written out; a passphrase in the URL goes to the field of that name. The document has passed
// resource_validate(). Returns 0, or -EINVAL and one sentence.
int desired_spell(uint32_t kind, json_t *doc, char *err, size_t cap);

uint64_t desired_id(uint32_t kind, const json_t *doc, const char *node);

#define DESIRED_ID_LEN 12 // letter, 10 hex digits, terminated

// "l0a1b2c3d4e": the letter of the kind (of its noun, "x" of secrets) and the id. And back: 0 when
// it is none of that kind.
const char *desired_id_text(uint32_t kind, uint64_t id, char buf[DESIRED_ID_LEN]);
uint64_t desired_id_parse(uint32_t kind, const char *text);

// The address of a host name; its port is not looked at. Returns 0, or -EAGAIN while there is none.
typedef int (*desired_lookup)(void *ctx, const char *host, struct endpoint *out);

// The object of a document. Returns 0; -EAGAIN when a host of it has no address yet; -EINVAL for a
// document that did not come through the checks above.
int desired_make(uint32_t kind, const json_t *doc, const char *node, desired_lookup lookup,
	void *ctx, struct desired *out);

// The secret in a field of a document: named by kind and name of the document and the field.
uint64_t desired_secret_id(uint32_t kind, const char *name, const char *field);

// The object of a secret, at most DP_SECRET_MAX bytes. version: says nothing about them.
void desired_make_secret(
	uint64_t id, const void *bytes, size_t len, uint64_t version, struct desired *out);

// A list of them: filled, then sorted once by (kind, id), then read. Each (kind, id) once.
struct desired_set {
	struct desired *all;
	size_t n, cap;
};

int desired_set_put(struct desired_set *s, const struct desired *d); // 0 or -ENOMEM
void desired_set_sort(struct desired_set *s);
// In a sorted set: put one in its place, over one of the same kind and id; take one out (false: it
// was not there).
int desired_set_replace(struct desired_set *s, const struct desired *d); // 0 or -ENOMEM
bool desired_set_remove(struct desired_set *s, uint32_t kind, uint64_t id);
const struct desired *desired_set_find(const struct desired_set *s, uint32_t kind, uint64_t id);
void desired_set_free(struct desired_set *s);

// As the dataplane reports what it holds (dp_proto.h).
void desired_set_digest(const struct desired_set *s, uint64_t digest[8], uint32_t count[8]);
