// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/usage.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Lines pass to stderr, but for argp's "Try `NAME --help' or ..".
static ssize_t pass(void *, const char *text, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		const char *end = memchr(text + at, '\n', len - at);

		n = end ? (size_t)(end - text) + 1 - at : len - at;
		if ((n < 4 || memcmp(text + at, "Try ", 4)) &&
			write(STDERR_FILENO, text + at, n) < 0)
			return -1;
	}
	return (ssize_t)len;
}

void usage_one_sentence(struct argp_state *st)
{
	FILE *f = fopencookie(NULL, "w", (cookie_io_functions_t){.write = pass});

	if (f)
		st->err_stream = f; // written out by exit()
}
