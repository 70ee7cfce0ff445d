// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Counter mode by vectors of four blocks (VAES and AVX-512), eight vectors at a time: one alone
// would wait for each of its rounds. Of what comes out the checksum is made on the way, while the
// units that encrypt are busy.

#include "proto/srt_crypt_priv.h"

#ifdef __x86_64__
#include <immintrin.h>

#define VECTORS __attribute__((target("avx512f,avx512bw,avx512vnni,vaes")))
#define ALWAYS __attribute__((always_inline))
#define AT_ONCE 8u
#define LANE 64u // bytes of a vector
// Packets of SRT have fewer than 256 blocks: of the 16 bits that count them the low eight will do.
#define LEN_MAX (255u * 16)

struct ctr {
	const uint8_t *keys; // one for each round
	__m512i first;	     // the IV under the first of them
	__m512i block;	     // numbers of the next vector's blocks, where they stand in the IV
	__m512i even, odd;   // sums of words, by turns: one would wait for itself
};

VECTORS static inline __m512i four_times(const uint8_t *block)
{
	return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)block));
}

VECTORS static inline __m512i blocks(long long a, long long b, long long c, long long d)
{
	return _mm512_set_epi64(d << 56, 0, c << 56, 0, b << 56, 0, a << 56, 0);
}

// The IV is made in a register: written to memory by halves it could be read only after all that
// comes before has been done, the packet before among it.
VECTORS static inline struct ctr ctr_of(const struct srt_crypt_job *j)
{
	const struct srt_ctr_key *k = j->key;
	uint64_t seq = (uint64_t)__builtin_bswap32(j->seq) << 8 * (SRT_CTR_IV_SEQ - 8);
	__m128i iv = _mm_loadu_si128((const __m128i *)(const void *)k->salt);
	struct ctr c = {.keys = k->rounds, .block = blocks(0, 1, 2, 3)};

	iv = _mm_xor_si128(iv, _mm_set_epi64x((long long)seq, 0));
	c.first = _mm512_xor_si512(_mm512_broadcast_i32x4(iv), four_times(c.keys));
	c.even = c.odd = _mm512_setzero_si512();
	return c;
}

// A word less 32,768 is a signed one, and those are summed by pairs in one instruction.
VECTORS static inline __m512i add_words(__m512i sum, __m512i v)
{
	v = _mm512_xor_si512(v, _mm512_set1_epi16(INT16_MIN));
	return _mm512_dpwssd_epi32(sum, v, _mm512_set1_epi16(1));
}

// The last round, and with it the payload: of vector k, of which `some` bytes are there.
VECTORS static inline ALWAYS void finish(struct ctr *c, unsigned k, __m512i x, __m512i key,
	const uint8_t *src, uint8_t *dst, __mmask64 some)
{
	x = _mm512_aesenclast_epi128(x, key);
	x = _mm512_xor_si512(x, _mm512_maskz_loadu_epi8(some, src + k * LANE));
	x = _mm512_maskz_mov_epi8(some, x);
	_mm512_mask_storeu_epi8(dst + k * LANE, some, x);
	if (k % 2)
		c->odd = add_words(c->odd, x);
	else
		c->even = add_words(c->even, x);
}

// n vectors, of whose last one only the bytes of `there` may be there. Everything is unrolled: in a
// loop over the rounds each of them waits for copies of registers.
VECTORS static inline ALWAYS void step(struct ctr *c, const uint8_t *src, uint8_t *dst, unsigned n,
	__mmask64 there, unsigned rounds)
{
	__m512i x[AT_ONCE], key;

#pragma GCC unroll 16
	for (unsigned k = 0; k < n; k++) {
		x[k] = _mm512_xor_si512(c->first, c->block);
		c->block = _mm512_add_epi64(c->block, blocks(4, 4, 4, 4));
	}
#pragma GCC unroll 16
	for (unsigned r = 1; r < rounds; r++) {
		key = four_times(c->keys + 16 * r);
#pragma GCC unroll 16
		for (unsigned k = 0; k < n; k++)
			x[k] = _mm512_aesenc_epi128(x[k], key);
	}
	key = four_times(c->keys + 16 * rounds);
#pragma GCC unroll 16
	for (unsigned k = 0; k < n; k++)
		finish(c, k, x[k], key, src, dst, k + 1 < n ? ~0ull : there);
}

// The last 1 to AT_ONCE vectors: so many are under way at once.
VECTORS static inline ALWAYS void rest(struct ctr *c, const uint8_t *src, uint8_t *dst, unsigned n,
	__mmask64 there, unsigned rounds)
{
	if (n == 1)
		step(c, src, dst, 1, there, rounds);
	else if (n == 2)
		step(c, src, dst, 2, there, rounds);
	else if (n == 3)
		step(c, src, dst, 3, there, rounds);
	else if (n == 4)
		step(c, src, dst, 4, there, rounds);
	else if (n == 5)
		step(c, src, dst, 5, there, rounds);
	else if (n == 6)
		step(c, src, dst, 6, there, rounds);
	else if (n == 7)
		step(c, src, dst, 7, there, rounds);
	else
		step(c, src, dst, AT_ONCE, there, rounds);
}

VECTORS static inline ALWAYS void encrypt(struct srt_crypt_job *j, unsigned rounds)
{
	struct ctr c = ctr_of(j);
	unsigned n = (j->len + LANE - 1) / LANE, at = 0, over = j->len % LANE;

	for (; n - at > AT_ONCE; at += AT_ONCE)
		step(&c, j->src + at * LANE, j->dst + at * LANE, AT_ONCE, ~0ull, rounds);
	if (n)
		rest(&c, j->src + at * LANE, j->dst + at * LANE, n - at,
			over ? (1ull << over) - 1 : ~0ull, rounds);
	j->sum = (uint32_t)_mm512_reduce_add_epi32(_mm512_add_epi32(c.even, c.odd)) +
		 (n * LANE / 2 << 15);
}

VECTORS static void encrypt_all(struct srt_crypt_job *jobs, unsigned n, unsigned key_len)
{
	for (unsigned i = 0; i < n; i++)
		if (key_len == 16)
			encrypt(&jobs[i], 10);
		else if (key_len == 24)
			encrypt(&jobs[i], 12);
		else
			encrypt(&jobs[i], 14);
}

bool srt_crypt_vaes_runs(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
}

bool srt_crypt_vaes_ctr(struct srt_crypt_job *jobs, unsigned n, unsigned key_len)
{
	for (unsigned i = 0; i < n; i++)
		if (jobs[i].len > LEN_MAX)
			return false;
	encrypt_all(jobs, n, key_len);
	return true;
}
#else
bool srt_crypt_vaes_runs(void)
{
	return false;
}

bool srt_crypt_vaes_ctr(struct srt_crypt_job *, unsigned, unsigned)
{
	return false;
}
#endif
