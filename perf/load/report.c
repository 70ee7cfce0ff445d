// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

json_t *report_spread(uint64_t *values, uint32_t n)
{
	if (!n)
		return json_null();
	qsort(values, n, sizeof(*values), by_value);
	return json_pack("{s:I, s:I, s:I}", "min", (json_int_t)values[0], "median",
		(json_int_t)values[n / 2], "max", (json_int_t)values[n - 1]);
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void put_run(struct load *l, json_t *out)
{
	const struct net_stats *n = &l->net.stats;

	json_object_set_new(out, "role", json_string(l->role->name));
	json_object_set_new(out, "count", json_integer(l->opts.count));
	json_object_set_new(
		out, "elapsed_s", json_real((double)(ts_now() - l->started) / (double)TS_S));
	json_object_set_new(out, "cpu_s", json_real(cpu_seconds()));
	json_object_set_new(out, "datagrams",
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rx", (json_int_t)n->rx, "tx",
			(json_int_t)n->tx, "tx_refused", (json_int_t)n->tx_refused, "rx_overflow",
			(json_int_t)net_overflow(&l->net), "lost", (json_int_t)n->lost, "repeated",
			(json_int_t)n->repeated, "held", (json_int_t)n->held, "held_full",
			(json_int_t)n->held_full));
}

// One line per member; spreads and other small objects stay on theirs.
static void print_text(const json_t *doc)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)doc, key, value)
	{
		char *text = json_is_null(value)
				     ? NULL
				     : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

		printf("%-16s %s\n", key, text ? text : "-");
		free(text);
	}
}

bool report_print(struct load *l)
{
	json_t *doc = json_object();
	bool good;

	put_run(l, doc);
	good = l->role->report(l, doc);
	json_object_set_new(doc, "good", json_boolean(good));
	if (l->opts.json) {
		json_dumpf(doc, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else {
		print_text(doc);
	}
	json_decref(doc);
	return good;
}
