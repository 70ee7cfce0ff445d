// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The whole path of a packet: SRT ingest, history, one rendered copy per SRT subscriber, checksums
// and counters, on port mem and on port dpdk (net_null). An item is a copy. Budgets, per copy: 10
// ns on port mem; on net_null 20 ns at 1,000 to 100,000 subscribers, 30 ns at a million; under its
// own key 100 ns for AES-128, 120 for AES-256. Beside it the ceilings: the lines copied by memcpy;
// packets of one mbuf given to net_null with nothing in them. And the naive way: the payload copied
// behind each header.

#include "bench.h"
#include "path_bed.h"
#include "txonly_bed.h"

#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <vector>

namespace
{

constexpr const char *kNull = "net_null%u,no-rx=1,addr=10.0.0.1,addr=fd00::a00:1";
constexpr const char *kNullCopied = "net_null%u,no-rx=1,layout=copied,addr=10.0.0.1";

using bed_ptr = std::unique_ptr<path_bed, void (*)(path_bed *)>;

bed_ptr bed_of(const path_bed_opts &o)
{
	return bed_ptr(path_bed_new(&o), path_bed_free);
}

void rounds(benchmark::State &state, const path_bed_opts &o, unsigned burst)
{
	bed_ptr bed = bed_of(o);
	uint64_t copies = 0;
	meter m(state);

	for (auto _ : state) {
		m.pause();
		path_bed_load(bed.get(), burst);
		m.resume();
		copies += path_bed_turn(bed.get());
	}
	m.packets(copies);
}

// Args: subscribers, packets that come in a round.
void clear(benchmark::State &state, const char *device, bool v6)
{
	path_bed_opts o = {};

	o.n_subscribers = (unsigned)state.range(0);
	o.device = device;
	o.v6 = v6;
	rounds(state, o, (unsigned)state.range(1));
}

// Args: subscribers, burst, suite.
void sealed(benchmark::State &state, const char *device)
{
	path_bed_opts o = {};

	o.n_subscribers = (unsigned)state.range(0);
	o.device = device;
	o.suite = (unsigned)state.range(2);
	rounds(state, o, (unsigned)state.range(1));
}

// Targets that we call: one key, each packet encrypted once.
void sealed_once(benchmark::State &state)
{
	path_bed_opts o = {};

	o.n_subscribers = (unsigned)state.range(0);
	o.suite = (unsigned)state.range(2);
	o.shared = true;
	rounds(state, o, (unsigned)state.range(1));
}

// The same from a publisher under a key of that suite, too: `passes` says that it is the targets',
// who get what came as it is. The items are the publisher's packets.
void sealed_once_of_secret(benchmark::State &state)
{
	path_bed_opts o = {};

	o.n_subscribers = (unsigned)state.range(0);
	o.suite = (unsigned)state.range(2);
	o.shared = o.secret = true;
	o.passes = state.range(3);
	bed_ptr bed = bed_of(o);
	uint64_t copies = 0;
	meter m(state);

	for (auto _ : state) {
		m.pause();
		path_bed_load(bed.get(), (unsigned)state.range(1));
		m.resume();
		copies += path_bed_turn(bed.get());
	}
	m.packets(copies / o.n_subscribers);
}

// Args: subscribers that report losses in a round, packets in a report. An item is a repair.
void repair(benchmark::State &state, const char *device)
{
	path_bed_opts o = {};

	o.n_subscribers = 64;
	o.device = device;
	bed_ptr bed = bed_of(o);
	uint64_t copies = 0;

	for (unsigned i = 0; i < 1000; i += 10) { // a second of history
		path_bed_load(bed.get(), 10);
		path_bed_turn(bed.get());
	}
	meter m(state);
	for (auto _ : state) {
		m.pause();
		for (unsigned i = 0; i < 20; i++) { // time goes by: budgets grow
			path_bed_load(bed.get(), 16);
			path_bed_turn(bed.get());
		}
		path_bed_load_naks(bed.get(), (unsigned)state.range(0), (unsigned)state.range(1));
		m.resume();
		copies += path_bed_turn(bed.get());
	}
	if (!copies)
		return state.SkipWithError("nothing was repaired");
	m.packets(copies);
}

void copy_lines(benchmark::State &state)
{
	size_t n = (size_t)state.range(0);
	std::vector<char> from(n * 64, 1), to(4096 * 64);
	meter m(state);

	for (auto _ : state) {
		for (size_t i = 0; i < n; i++)
			memcpy(&to[i % 4096 * 64], &from[i * 64], 64);
		benchmark::ClobberMemory();
	}
	m.packets((uint64_t)state.iterations() * n);
}

void txonly(benchmark::State &state)
{
	path_bed_opts o = {};

	o.n_subscribers = 1;
	bed_ptr eal = bed_of(o);
	txonly_bed *bed = txonly_bed_new();
	uint64_t packets = 0;

	if (!bed)
		return state.SkipWithError("no device net_null");
	meter m(state);
	for (auto _ : state)
		packets += txonly_bed_burst(bed);
	m.packets(packets);
	txonly_bed_free(bed);
}

uint64_t memory_of(unsigned n_subscribers)
{
	path_bed_opts o = {};
	uint64_t before = path_bed_memory();

	o.n_subscribers = n_subscribers;
	bed_ptr bed = bed_of(o);
	return path_bed_memory() - before;
}

// Args: subscribers of the smaller worker, of the larger. What a subscriber takes of a worker's
// memory, in bytes, as the difference; a bed before them takes what is taken once.
void memory(benchmark::State &state)
{
	int64_t few = state.range(0), many = state.range(1);
	double each = 0;

	memory_of(1);
	for (auto _ : state)
		each = ((double)memory_of((unsigned)many) - (double)memory_of((unsigned)few)) /
		       (double)(many - few);
	state.counters["bytes"] = each;
}

void subscribers(benchmark::internal::Benchmark *b)
{
	b->ArgNames({"subscribers", "burst"});
	for (int n : {1, 100, 1000, 10000, 100000, 1000000})
		b->Args({n, 1});
	b->Args({100, 16})->Args({1000, 16})->Args({100000, 16});
}

void suites(benchmark::internal::Benchmark *b)
{
	b->ArgNames({"subscribers", "burst", "suite"});
	for (int suite : {1, 3, 4, 6}) // AES-128 and -256 in counter mode, then GCM
		b->Args({100, 1, suite})->Args({100, 16, suite})->Args({1000, 1, suite});
	b->Args({10000, 1, 1})->Args({10000, 1, 3});
}

BENCHMARK_CAPTURE(clear, mem, nullptr, false)->Apply(subscribers);
BENCHMARK_CAPTURE(clear, mem6, nullptr, true)->Apply(subscribers);
BENCHMARK_CAPTURE(clear, net_null, kNull, false)->Apply(subscribers);
BENCHMARK_CAPTURE(clear, net_null_copied, kNullCopied, false)->Apply(subscribers);
BENCHMARK_CAPTURE(clear, net_null6, kNull, true)->Apply(subscribers);
BENCHMARK_CAPTURE(sealed, mem, nullptr)->Apply(suites);
BENCHMARK_CAPTURE(sealed, net_null, kNull)->Apply(suites);
BENCHMARK(sealed_once)
	->ArgNames({"subscribers", "burst", "suite"})
	->ArgsProduct({{1, 10, 100}, {16}, {1, 3}});
BENCHMARK(sealed_once_of_secret)
	->ArgNames({"subscribers", "burst", "suite", "passes"})
	->ArgsProduct({{1, 10}, {1, 16}, {1, 3}, {0, 1}});
BENCHMARK_CAPTURE(repair, mem, nullptr)
	->ArgNames({"subscribers", "lost"})
	->ArgsProduct({{1, 64}, {1, 16}});
BENCHMARK_CAPTURE(repair, net_null, kNull)
	->ArgNames({"subscribers", "lost"})
	->ArgsProduct({{64}, {16}});
BENCHMARK(copy_lines)->ArgName("subscribers")->Arg(100)->Arg(10000)->Arg(100000)->Arg(1000000);
BENCHMARK(txonly);
BENCHMARK(memory)->ArgNames({"few", "many"})->Args({10000, 100000})->Iterations(1);

} // namespace

BENCHMARK_MAIN();
