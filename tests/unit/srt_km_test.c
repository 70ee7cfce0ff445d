// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_km.h"

#include "pcap.h"
#include "proto/srt_hs.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static const uint8_t salt[SRT_KM_SALT] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
	0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};

static void kek_is_pbkdf2_over_the_last_eight_bytes_of_salt(void **)
{
	// Python: hashlib.pbkdf2_hmac('sha1', passphrase, salt[8:], 2048, 32)
	static const uint8_t want[32] = {0xcf, 0xb2, 0x2d, 0xb6, 0x26, 0x6d, 0xf7, 0x78, 0xf8, 0x57,
		0xd4, 0xd4, 0xed, 0x24, 0x5f, 0xd0, 0x33, 0x72, 0x90, 0xb5, 0x76, 0x6f, 0x98, 0x7b,
		0x4f, 0x77, 0x8f, 0x85, 0x35, 0xe6, 0xa1, 0x3a};
	static const char passphrase[] = "correct horse battery";
	uint8_t kek[SRT_KM_SEK_MAX];

	for (uint8_t len = 16; len <= 32; len += 8) {
		assert_int_equal(srt_km_kek(salt, len, (const uint8_t *)passphrase,
					 sizeof(passphrase) - 1, kek),
			0);
		assert_memory_equal(kek, want, len);
	}
}

// A message with a wrapped key of RFC 3394, section 4.
static size_t message(uint8_t *out, uint8_t has, uint8_t key_len, const uint8_t *wrapped, size_t n)
{
	static const uint8_t header[16] = {
		0x12, 0x20, 0x29, 0, 0, 0, 0, 0, SRT_KM_CTR, 0, 2, 0, 0, 0, 4, 0};

	memcpy(out, header, 16);
	out[3] = has;
	out[15] = key_len / 4;
	memcpy(out + 16, salt, SRT_KM_SALT);
	memcpy(out + SRT_KM_HDR, wrapped, n);
	return SRT_KM_HDR + n;
}

static const uint8_t data[32] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
	0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
	0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};
static const uint8_t rfc_4_1[24] = {0x1f, 0xa6, 0x8b, 0x0a, 0x81, 0x12, 0xb4, 0x47, 0xae, 0xf3,
	0x4b, 0xd8, 0xfb, 0x5a, 0x7b, 0x82, 0x9d, 0x3e, 0x86, 0x23, 0x71, 0xd2, 0xcf, 0xe5};
static const uint8_t rfc_4_6[40] = {0x28, 0xc9, 0xf4, 0x04, 0xc4, 0xb8, 0x10, 0xf4, 0xcb, 0xcc,
	0xb3, 0x5c, 0xfb, 0x87, 0xf8, 0x26, 0x3f, 0x57, 0x86, 0xe2, 0xd8, 0x0e, 0xd3, 0x26, 0xcb,
	0xc7, 0xf0, 0xe7, 0x1a, 0x99, 0xf4, 0x3b, 0xfb, 0x98, 0x8b, 0x9b, 0x7a, 0x02, 0xdd, 0x21};

static void kek_of_rfc(uint8_t kek[SRT_KM_SEK_MAX])
{
	for (unsigned i = 0; i < SRT_KM_SEK_MAX; i++)
		kek[i] = (uint8_t)i;
}

static void keys_of_rfc_3394_are_unwrapped(void **)
{
	uint8_t m[SRT_KM_MAX], kek[SRT_KM_SEK_MAX];
	struct srt_km_keys k;
	struct srt_km km;

	kek_of_rfc(kek);
	assert_int_equal(
		srt_km_parse(m, message(m, SRT_KM_EVEN, 16, rfc_4_1, sizeof(rfc_4_1)), &km), 0);
	assert_int_equal(srt_km_unwrap(&km, kek, &k), 0);
	assert_int_equal(k.has, SRT_KM_EVEN);
	assert_int_equal(k.key_len, 16);
	assert_memory_equal(k.salt, salt, SRT_KM_SALT);
	assert_memory_equal(k.sek[0], data, 16);
	assert_int_equal(
		srt_km_parse(m, message(m, SRT_KM_ODD, 32, rfc_4_6, sizeof(rfc_4_6)), &km), 0);
	assert_int_equal(srt_km_unwrap(&km, kek, &k), 0);
	assert_memory_equal(k.sek[1], data, 32);
	kek[3] ^= 1;
	assert_int_equal(srt_km_unwrap(&km, kek, &k), -EACCES);
	assert_int_equal(k.has, 0);
}

// The key that a caller of libsrt 1.5.1 brought, under the passphrase that it was given
// (tests/data/srt_capture.py); and no other.
static void a_key_of_libsrt_opens_with_its_passphrase(void **)
{
	struct pcap f;
	struct pcap_pkt p;
	struct srt_hs_req r;
	struct srt_km km;
	struct srt_km_keys k;
	uint8_t kek[SRT_KM_SEK_MAX], again[SRT_KM_MAX];

	pcap_open(&f, "srt_refused.pcap");
	assert_true(pcap_next(&f, &p)); // the first is the encrypted one
	assert_int_equal(srt_hs_conclusion_parse(p.data, p.len, &r), 0);
	assert_int_equal(srt_km_parse(r.km, r.km_len, &km), 0);
	assert_int_equal(km.has, SRT_KM_EVEN);
	assert_int_equal(km.cipher, SRT_KM_CTR);
	assert_int_equal(km.key_len, 16);
	assert_int_equal(srt_km_kek(km.salt, 16, (const uint8_t *)"0123456789ab", 12, kek), 0);
	assert_int_equal(srt_km_unwrap(&km, kek, &k), 0);
	assert_int_equal(srt_km_write(&k, kek, again), r.km_len);
	assert_memory_equal(again, r.km, r.km_len);
	assert_int_equal(srt_km_kek(km.salt, 16, (const uint8_t *)"0123456789ac", 12, kek), 0);
	assert_int_equal(srt_km_unwrap(&km, kek, &k), -EACCES);
	fclose(f.f);
}

static void what_is_written_is_read(void **)
{
	for (uint8_t len = 16; len <= 32; len += 8)
		for (uint8_t has = SRT_KM_EVEN; has <= 3; has++) {
			struct srt_km_keys k = {.has = has, .cipher = SRT_KM_GCM, .key_len = len};
			struct srt_km_keys got;
			uint8_t m[SRT_KM_MAX], kek[SRT_KM_SEK_MAX];
			struct srt_km km;
			size_t n;

			kek_of_rfc(kek);
			memcpy(k.salt, salt, SRT_KM_SALT);
			if (has & SRT_KM_EVEN)
				memset(k.sek[0], 0xe0 + len, len);
			if (has & SRT_KM_ODD)
				memset(k.sek[1], 0x0d + len, len);
			n = srt_km_write(&k, kek, m);
			assert_int_equal(n, SRT_KM_HDR + (has == 3 ? 2 : 1) * len + 8);
			assert_int_equal(srt_km_parse(m, n, &km), 0);
			assert_int_equal(srt_km_unwrap(&km, kek, &got), 0);
			assert_memory_equal(&got, &k, sizeof(k));
		}
}

static void every_wrong_length_and_field_is_refused(void **)
{
	uint8_t m[SRT_KM_MAX + 8] = {0};
	size_t n = message(m, SRT_KM_EVEN, 16, rfc_4_1, sizeof(rfc_4_1));
	struct srt_km km;

	for (size_t len = 0; len <= sizeof(m); len++)
		assert_int_equal(srt_km_parse(m, len, &km), len == n ? 0 : -EBADMSG);
	for (unsigned at = 0; at < 16; at++) {
		uint8_t was = m[at];

		m[at] ^= 0x55;
		// Reserved bytes are passed over.
		assert_true(at == 11 || at == 12 || at == 13 || srt_km_parse(m, n, &km) < 0);
		m[at] = was;
	}
	m[8] = SRT_KM_GCM; // without its authentication
	assert_int_equal(srt_km_parse(m, n, &km), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kek_is_pbkdf2_over_the_last_eight_bytes_of_salt),
		cmocka_unit_test(keys_of_rfc_3394_are_unwrapped),
		cmocka_unit_test(a_key_of_libsrt_opens_with_its_passphrase),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(every_wrong_length_and_field_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
