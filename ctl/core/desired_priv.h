#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the files of desired share.

#include "ctl/core/desired.h"

struct url;

// A text that is not there is empty.
static inline const char *text_of(const json_t *doc, const char *name)
{
	const char *s = json_string_value(json_object_get(doc, name));

	return s ? s : "";
}

// Numbers that are not set are 0: the dataplane's word for its default.
static inline uint32_t number_of(const json_t *doc, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(doc, name));
}

// desired_access.c
uint64_t desired_ref(const json_t *doc, const char *field); // 0: no secret
void desired_access(const json_t *doc, struct dp_acl *acl);
uint32_t desired_dialects(const json_t *doc); // bit per enum streamid_dialect; 0: the default
void desired_stream_access(const json_t *doc, struct dp_stream *s);
void desired_policy(uint32_t kind, const json_t *doc, struct dp_policy *p);
int desired_spell_access(json_t *doc, char *err, size_t cap);

// A passphrase in the URL goes to its own field; hidden there, it is a reference to what is known.
int desired_spell_passphrase(const struct url *u, json_t *doc, char *err, size_t cap);
