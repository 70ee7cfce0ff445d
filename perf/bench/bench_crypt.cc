// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Encrypting one payload of 1316 bytes per copy, each under a key of its own, out of the shared
// payload into a frame of its own. Beside it intel-ipsec-mb alone, the naive way, OpenSSL packet by
// packet, and the ceiling, copying the payload. An item is a copy.

#include "bench.h"

extern "C" {
#include "proto/srt_crypt.h"
}

#include <cstring>
#include <memory>
#include <vector>

namespace
{

constexpr uint32_t kPayload = 1316;
constexpr size_t kFrame = 2048, kFrames = 1024; // as many as a NIC's ring
constexpr unsigned kBurst = 8;			// path/seal.c

// One expanded key per subscriber, whatever the suite.
struct keys {
	std::vector<srt_ctr_key> ctr;
	std::vector<srt_gcm_key> gcm;
	bool is_gcm;

	keys(srt_crypt *c, enum srt_suite suite, size_t n) : is_gcm(srt_suite_is_gcm(suite))
	{
		uint8_t salt[SRT_KM_SALT] = {1}, sek[SRT_KM_SEK_MAX] = {};

		ctr.resize(is_gcm ? 0 : n);
		gcm.resize(is_gcm ? n : 0);
		for (size_t i = 0; i < n; i++) {
			memcpy(sek, &i, sizeof(i));
			srt_crypt_key(c, suite, salt, sek, at(i));
		}
	}

	void *at(size_t i)
	{
		return is_gcm ? (void *)&gcm[i] : (void *)&ctr[i];
	}
};

void encrypt(benchmark::State &state, enum srt_crypt_engine engine, enum srt_suite suite)
{
	std::unique_ptr<srt_crypt, void (*)(srt_crypt *)> c(srt_crypt_new(engine), srt_crypt_free);
	size_t n = (size_t)state.range(0);
	keys k(c.get(), suite, n);
	std::vector<uint8_t> frames(kFrame * kFrames), payload(kPayload, 0x47);
	uint8_t aad[SRT_GCM_AAD] = {};
	srt_crypt_job jobs[kBurst] = {};
	size_t who = 0, frame = 0;
	uint32_t seq = 0;

	if (engine != SRT_CRYPT_OPENSSL && !srt_crypt_is_multi_buffer(c.get()))
		return state.SkipWithError("this CPU has no multi-buffer library");
	meter m(state);

	for (auto _ : state) {
		for (unsigned i = 0; i < kBurst; i++, who = (who + 1) % n) {
			frame = (frame + 1) % kFrames;
			jobs[i] = {k.at(who), payload.data(), &frames[frame * kFrame], aad, seq,
				kPayload};
		}
		seq++;
		if (k.is_gcm)
			srt_crypt_gcm_seal(c.get(), suite, jobs, kBurst);
		else
			srt_crypt_ctr(c.get(), suite, jobs, kBurst);
	}
	m.packets((uint64_t)state.iterations() * kBurst);
}

void copy_only(benchmark::State &state)
{
	std::vector<uint8_t> frames(kFrame * kFrames), payload(kPayload, 0x47);
	size_t frame = 0;
	meter m(state);

	for (auto _ : state) {
		for (unsigned i = 0; i < kBurst; i++) {
			frame = (frame + 1) % kFrames;
			memcpy(&frames[frame * kFrame], payload.data(), kPayload);
		}
		benchmark::ClobberMemory();
	}
	m.packets((uint64_t)state.iterations() * kBurst);
}

#define SUITES(engine)                                                                             \
	BENCHMARK_CAPTURE(encrypt, engine##_ctr128, SRT_CRYPT_##engine, SRT_CTR_128)->Apply(args); \
	BENCHMARK_CAPTURE(encrypt, engine##_ctr256, SRT_CRYPT_##engine, SRT_CTR_256)->Apply(args); \
	BENCHMARK_CAPTURE(encrypt, engine##_gcm128, SRT_CRYPT_##engine, SRT_GCM_128)->Apply(args); \
	BENCHMARK_CAPTURE(encrypt, engine##_gcm256, SRT_CRYPT_##engine, SRT_GCM_256)->Apply(args)

// Subscribers: 1 has its key in the cache, 10,000 have not.
void args(benchmark::internal::Benchmark *b)
{
	b->Arg(1)->Arg(100)->Arg(10000);
}

SUITES(BEST);
SUITES(LIBRARY);
SUITES(OPENSSL);
BENCHMARK(copy_only);

} // namespace

BENCHMARK_MAIN();
