// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Finding the session of a packet among N, in no order: by the slot number in the socket id that we
// gave it, the address compared (path/steer.c). Beside it the naive way, a hash table by address
// and port; and the ceiling, making the packet and finding nothing.

#include "bench.h"
#include "flow_bed.h"

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace
{

using bed_ptr = std::unique_ptr<flow_bed, void (*)(flow_bed *)>;

// Args: sessions.
template <class F> void batches(benchmark::State &state, flow_bed *bed, F each_batch)
{
	unsigned n = (unsigned)state.range(0);
	shuffled r;
	meter m(state);

	for (auto _ : state) {
		unsigned who[FLOW_BATCH];

		for (unsigned i = 0; i < FLOW_BATCH; i++) {
			who[i] = (unsigned)(r.next() % n);
			flow_bed_packet(bed, i, who[i]);
		}
		if (!each_batch(who))
			return state.SkipWithError("a session was not found");
	}
	m.packets((uint64_t)state.iterations() * FLOW_BATCH);
}

bed_ptr bed_of(benchmark::State &state)
{
	return bed_ptr(flow_bed_new((unsigned)state.range(0)), flow_bed_free);
}

void by_id(benchmark::State &state)
{
	bed_ptr bed = bed_of(state);

	batches(state, bed.get(),
		[&](const unsigned *) { return flow_bed_steer(bed.get()) == FLOW_BATCH; });
}

struct endpoint_hash {
	size_t operator()(const endpoint &e) const
	{
		return std::hash<std::string_view>()(std::string_view((const char *)&e, sizeof(e)));
	}
};

struct endpoint_same {
	bool operator()(const endpoint &a, const endpoint &b) const
	{
		return endpoint_eq(&a, &b);
	}
};

void by_address(benchmark::State &state)
{
	bed_ptr bed = bed_of(state);
	std::unordered_map<endpoint, uint32_t, endpoint_hash, endpoint_same> table;

	for (unsigned i = 0; i < (unsigned)state.range(0); i++)
		table[flow_bed_peer(i)] = flow_bed_id(bed.get(), i);
	batches(state, bed.get(), [&](const unsigned *who) {
		uint32_t found = 0;

		for (unsigned i = 0; i < FLOW_BATCH; i++)
			found += table.find(flow_bed_peer(who[i])) != table.end();
		return found == FLOW_BATCH;
	});
}

void packet_only(benchmark::State &state)
{
	bed_ptr bed = bed_of(state);

	batches(state, bed.get(), [](const unsigned *who) {
		benchmark::DoNotOptimize(who);
		benchmark::ClobberMemory();
		return true;
	});
}

BENCHMARK(by_id)->Arg(1)->Arg(1000)->Arg(100000);
BENCHMARK(by_address)->Arg(1)->Arg(1000)->Arg(100000);
BENCHMARK(packet_only)->Arg(1)->Arg(1000)->Arg(100000);

} // namespace

BENCHMARK_MAIN();
