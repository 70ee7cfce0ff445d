// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/suggest.h"

#include <string.h>

#define WORD_MAX 63u

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

// Optimal string alignment, three rows of the matrix at a time.
unsigned suggest_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned rows[3][WORD_MAX + 1];

	if (na > WORD_MAX || nb > WORD_MAX)
		return SUGGEST_WITHIN + 1;
	for (unsigned j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= na; i++) {
		unsigned *now = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= nb; j++) {
			now[j] = min(up[j] + 1, now[j - 1] + 1);
			now[j] = min(now[j], up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = min(now[j], up2[j - 2] + 1);
		}
	}
	return min(rows[na % 3][nb], SUGGEST_WITHIN + 1);
}

void suggest_init(struct suggest *s, const char *typed)
{
	*s = (struct suggest){.typed = typed, .distance = SUGGEST_WITHIN + 1};
}

void suggest_show(struct suggest *s, const char *word)
{
	unsigned d = suggest_distance(s->typed, word);

	// Of a word of two letters, two edits leave nothing.
	if (d < s->distance && d < strlen(word)) {
		s->distance = d;
		s->best = word;
	}
}

const char *suggest_synonym(const char *typed)
{
	static const char *const words[][2] = {{"ls", "list"}, {"get", "show"}, {"info", "show"},
		{"describe", "show"}, {"rm", "del"}, {"remove", "del"}, {"delete", "del"},
		{"create", "add"}, {"new", "add"}, {"update", "set"}, {"edit", "set"},
		{"subscriber", "sub"}, {"subscribers", "sub"}, {"publisher", "pub"},
		{"publishers", "pub"}, {"events", "watch"}, {"version", "--version"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(typed, words[i][0]))
			return words[i][1];
	return typed;
}
