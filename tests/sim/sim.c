// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The protocol objects over a seeded path: a publisher and a player, or a publisher, a relay and a
// player that joins later. Every run is a function of its seed.
//
//   sim [--heal] [--seeds N] [--from SEED] [--verbose]     random plans, properties asserted
//                                                 --heal: the path becomes perfect half-way
//   sim --profile                                 the bad path: nothing may be missing
//   sim --golden                                  exact numbers of a few runs

#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void report(const struct sim *s, char *out, size_t cap)
{
	int n = 0;

	for (int i = 0; i < (s->plan.chain ? PARTIES : REL_OUT); i++) {
		const struct party *p = &s->parties[i];
		const struct party_stats *t = &p->stats;

		n += p->sending
			     ? snprintf(out + n, cap - (size_t)n,
				       "%s sent %u again %u repeated %u late %u acks %u naks %u; ",
				       p->name, t->sent, t->resent, t->repeated, t->late, t->acks,
				       t->naks)
			     : snprintf(out + n, cap - (size_t)n,
				       "%s got %u gave up %u duplicate %u recovered %u; ", p->name,
				       t->delivered, t->gave_up,
				       (unsigned)p->rcv.link.stats.duplicate,
				       (unsigned)p->rcv.link.stats.recovered);
	}
}

static int run_plan(const struct plan *p, char *out, size_t cap)
{
	static struct sim s;
	int bad;

	sim_init(&s, p);
	sim_run(&s);
	if (!s.fault[0])
		check_all(&s);
	bad = s.fault[0] != '\0';
	report(&s, out, cap);
	if (bad)
		printf("seed %llu: %s\n  %s\n", (unsigned long long)p->seed, s.fault, out);
	sim_fini(&s);
	return bad;
}

static int run_seeds(uint64_t from, uint64_t n, bool healing, bool verbose)
{
	char line[1024];
	int bad = 0;

	for (uint64_t seed = from; seed < from + n; seed++) {
		struct plan p = healing ? plan_healing(seed) : plan_random(seed);

		bad += run_plan(&p, line, sizeof(line));
		if (verbose)
			printf("seed %llu: %s\n", (unsigned long long)seed, line);
	}
	printf("%llu seeds from %llu, %d bad\n", (unsigned long long)n, (unsigned long long)from,
		bad);
	return bad != 0;
}

static int run_profile(uint64_t seeds)
{
	static const uint32_t periods[] = {1000, 2632}; // 10 and 4 Mb/s of 1316-byte packets
	char line[1024];
	int bad = 0;

	for (uint64_t seed = 1; seed <= seeds; seed++)
		for (int i = 0; i < 2; i++) {
			struct plan p = plan_bad_path(seed, periods[i], 60000);

			bad += run_plan(&p, line, sizeof(line));
			printf("%u us, seed %llu: %s\n", periods[i], (unsigned long long)seed,
				line);
		}
	return bad != 0;
}

// --- golden runs ----------------------------------------------------------------------------

// What a few runs did when this was written. A change here is a change of behaviour: look whether
// it was meant, then write down the new numbers.
static const struct {
	uint64_t seed;
	const char *report;
} golden[] = {
	{1, "publisher sent 791 again 40 repeated 6 late 0 acks 148 naks 34; ingest got 791 "
	    "gave up 0 duplicate 13 recovered 33; egress sent 414 again 132 repeated 50 late "
	    "0 acks 22 naks 52; player got 414 gave up 0 duplicate 131 recovered 44; "},
	{3, "publisher sent 683 again 28 repeated 1 late 0 acks 370 naks 27; ingest got 683 "
	    "gave up 0 duplicate 13 recovered 25; "},
	{11, "publisher sent 691 again 333 repeated 78 late 0 acks 28 naks 125; ingest got "
	     "690 gave up 0 duplicate 143 recovered 164; "},
};

static int run_golden(void)
{
	char line[1024];
	int bad = 0;

	for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		struct plan p = plan_random(golden[i].seed);

		bad += run_plan(&p, line, sizeof(line));
		if (!strcmp(line, golden[i].report))
			continue;
		printf("seed %llu\n  was %s\n  is  %s\n", (unsigned long long)golden[i].seed,
			golden[i].report, line);
		bad++;
	}
	return bad != 0;
}

int main(int argc, char **argv)
{
	uint64_t seeds = 1000, from = 0;
	bool verbose = false, with_profile = false, healing = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--verbose"))
			verbose = true;
		else if (!strcmp(argv[i], "--golden"))
			return run_golden();
		else if (!strcmp(argv[i], "--profile"))
			with_profile = true;
		else if (!strcmp(argv[i], "--heal"))
			healing = true;
		else if (!strcmp(argv[i], "--seeds") && i + 1 < argc)
			seeds = strtoull(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--from") && i + 1 < argc)
			from = strtoull(argv[++i], NULL, 10);
		else {
			fprintf(stderr, "usage: sim [--golden] [--profile] [--heal] [--seeds N] "
					"[--from SEED] [--verbose]\n");
			return 2;
		}
	}
	return with_profile ? run_profile(seeds) : run_seeds(from, seeds, healing, verbose);
}
