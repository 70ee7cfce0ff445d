// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/out_impl.h"

#include <stdio.h>
#include <stdlib.h>

#define DIGITS 12 // of a real number, as the API writes them

static void document(struct out *o, const json_t *doc, const struct out_view *v, size_t n)
{
	json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS));
	putchar('\n');
}

static void event(struct out *o, const json_t *ev, const char *text)
{
	json_dumpf(ev, stdout, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
	putchar('\n');
}

static void done(struct out *o, const json_t *doc, const char *sentence)
{
	if (doc)
		document(o, doc, NULL, 0);
}

struct out *out_json_new(void)
{
	static const struct out_ops ops = {.document = document, .done = done, .event = event};
	struct out *o = calloc(1, sizeof(*o));

	if (o)
		o->ops = &ops;
	return o;
}
