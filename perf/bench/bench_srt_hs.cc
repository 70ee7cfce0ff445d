// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The listener's part of a handshake, leaf by leaf, and a caller's whole way through it. What a
// flood costs is the induction, and the cookie of a conclusion that has a wrong one. Beside them
// the ceiling: copying the datagram. An item is a datagram, of `call` a whole handshake.

#include "bench.h"

extern "C" {
#include "proto/srt_caller.h"
#include "proto/srt_cookie.h"
#include "proto/srt_hs.h"
}

#include <cstring>

namespace
{

constexpr ts_us kNow = 1000 * TS_S;
constexpr uint32_t kIsn = 1000;
constexpr const char *kStream = "#!::r=live/channel-1,m=request,u=somebody";

const srt_cookie_key kKey = {0x1234567890abcdef, 0xfedcba0987654321};
const endpoint kPeer = endpoint_of_v4(0x0a000002, 40000);

// A caller's datagrams.
struct call {
	srt_caller c = {};
	uint8_t out[SRT_HS_REQUEST_MAX];
	size_t len = 0;

	explicit call(uint32_t id = 77)
	{
		srt_caller_init(&c, kNow, id, kIsn, 120, 120, kStream);
		poll();
	}

	void poll()
	{
		ssize_t n = srt_caller_poll(&c, kNow, out, sizeof(out));

		len = n > 0 ? (size_t)n : 0;
	}

	void induced()
	{
		uint8_t answer[SRT_HS_LEN];

		srt_hs_induction_answer(out, srt_cookie_make(&kKey, &kPeer, 9000, kNow), answer);
		srt_caller_feed(&c, kNow, answer, sizeof(answer));
		poll();
	}
};

void induction(benchmark::State &state)
{
	call c;
	uint8_t answer[SRT_HS_LEN];
	meter m(state);

	for (auto _ : state) {
		if (srt_hs_classify(c.out, c.len) != SRT_HS_INDUCTION)
			return state.SkipWithError("no induction");
		srt_hs_induction_answer(c.out, srt_cookie_make(&kKey, &kPeer, 9000, kNow), answer);
		benchmark::DoNotOptimize(answer);
	}
	m.packets((uint64_t)state.iterations());
}

// Four hashes: this key and the last one, this minute and the one before.
void wrong_cookie(benchmark::State &state)
{
	call c;

	c.induced();
	meter m(state);

	for (auto _ : state)
		benchmark::DoNotOptimize(
			srt_hs_classify(c.out, c.len) == SRT_HS_CONCLUSION &&
			srt_cookie_ok(&kKey, &kPeer, 9000, kNow, srt_hs_cookie(c.out) ^ 1));
	m.packets((uint64_t)state.iterations());
}

void conclusion(benchmark::State &state)
{
	srt_hs_req req;
	call c;

	c.induced();
	meter m(state);

	for (auto _ : state) {
		if (!srt_cookie_ok(&kKey, &kPeer, 9000, kNow, srt_hs_cookie(c.out)) ||
			srt_hs_conclusion_parse(c.out, c.len, &req))
			return state.SkipWithError("no conclusion");
		benchmark::DoNotOptimize(req);
	}
	m.packets((uint64_t)state.iterations());
}

srt_hs_answer answer_of(const srt_hs_req &r)
{
	srt_hs_answer a = {};

	a.own_id = 5;
	a.caller_id = r.caller_id;
	a.isn = r.isn;
	a.mss = r.mss;
	a.window = r.window;
	a.cookie = r.cookie;
	a.flags = SRT_F_OURS;
	return a;
}

void answer(benchmark::State &state)
{
	uint8_t out[SRT_HS_ANSWER_MAX];
	srt_hs_answer a = answer_of(srt_hs_req{});
	meter m(state);

	for (auto _ : state) {
		benchmark::DoNotOptimize(srt_hs_answer_write(&a, 0, out, sizeof(out)));
		benchmark::DoNotOptimize(out);
	}
	m.packets((uint64_t)state.iterations());
}

// Both ends.
void whole(benchmark::State &state)
{
	uint8_t out[SRT_HS_ANSWER_MAX];
	uint32_t id = 1;
	srt_hs_req req;
	meter m(state);

	for (auto _ : state) {
		call c(id++);

		c.induced();
		if (srt_hs_conclusion_parse(c.out, c.len, &req))
			return state.SkipWithError("no conclusion");
		srt_hs_answer a = answer_of(req);
		srt_caller_feed(&c.c, kNow, out, srt_hs_answer_write(&a, 0, out, sizeof(out)));
		if (c.c.state != SRT_CALLER_UP)
			return state.SkipWithError("no connection");
	}
	m.packets((uint64_t)state.iterations());
}

void copy_only(benchmark::State &state)
{
	uint8_t out[SRT_HS_REQUEST_MAX];
	call c;

	c.induced();
	meter m(state);

	for (auto _ : state) {
		memcpy(out, c.out, c.len);
		benchmark::DoNotOptimize(out);
	}
	m.packets((uint64_t)state.iterations());
}

BENCHMARK(induction);
BENCHMARK(wrong_cookie);
BENCHMARK(conclusion);
BENCHMARK(answer);
BENCHMARK(whole)->Name("call");
BENCHMARK(copy_only);

} // namespace

BENCHMARK_MAIN();
