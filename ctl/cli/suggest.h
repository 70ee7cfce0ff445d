#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// "Did you mean ...?": the known word nearest to one that was typed.

#include <stddef.h>

#define SUGGEST_WITHIN 2u // edits: more is another word, not a slip

// Insertions, deletions, replacements and swaps of neighbours that turn a into b; words that are
// longer than 63 bytes, or further apart than SUGGEST_WITHIN, are SUGGEST_WITHIN + 1 apart.
unsigned suggest_distance(const char *a, const char *b);

// Collects the best of the words it is shown, for one typed word (borrowed).
struct suggest {
	const char *typed, *best;
	unsigned distance;
};

void suggest_init(struct suggest *s, const char *typed);
void suggest_show(struct suggest *s, const char *word);

// Words that other programs use for ours: "ls" for "list". Returns typed itself when it has none.
const char *suggest_synonym(const char *typed);
