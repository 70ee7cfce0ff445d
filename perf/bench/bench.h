#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What all benches report alike.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <ctime>

// Counts packets, and says what one of them cost: nanoseconds of the thread's CPU time, and as many
// cycles of the CPU's nominal clock. So a neighbour who takes the core away for a while does not
// count. Made right before the loop.
class meter
{
      public:
	explicit meter(benchmark::State &s) : state(s), look(look_s()), from(cpu_s())
	{
	}

	void pause()
	{
		state.PauseTiming();
		spent += cpu_s() - from - look;
	}

	void resume()
	{
		from = cpu_s();
		state.ResumeTiming();
	}

	// n packets were worked on, unless nothing ran: then there is nothing to say.
	void packets(uint64_t n)
	{
		double each = (spent + cpu_s() - from) / (double)n;

		if (!n)
			return;
		state.SetItemsProcessed((int64_t)n);
		state.counters["ns"] = each * 1e9;
		state.counters["cycles"] = each * benchmark::CPUInfo::Get().cycles_per_second;
	}

      private:
	benchmark::State &state;
	double look; // what looking at the clock costs
	double spent = 0, from;

	static double look_s()
	{
		double least = 1;

		for (unsigned i = 0; i < 100; i++) {
			double at = cpu_s();

			least = std::min(least, cpu_s() - at);
		}
		return least;
	}

	static double cpu_s()
	{
		timespec t;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
		return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
	}
};

// Numbers without order, the same in every run: what defeats a prefetcher.
struct shuffled {
	uint64_t state = 1;

	uint64_t next()
	{
		state ^= state << 13;
		state ^= state >> 7;
		return state ^= state << 17;
	}
};
