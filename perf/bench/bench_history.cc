// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The history of a stream: a packet goes in and the oldest comes out, and one that was asked for is
// found. Beside it what the standard library has for that: a map in order of numbers, for only such
// a one can also be cut at its old end, and a hash table for finding alone.

#include "bench.h"

extern "C" {
#include "state/history.h"
}

#include <map>
#include <unordered_map>
#include <vector>

namespace
{

constexpr uint64_t kFirst = 1000000;

history_entry entry_of(uint64_t seq)
{
	static rte_mbuf *const frame = (rte_mbuf *)&frame; // any: nobody looks into it
	history_entry e = {};

	e.frame = frame;
	e.play = e.arrival = seq * 1000;
	e.len = e.media_len = 1316;
	return e;
}

struct filled {
	std::vector<history_entry> entries = std::vector<history_entry>(HISTORY_CAP);
	history h = {};

	explicit filled(uint64_t depth)
	{
		history_init(&h, entries.data(), kFirst);
		for (uint64_t seq = kFirst; seq < kFirst + depth; seq++)
			put(seq);
	}

	void put(uint64_t seq)
	{
		history_entry e = entry_of(seq);

		history_extend(&h, seq);
		history_put(&h, seq, &e);
	}
};

// Args: packets that the history holds.
void insert(benchmark::State &state)
{
	filled f((uint64_t)state.range(0));
	history_entry out;
	meter m(state);

	for (auto _ : state) {
		f.put(f.h.next);
		benchmark::DoNotOptimize(history_pop(&f.h, &out));
	}
	m.packets((uint64_t)state.iterations());
}

void insert_map(benchmark::State &state)
{
	std::map<uint64_t, history_entry> all;
	uint64_t next = kFirst;

	for (; all.size() < (size_t)state.range(0); next++)
		all.emplace_hint(all.end(), next, entry_of(next));
	meter m(state);

	for (auto _ : state) {
		all.emplace_hint(all.end(), next, entry_of(next));
		next++;
		all.erase(all.begin());
	}
	m.packets((uint64_t)state.iterations());
}

void find(benchmark::State &state)
{
	filled f((uint64_t)state.range(0));
	shuffled r;
	meter m(state);

	for (auto _ : state)
		benchmark::DoNotOptimize(
			history_find(&f.h, kFirst + r.next() % (uint64_t)state.range(0)));
	m.packets((uint64_t)state.iterations());
}

void find_hash(benchmark::State &state)
{
	std::unordered_map<uint64_t, history_entry> all;
	shuffled r;

	for (uint64_t i = 0; i < (uint64_t)state.range(0); i++)
		all[kFirst + i] = entry_of(kFirst + i);
	meter m(state);

	for (auto _ : state)
		benchmark::DoNotOptimize(all.find(kFirst + r.next() % (uint64_t)state.range(0)));
	m.packets((uint64_t)state.iterations());
}

BENCHMARK(insert)->Arg(128)->Arg(8000);
BENCHMARK(insert_map)->Arg(128)->Arg(8000);
BENCHMARK(find)->Arg(128)->Arg(8000);
BENCHMARK(find_hash)->Arg(128)->Arg(8000);

} // namespace

BENCHMARK_MAIN();
