// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/cli/fmt.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEN_YEARS_MS 315360000000.0

// Three digits that count: 4.02, 40.2, 402.
static int decimals(double v)
{
	return v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
}

static const char *scaled(double v, const char *unit, char *buf)
{
	static const char *const prefix[] = {"", "k", "M", "G", "T", "P"};
	size_t i = 0;

	if (v < 999.5) {
		snprintf(buf, FMT_LEN, "%.0f %s", v, unit);
		return buf;
	}
	while (v >= 999.5 && i + 1 < sizeof(prefix) / sizeof(*prefix)) {
		v /= 1000;
		i++;
	}
	snprintf(buf, FMT_LEN, "%.*f %s%s", decimals(v), v, prefix[i], unit);
	return buf;
}

const char *fmt_count(double v, char *buf)
{
	static const char *const prefix[] = {"M", "G", "T", "P"};
	size_t i = 0;

	if (v < 999999.5) {
		snprintf(buf, FMT_LEN, "%.0f", v);
		return buf;
	}
	for (v /= 1e6; v >= 9999.5 && i + 1 < sizeof(prefix) / sizeof(*prefix); i++)
		v /= 1000;
	snprintf(buf, FMT_LEN, "%.*f %s", decimals(v) + (v < 999.5), v, prefix[i]);
	return buf;
}

const char *fmt_bytes(double v, char *buf)
{
	return scaled(v, "B", buf);
}

const char *fmt_bitrate(double v, char *buf)
{
	return scaled(v, "b/s", buf);
}

const char *fmt_ms(double v, char *buf)
{
	snprintf(buf, FMT_LEN, "%.*f ms", v == floor(v) ? 0 : decimals(v), v);
	return buf;
}

const char *fmt_ratio(double v, char *buf)
{
	snprintf(buf, FMT_LEN, "%.1f %%", v * 100);
	return buf;
}

const char *fmt_duration(double s, char *buf)
{
	unsigned long long t = s > 0 ? (unsigned long long)s : 0;

	if (t < 60)
		snprintf(buf, FMT_LEN, "%llu s", t);
	else if (t < 3600)
		snprintf(buf, FMT_LEN, "%llu min %llu s", t / 60, t % 60);
	else if (t < 86400)
		snprintf(buf, FMT_LEN, "%llu h %llu min", t / 3600, t / 60 % 60);
	else
		snprintf(buf, FMT_LEN, "%llu d %llu h", t / 86400, t / 3600 % 24);
	return buf;
}

int fmt_parse_duration(const char *s, uint64_t *ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000},
		{"h", 3600000}, {"d", 86400000}};
	size_t digits = strspn(s, "0123456789.");
	char *end;
	double v = strtod(s, &end);

	// strtod takes "inf", hexadecimal and exponents too.
	if (!digits || end != s + digits)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(end, units[i].unit)) {
			if (v * units[i].ms > TEN_YEARS_MS)
				return -EINVAL;
			*ms = (uint64_t)(v * units[i].ms + 0.5);
			return 0;
		}
	return -EINVAL;
}

int fmt_parse_time(const char *s, double *out)
{
	struct tm tm = {0};
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	double fraction = 0;
	int h, m, offset = 0;
	char sign;

	if (!rest)
		return -EINVAL;
	if (*rest == '.') {
		char *end;

		fraction = strtod(rest, &end);
		rest = end;
	}
	if (sscanf(rest, "%c%2d:%2d", &sign, &h, &m) == 3 && (sign == '+' || sign == '-'))
		offset = (sign == '-' ? -1 : 1) * (h * 3600 + m * 60);
	else if (strcmp(rest, "Z"))
		return -EINVAL;
	*out = (double)timegm(&tm) + fraction - offset;
	return 0;
}
