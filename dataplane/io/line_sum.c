// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "io/line.h"

// Summed once per payload, and once per copy where a copy has a key of its own: there it is a
// sixth of the cost, so it goes by vectors where the CPU has them.

static uint64_t sum_words(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;
	size_t i = 0;

	for (; i + 4 <= len; i += 4)
		sum += line_load32(data + i);
	if (i + 2 <= len) {
		sum += line_load16(data + i);
		i += 2;
	}
	if (i < len) {
		uint8_t last[2] = {data[i], 0};

		sum += line_load16(last);
	}
	return sum;
}

#ifdef __x86_64__
#include <immintrin.h>

#define LINE_SUM_MIN 64u // bytes: below, a vector is not worth its set-up

// Pairs of words in 32-bit lanes: they take 2^16 words each, and a datagram has no more.
__attribute__((target("avx2"))) static uint64_t sum_avx2(const uint8_t *data, size_t len)
{
	const __m256i low = _mm256_set1_epi32(0xffff);
	__m256i even = _mm256_setzero_si256(), odd = even;
	uint32_t lanes[8];
	uint64_t sum = 0;
	size_t i = 0;

	for (; i + 32 <= len; i += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(data + i));

		even = _mm256_add_epi32(even, _mm256_and_si256(v, low));
		odd = _mm256_add_epi32(odd, _mm256_srli_epi32(v, 16));
	}
	_mm256_storeu_si256((__m256i *)(void *)lanes, _mm256_add_epi32(even, odd));
	for (unsigned k = 0; k < 8; k++)
		sum += lanes[k];
	return sum + sum_words(data + i, len - i);
}

// A word less 32,768 is a signed one, and those are summed by pairs in one instruction. What is
// masked away counts as zero words.
__attribute__((target("avx512f,avx512bw,avx512vnni"))) static uint64_t sum_vnni(
	const uint8_t *data, size_t len)
{
	const __m512i bias = _mm512_set1_epi16(INT16_MIN), one = _mm512_set1_epi16(1);
	__m512i a = _mm512_setzero_si512(), b = a, v;
	size_t i = 0, n = (len + 63) / 64;

	for (; i + 128 <= len; i += 128) {
		v = _mm512_xor_si512(_mm512_loadu_si512(data + i), bias);
		a = _mm512_dpwssd_epi32(a, v, one);
		v = _mm512_xor_si512(_mm512_loadu_si512(data + i + 64), bias);
		b = _mm512_dpwssd_epi32(b, v, one);
	}
	for (; i < len; i += 64) {
		__mmask64 left = len - i >= 64 ? ~0ull : (1ull << (len - i)) - 1;

		v = _mm512_xor_si512(_mm512_maskz_loadu_epi8(left, data + i), bias);
		a = _mm512_dpwssd_epi32(a, v, one);
	}
	return (uint64_t)(_mm512_reduce_add_epi32(_mm512_add_epi32(a, b)) +
			  (int64_t)(n * 32 << 15));
}

uint32_t line_sum(const uint8_t *data, size_t len)
{
	if (len < LINE_SUM_MIN)
		return line_fold(sum_words(data, len));
	if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw"))
		return line_fold(sum_vnni(data, len));
	if (__builtin_cpu_supports("avx2"))
		return line_fold(sum_avx2(data, len));
	return line_fold(sum_words(data, len));
}
#else
uint32_t line_sum(const uint8_t *data, size_t len)
{
	return line_fold(sum_words(data, len));
}
#endif
