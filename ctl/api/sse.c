// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/api/sse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool append(char **to, size_t *len, const char *bytes, size_t n)
{
	char *more = *len + n < SSE_LINE_MAX ? realloc(*to, *len + n + 1) : NULL;

	if (!more)
		return false;
	memcpy(more + *len, bytes, n);
	*len += n;
	more[*len] = '\0';
	*to = more;
	return true;
}

// A blank line: the event is complete. One without data is none.
static bool dispatch(struct sse *s)
{
	json_t *doc;

	if (s->data_len) {
		doc = json_loadb(s->data, s->data_len - 1, JSON_DECODE_ANY, NULL);
		s->stopped = !s->cb(s->id, *s->type ? s->type : "message", doc, s->arg);
		json_decref(doc);
	}
	s->data_len = 0;
	*s->type = '\0';
	return !s->stopped;
}

static bool take_line(struct sse *s)
{
	char *value = strchr(s->line, ':');

	if (!s->line_len)
		return dispatch(s);
	if (!value)
		return true;
	*value++ = '\0';
	value += *value == ' ';
	if (!strcmp(s->line, "id"))
		snprintf(s->id, sizeof(s->id), "%s", value);
	else if (!strcmp(s->line, "event"))
		snprintf(s->type, sizeof(s->type), "%s", value);
	else if (!strcmp(s->line, "data"))
		return append(&s->data, &s->data_len, value, strlen(value)) &&
		       append(&s->data, &s->data_len, "\n", 1);
	return true;
}

bool sse_feed(struct sse *s, const char *bytes, size_t n)
{
	while (n) {
		const char *end = memchr(bytes, '\n', n);
		size_t len = end ? (size_t)(end - bytes) : n;

		if (!append(&s->line, &s->line_len, bytes, len))
			return false;
		if (!end)
			return true;
		if (s->line_len && s->line[s->line_len - 1] == '\r')
			s->line[--s->line_len] = '\0';
		if (!take_line(s))
			return false;
		s->line_len = 0;
		bytes += len + 1;
		n -= len + 1;
	}
	return true;
}

void sse_fini(struct sse *s)
{
	free(s->data);
	free(s->line);
	s->data = s->line = NULL;
}
