// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "load/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { KEPT_WITHIN = 100 * TS_MS };

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

void report_put_hist(json_t *out, const char *key, const struct hist *h)
{
	static const struct {
		const char *key;
		double share;
	} points[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999},
		{"p99_99", 0.9999}, {"p99_999", 0.99999}};
	json_t *o;

	if (!h->n) {
		json_object_set_new(out, key, json_null());
		return;
	}
	o = json_pack("{s:I, s:I, s:f}", "n", (json_int_t)h->n, "min", (json_int_t)h->min, "mean",
		(double)h->sum / (double)h->n);
	for (unsigned i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		json_object_set_new(
			o, points[i].key, json_integer((json_int_t)hist_at(h, points[i].share)));
	json_object_set_new(o, "max", json_integer((json_int_t)h->max));
	json_object_set_new(out, key, o);
}

bool report_put_meter(struct load *l, json_t *out)
{
	meter_close(&l->meter);
	report_put_hist(out, "latency_us", &l->meter.latency);
	report_put_hist(out, "first_copy_us", &l->meter.first);
	report_put_hist(out, "last_copy_us", &l->meter.last);
	return true;
}

// A stall that was caught up with is in lag_us; who is behind in the end has not kept its rate.
bool report_put_sending(const struct load *l, json_t *out)
{
	bool kept = l->behind <= KEPT_WITHIN;

	report_put_hist(out, "lag_us", &l->meter.lag);
	json_object_set_new(out, "kept_rate", json_boolean(kept));
	if (!kept)
		fprintf(stderr, "sluice-load: the rate could not be kept: %u ms behind\n",
			(unsigned)(l->behind / TS_MS));
	return kept;
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
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rx",
			(json_int_t)n->rx, "rx_messages", (json_int_t)n->rx_messages, "tx",
			(json_int_t)n->tx, "tx_refused", (json_int_t)n->tx_refused, "rx_overflow",
			(json_int_t)net_overflow(&l->net), "lost", (json_int_t)n->lost, "repeated",
			(json_int_t)n->repeated, "held", (json_int_t)n->held, "held_full",
			(json_int_t)n->held_full, "stray", (json_int_t)n->stray));
}

void report_progress(const struct load *l, ts_us now)
{
	json_t *o = json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:f}", "t_s",
		(double)(now - l->started) / (double)TS_S, "up", (json_int_t)l->n_up, "packets",
		(json_int_t)l->n_packets, "sent", (json_int_t)l->n_sent, "rx",
		(json_int_t)l->net.stats.rx, "tx", (json_int_t)l->net.stats.tx, "cpu_s",
		cpu_seconds());

	json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	fflush(stdout);
	json_decref(o);
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
