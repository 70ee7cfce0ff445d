// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/out.h"

#include "ctl/cli/fmt.h"
#include "ctl/cli/out_impl.h"
#include "ctl/cli/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

void out_free(struct out *o)
{
	free(o);
}

size_t out_terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize w;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (columns && atoi(columns) > 0)
		return (size_t)atoi(columns);
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) ? 0 : w.ws_col;
}

void out_document(struct out *o, const json_t *doc, const struct out_view *views, size_t n_views)
{
	o->ops->document(o, doc, views, n_views);
	out_flush(o);
}

void out_event(struct out *o, const json_t *event, const char *text)
{
	o->ops->event(o, event, text);
	out_flush(o);
}

void out_say(struct out *o, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s\n", table_clean(text));
}

void out_done(struct out *o, const json_t *doc, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	o->ops->done(o, doc, text);
	out_flush(o);
}

int out_flush(struct out *o)
{
	errno = 0;
	if ((fflush(stdout) || ferror(stdout)) && !o->error)
		o->error = errno ? errno : EIO;
	return o->error;
}

static const char *number(double v, enum out_format format, char *buf)
{
	switch (format) {
	case OUT_COUNT:
		return fmt_count(v, buf);
	case OUT_BYTES:
		return fmt_bytes(v, buf);
	case OUT_BITRATE:
		return fmt_bitrate(v, buf);
	case OUT_MS:
		return fmt_ms(v, buf);
	case OUT_SECONDS:
		return fmt_duration(v, buf);
	case OUT_RATIO:
		return fmt_ratio(v, buf);
	default:
		snprintf(buf, OUT_CELL_LEN, "%.15g", v);
		return buf;
	}
}

static const char *since(const char *text, char *buf)
{
	struct timespec now;
	double t;

	if (fmt_parse_time(text, &t)) {
		snprintf(buf, OUT_CELL_LEN, "%s", text);
		return buf;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	return fmt_duration((double)now.tv_sec - t, buf);
}

// A list of texts on one line.
static const char *joined(const json_t *list, char *buf)
{
	size_t at = 0, i;
	json_t *item;

	snprintf(buf, OUT_CELL_LEN, "-");
	json_array_foreach(list, i, item)
	{
		int n = snprintf(buf + at, OUT_CELL_LEN - at, "%s%s", i ? ", " : "",
			json_is_string(item) ? json_string_value(item) : "..");

		if (n < 0 || (at += (size_t)n) >= OUT_CELL_LEN)
			break;
	}
	return buf;
}

const char *out_cell(const json_t *obj, const struct out_col *col, char *buf)
{
	const json_t *v = json_object_get(obj, col->field);

	if (json_is_boolean(v))
		return json_is_true(v) ? "yes" : "no";
	if (json_is_number(v) && json_number_value(v) < 0)
		return "-"; // core -1: not pinned
	if (json_is_number(v))
		return number(json_number_value(v), col->format, buf);
	if (json_is_array(v))
		return joined(v, buf);
	if (json_object_get(v, "ref"))
		return "***"; // a secret
	if (!json_is_string(v) || !*json_string_value(v))
		return "-";
	if (col->format == OUT_SINCE)
		return since(json_string_value(v), buf);
	snprintf(buf, OUT_CELL_LEN, "%s", json_string_value(v));
	return buf;
}
