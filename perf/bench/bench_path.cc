// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The whole path of a packet on port mem: receive, SRT ingest, history, one rendered copy per SRT
// subscriber. An item is a copy. Budget: 50 ns at 100 subscribers. Beside it the ceiling:
// copying the same 64-byte lines with memcpy.

#include "path_bed.h"

#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

static void BM_path(benchmark::State &state)
{
	path_bed *bed =
		path_bed_new((unsigned)state.range(0), (unsigned)state.range(2), state.range(3));
	unsigned burst = (unsigned)state.range(1);
	uint64_t copies = 0;

	for (auto _ : state) {
		state.PauseTiming();
		path_bed_load(bed, burst);
		state.ResumeTiming();
		copies += path_bed_turn(bed);
	}
	state.SetItemsProcessed((int64_t)copies);
	state.counters["ns_per_copy"] = benchmark::Counter(
		(double)copies * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
	path_bed_free(bed);
}
BENCHMARK(BM_path)
	->ArgNames({"subscribers", "burst", "suite", "shared"})
	->Args({1, 16, 0, 0})
	->Args({10, 16, 0, 0})
	->Args({100, 1, 0, 0})
	->Args({100, 16, 0, 0})
	->Args({1000, 16, 0, 0})
	->Args({10000, 16, 0, 0})
	// Each subscriber under its own key: AES-128, -192, -256 in counter mode, then GCM. Budget
	// at 100 subscribers: 100 ns for 128 bit, 120 ns for 256.
	->Args({100, 1, 1, 0})
	->Args({100, 16, 1, 0})
	->Args({1000, 16, 1, 0})
	->Args({100, 16, 2, 0})
	->Args({100, 1, 3, 0})
	->Args({100, 16, 3, 0})
	->Args({100, 16, 4, 0})
	->Args({100, 16, 6, 0})
	// Targets that we call: one key, each packet encrypted once.
	->Args({1, 16, 1, 1})
	->Args({10, 16, 1, 1})
	->Args({100, 16, 1, 1})
	->Args({100, 16, 3, 1});

static void BM_memcpy_lines(benchmark::State &state)
{
	size_t n = (size_t)state.range(0) * 16;
	std::vector<char> from(n * 64, 1), to(n * 64);

	for (auto _ : state) {
		for (size_t i = 0; i < n; i++)
			std::memcpy(&to[i * 64], &from[i % (size_t)state.range(0) * 64], 64);
		benchmark::DoNotOptimize(to.data());
		benchmark::ClobberMemory();
	}
	state.SetItemsProcessed((int64_t)(state.iterations() * n));
	state.counters["ns_per_copy"] = benchmark::Counter((double)(state.iterations() * n) * 1e-9,
		benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_memcpy_lines)->ArgNames({"subscribers"})->Arg(100)->Arg(10000);

BENCHMARK_MAIN();
