// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct log_subsystem *subsystems;
static const char *const level_names[LOG_LEVELS] = {"error", "warn", "info", "debug"};

void log_register(struct log_subsystem *s)
{
	s->next = subsystems;
	subsystems = s;
}

// sd-daemon(3): a line that starts with <N> carries its priority into the journal.
static const char *level_prefix(enum log_level level)
{
	static const char *const prio[LOG_LEVELS] = {"<3>", "<4>", "<6>", "<7>"};

	return getenv("JOURNAL_STREAM") ? prio[level] : "";
}

void log_at(const struct log_subsystem *s, enum log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n, m;

	if (level > s->level)
		return;
	n = snprintf(
		line, sizeof(line), "%s%s %s: ", level_prefix(level), level_names[level], s->name);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	n += m < (int)sizeof(line) - n - 1 ? m : (int)sizeof(line) - n - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; // nowhere left to complain
}

int log_set(const char *name, enum log_level level)
{
	int rc = name ? -ENOENT : 0;

	for (struct log_subsystem *s = subsystems; s; s = s->next) {
		if (name && strcmp(name, s->name))
			continue;
		s->level = level;
		rc = 0;
	}
	return rc;
}

int log_level_parse(const char *s, enum log_level *out)
{
	for (int i = 0; i < LOG_LEVELS; i++) {
		if (strcmp(s, level_names[i]))
			continue;
		*out = (enum log_level)i;
		return 0;
	}
	return -EINVAL;
}

bool log_limit_ok(struct log_limit *l, unsigned long now_s)
{
	if (l->second != now_s) {
		l->second = now_s;
		l->used = 0;
	}
	return l->used++ < l->n;
}
