#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The table of URL parameters: names, who may carry them, what they may say.

#include "proto/url.h"

enum url_type {
	URL_T_NUMBER,
	URL_T_BOOL,
	URL_T_TEXT,    // min to max bytes
	URL_T_ADDRESS, // an IP address
	URL_T_WORD,    // one of words, separated by |
	URL_T_VERSION, // a.b.c
};

struct url_param_rule {
	const char *name;
	enum url_type type;
	unsigned schemes; // enum url_scheme, or-ed
	int64_t min, max;
	const char *words;
};

extern const struct url_param_rule url_rules[URL_N_KEYS];

// By any of its spellings; -1 when there is none.
int url_key_find(const char *name, size_t len);

// Check a decoded value and bring it to its one spelling, in place. Returns 0, or -EINVAL and a
// sentence.
int url_value_check(enum url_key key, char *value, char *err, size_t cap);
