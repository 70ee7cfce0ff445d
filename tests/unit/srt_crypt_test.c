// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_crypt.h"

#include "test.h"

#include <openssl/sha.h>

#include <stdio.h>
#include <string.h>

enum { LEN = 1316, GCM_LEN = 1300, SEQ = 0x7ffffffe };

enum { ENGINES = 3 };
static const enum srt_crypt_engine engines[ENGINES] = {
	SRT_CRYPT_BEST, SRT_CRYPT_LIBRARY, SRT_CRYPT_OPENSSL};

static uint8_t payload[LEN], salt[SRT_KM_SALT], sek[SRT_KM_SEK_MAX], aad[SRT_GCM_AAD];

static int fill(void **)
{
	for (unsigned i = 0; i < LEN; i++)
		payload[i] = (uint8_t)(i * 7);
	for (unsigned i = 0; i < SRT_KM_SALT; i++)
		salt[i] = (uint8_t)(0x10 + i);
	for (unsigned i = 0; i < SRT_KM_SEK_MAX; i++)
		sek[i] = (uint8_t)i;
	for (unsigned i = 0; i < SRT_GCM_AAD; i++)
		aad[i] = (uint8_t)(0x80 + i);
	return 0;
}

static void assert_sha1(const uint8_t *data, size_t len, const char *want)
{
	uint8_t d[SHA_DIGEST_LENGTH];
	char hex[2 * SHA_DIGEST_LENGTH + 1];

	SHA1(data, len, d);
	for (unsigned i = 0; i < sizeof(d); i++)
		snprintf(hex + 2 * i, 3, "%02x", d[i]);
	assert_string_equal(hex, want);
}

// Made by the openssl command, with the IV written out by hand from srt-wire 11.3.
static void counter_mode_is_that_of_others(void **)
{
	static const struct {
		enum srt_suite suite;
		const char *sha1;
	} rows[] = {
		{SRT_CTR_128, "636f23158669836da1b6876dabdf52abf8eb4107"},
		{SRT_CTR_256, "64c6815db7fc1fd13e270b4eb52b6c7efa632f44"},
	};

	for (unsigned e = 0; e < ENGINES; e++)
		for (unsigned i = 0; i < 2; i++) {
			struct srt_crypt *c = srt_crypt_new(engines[e]);
			struct srt_ctr_key key;
			uint8_t out[LEN];
			struct srt_crypt_job j = {
				.key = &key, .src = payload, .dst = out, .seq = SEQ, .len = LEN};

			srt_crypt_key(c, rows[i].suite, salt, sek, &key);
			srt_crypt_ctr(c, rows[i].suite, &j, 1);
			assert_sha1(out, LEN, rows[i].sha1);
			j.src = out; // and back, in place
			srt_crypt_ctr(c, rows[i].suite, &j, 1);
			assert_memory_equal(out, payload, LEN);
			srt_crypt_free(c);
		}
}

// Made by Python's cryptography.
static void gcm_is_that_of_others(void **)
{
	static const struct {
		enum srt_suite suite;
		const char *sha1;
	} rows[] = {
		{SRT_GCM_128, "ca1fbfde3622bf73f441eedf3d015f738983d55f"},
		{SRT_GCM_256, "0bab75adf79c41b37df199c0936ed70a4b1460b3"},
	};

	for (unsigned e = 0; e < ENGINES; e++)
		for (unsigned i = 0; i < 2; i++) {
			struct srt_crypt *c = srt_crypt_new(engines[e]);
			struct srt_gcm_key key;
			uint8_t out[GCM_LEN + SRT_GCM_TAG];
			struct srt_crypt_job j = {.key = &key,
				.src = payload,
				.dst = out,
				.aad = aad,
				.seq = SEQ,
				.len = GCM_LEN};

			srt_crypt_key(c, rows[i].suite, salt, sek, &key);
			srt_crypt_gcm_seal(c, rows[i].suite, &j, 1);
			assert_sha1(out, sizeof(out), rows[i].sha1);
			j.src = out;
			assert_true(srt_crypt_gcm_open(c, rows[i].suite, &j));
			assert_memory_equal(out, payload, GCM_LEN);
			srt_crypt_free(c);
		}
}

static void one_bit_and_the_tag_says_so(void **)
{
	for (unsigned e = 0; e < ENGINES; e++) {
		struct srt_crypt *c = srt_crypt_new(engines[e]);
		struct srt_gcm_key key;
		uint8_t out[100 + SRT_GCM_TAG], clear[100], other[SRT_GCM_AAD];
		struct srt_crypt_job j = {
			.key = &key, .src = payload, .dst = out, .aad = aad, .seq = 5, .len = 100};

		srt_crypt_key(c, SRT_GCM_192, salt, sek, &key);
		srt_crypt_gcm_seal(c, SRT_GCM_192, &j, 1);
		j.src = out;
		j.dst = clear;
		assert_true(srt_crypt_gcm_open(c, SRT_GCM_192, &j));
		for (unsigned at = 0; at < sizeof(out); at += 7) {
			out[at] ^= 0x40;
			assert_false(srt_crypt_gcm_open(c, SRT_GCM_192, &j));
			out[at] ^= 0x40;
		}
		memcpy(other, aad, sizeof(other));
		other[15] ^= 1;
		j.aad = other;
		assert_false(srt_crypt_gcm_open(c, SRT_GCM_192, &j));
		srt_crypt_free(c);
	}
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint64_t words(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += (uint64_t)data[i] << 8 * (i % 2); // of a little-endian machine
	return sum;
}

static void encrypt_all(
	struct srt_crypt *c, enum srt_suite s, struct srt_crypt_job jobs[SRT_CRYPT_BURST])
{
	if (srt_suite_is_gcm(s))
		srt_crypt_gcm_seal(c, s, jobs, SRT_CRYPT_BURST);
	else if (srt_crypt_ctr(c, s, jobs, SRT_CRYPT_BURST))
		for (unsigned i = 0; i < SRT_CRYPT_BURST; i++)
			assert_int_equal(fold(jobs[i].sum), fold(words(jobs[i].dst, jobs[i].len)));
}

// Whole bursts, every suite, every length: the engines agree.
static void engines_agree(void **)
{
	static struct srt_gcm_key keys[ENGINES][SRT_CRYPT_BURST]; // the larger kind
	static uint8_t out[ENGINES][SRT_CRYPT_BURST][LEN + SRT_GCM_TAG];
	struct srt_crypt_job jobs[SRT_CRYPT_BURST];

	for (enum srt_suite s = SRT_CTR_128; s < SRT_SUITES; s++)
		for (unsigned round = 0; round < 40; round++) {
			for (unsigned e = 0; e < ENGINES; e++) {
				struct srt_crypt *c = srt_crypt_new(engines[e]);

				for (unsigned i = 0; i < SRT_CRYPT_BURST; i++) {
					sek[0] = (uint8_t)i;
					srt_crypt_key(c, s, salt, sek, &keys[e][i]);
					jobs[i] = (struct srt_crypt_job){
						.key = &keys[e][i],
						.src = payload + i % 3,
						.dst = out[e][i],
						.aad = aad,
						.seq = SEQ + i,
						.len = 1 + round * SRT_CRYPT_BURST + i,
					};
				}
				encrypt_all(c, s, jobs);
				srt_crypt_free(c);
			}
			assert_memory_equal(out[0], out[1], sizeof(out[0]));
			assert_memory_equal(out[0], out[2], sizeof(out[0]));
		}
}

// More blocks than eight bits count, and nothing at all.
static void any_length_will_do(void **)
{
	enum { MOST = 9000 };
	static const uint32_t lens[] = {
		0, 16 * 255 - 1, 16 * 255, 16 * 255 + 1, 16 * 256 + 5, MOST};
	static uint8_t clear[MOST], out[ENGINES][MOST];

	for (unsigned i = 0; i < MOST; i++)
		clear[i] = (uint8_t)(i * 13);
	for (unsigned l = 0; l < sizeof(lens) / sizeof(*lens); l++) {
		for (unsigned e = 0; e < ENGINES; e++) {
			struct srt_crypt *c = srt_crypt_new(engines[e]);
			struct srt_ctr_key key;
			struct srt_crypt_job j = {.key = &key,
				.src = clear,
				.dst = out[e],
				.seq = SEQ,
				.len = lens[l]};

			srt_crypt_key(c, SRT_CTR_256, salt, sek, &key);
			if (srt_crypt_ctr(c, SRT_CTR_256, &j, 1))
				assert_int_equal(fold(j.sum), fold(words(out[e], lens[l])));
			srt_crypt_free(c);
		}
		assert_memory_equal(out[0], out[1], MOST);
		assert_memory_equal(out[0], out[2], MOST);
	}
}

static void suites_come_from_a_messages_fields(void **)
{
	assert_int_equal(srt_suite_of(SRT_KM_CTR, 16), SRT_CTR_128);
	assert_int_equal(srt_suite_of(SRT_KM_CTR, 24), SRT_CTR_192);
	assert_int_equal(srt_suite_of(SRT_KM_GCM, 32), SRT_GCM_256);
	assert_int_equal(srt_suite_of(SRT_KM_GCM, 20), SRT_CLEAR);
	assert_int_equal(srt_suite_of(3, 16), SRT_CLEAR);
}

static void suites_know_the_length_of_their_keys(void **)
{
	static const uint8_t ciphers[] = {SRT_KM_CTR, SRT_KM_GCM};

	for (unsigned i = 0; i < 2; i++)
		for (uint8_t len = 16; len <= 32; len += 8) {
			enum srt_suite s = srt_suite_of(ciphers[i], len);

			assert_int_equal(srt_suite_key_len(s), len);
			assert_int_equal(srt_suite_is_gcm(s), i);
		}
	assert_int_equal(srt_suite_key_len(SRT_CLEAR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_mode_is_that_of_others),
		cmocka_unit_test(gcm_is_that_of_others),
		cmocka_unit_test(one_bit_and_the_tag_says_so),
		cmocka_unit_test(engines_agree),
		cmocka_unit_test(any_length_will_do),
		cmocka_unit_test(suites_come_from_a_messages_fields),
		cmocka_unit_test(suites_know_the_length_of_their_keys),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
