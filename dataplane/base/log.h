#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Logging for control code. A subsystem has a level that can be set at run time; path/ and proto/
// do not log, they count. One line per event that a person would act on.

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVELS };

struct log_subsystem {
	const char *name;
	enum log_level level;
	struct log_subsystem *next;
};

// One per file that logs: LOG_SUBSYSTEM(admit); then log_info("...").
#define LOG_SUBSYSTEM(id)                                                        \
	static struct log_subsystem log_self = {.name = #id, .level = LOG_INFO}; \
	__attribute__((constructor)) static void log_self_register(void)         \
	{                                                                        \
		log_register(&log_self);                                         \
	}

#define log_error(...) log_at(&log_self, LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(&log_self, LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(&log_self, LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(&log_self, LOG_DEBUG, __VA_ARGS__)

void log_register(struct log_subsystem *s);

// Write "<prio>subsystem: text" to stderr (the priority prefix only under journald), one write.
void log_at(const struct log_subsystem *s, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// Set the level of one subsystem, or of all when name is NULL. Returns 0 or -ENOENT.
int log_set(const char *name, enum log_level level);

// "error", "warn", "info", "debug" -> level. Returns 0 or -EINVAL.
int log_level_parse(const char *s, enum log_level *out);

// A budget for lines that a peer can cause: true at most n times a second.
struct log_limit {
	unsigned n, used;
	unsigned long second;
};
bool log_limit_ok(struct log_limit *l, unsigned long now_s);
