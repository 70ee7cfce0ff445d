// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The plain AES calls of libcrypto, which take their memory from the caller: EVP would allocate,
// and a message with a known KEK is unwrapped on a worker.
#define OPENSSL_API_COMPAT 0x10100000L

#include "proto/srt_km.h"

#include "base/bytes.h"

#include <openssl/aes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <errno.h>
#include <string.h>

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// |0|  V  |   PT  |             Sign              |   Resv    | KF|
// |                              KEKI                             |
// |     Cipher    |      Auth     |       SE      |     Resv      |
// |             Resv              |     SLen/4    |     KLen/4    |
enum {
	KM_TYPE = 0x12, // version 1, keying material
	KM_SIGN = 0x2029,
	KM_SE = 2, // stream encapsulation: SRT
	KM_AUTH_GCM = 1,
	KM_ROUNDS = 2048,
	KM_KEK_SALT = 8, // the salt's last bytes
	KM_WRAP = 8,	 // bytes that wrapping adds
};

static int n_keys(uint8_t has)
{
	return has == (SRT_KM_EVEN | SRT_KM_ODD) ? 2 : has ? 1 : 0;
}

static bool is_key_len(unsigned len)
{
	return len == 16 || len == 24 || len == 32;
}

static bool header_ok(const uint8_t *d, size_t len)
{
	return len >= SRT_KM_HDR && len <= SRT_KM_MAX && d[0] == KM_TYPE &&
	       be16_get(d + 1) == KM_SIGN && be32_get(d + 4) == 0 && d[10] == KM_SE &&
	       d[14] * 4u == SRT_KM_SALT;
}

static bool cipher_ok(uint8_t cipher, uint8_t auth)
{
	return (cipher == SRT_KM_CTR && !auth) || (cipher == SRT_KM_GCM && auth == KM_AUTH_GCM);
}

int srt_km_parse(const uint8_t *d, size_t len, struct srt_km *out)
{
	unsigned key_len;
	uint8_t has;

	if (!header_ok(d, len))
		return -EBADMSG;
	has = d[3] & (SRT_KM_EVEN | SRT_KM_ODD);
	key_len = d[15] * 4u;
	if (!cipher_ok(d[8], d[9]) || !is_key_len(key_len))
		return -ENOTSUP;
	if (!has || len != SRT_KM_HDR + (unsigned)n_keys(has) * key_len + KM_WRAP)
		return -EBADMSG;
	*out = (struct srt_km){
		.has = has,
		.cipher = d[8],
		.key_len = (uint8_t)key_len,
		.wrapped_len = (uint8_t)(len - SRT_KM_HDR),
	};
	memcpy(out->salt, d + 16, SRT_KM_SALT);
	memcpy(out->wrapped, d + SRT_KM_HDR, out->wrapped_len);
	return 0;
}

int srt_km_kek(const uint8_t salt[SRT_KM_SALT], uint8_t key_len, const uint8_t *passphrase,
	size_t passphrase_len, uint8_t kek[SRT_KM_SEK_MAX])
{
	return PKCS5_PBKDF2_HMAC_SHA1((const char *)passphrase, (int)passphrase_len,
		       salt + SRT_KM_SALT - KM_KEK_SALT, KM_KEK_SALT, KM_ROUNDS, key_len, kek) == 1
		       ? 0
		       : -EIO;
}

int srt_km_unwrap(
	const struct srt_km *km, const uint8_t kek[SRT_KM_SEK_MAX], struct srt_km_keys *out)
{
	uint8_t plain[SRT_KM_WRAPPED_MAX];
	AES_KEY aes;
	int len = -1;

	*out = (struct srt_km_keys){.has = km->has, .cipher = km->cipher, .key_len = km->key_len};
	memcpy(out->salt, km->salt, SRT_KM_SALT);
	if (!AES_set_decrypt_key(kek, km->key_len * 8, &aes))
		len = AES_unwrap_key(&aes, NULL, plain, km->wrapped, km->wrapped_len);
	if (len == n_keys(km->has) * km->key_len) {
		memcpy(out->sek[km->has == SRT_KM_ODD], plain, km->key_len);
		if (n_keys(km->has) == 2)
			memcpy(out->sek[1], plain + km->key_len, km->key_len);
	} else {
		*out = (struct srt_km_keys){0};
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	OPENSSL_cleanse(&aes, sizeof(aes));
	return out->has ? 0 : -EACCES;
}

static void header_write(const struct srt_km_keys *k, uint8_t *out)
{
	memset(out, 0, SRT_KM_HDR);
	out[0] = KM_TYPE;
	be16_put(out + 1, KM_SIGN);
	out[3] = k->has;
	out[8] = k->cipher;
	out[9] = k->cipher == SRT_KM_GCM ? KM_AUTH_GCM : 0;
	out[10] = KM_SE;
	out[14] = SRT_KM_SALT / 4;
	out[15] = k->key_len / 4;
	memcpy(out + 16, k->salt, SRT_KM_SALT);
}

size_t srt_km_write(
	const struct srt_km_keys *k, const uint8_t kek[SRT_KM_SEK_MAX], uint8_t out[SRT_KM_MAX])
{
	uint8_t plain[2 * SRT_KM_SEK_MAX];
	unsigned n = (unsigned)n_keys(k->has) * k->key_len;
	AES_KEY aes;
	int len = 0;

	if (!n || k->has > 3 || !is_key_len(k->key_len))
		return 0;
	header_write(k, out);
	memcpy(plain, k->sek[k->has == SRT_KM_ODD], k->key_len);
	memcpy(plain + k->key_len, k->sek[1], n - k->key_len);
	if (!AES_set_encrypt_key(kek, k->key_len * 8, &aes))
		len = AES_wrap_key(&aes, NULL, out + SRT_KM_HDR, plain, n);
	OPENSSL_cleanse(plain, sizeof(plain));
	OPENSSL_cleanse(&aes, sizeof(aes));
	return len == (int)n + KM_WRAP ? SRT_KM_HDR + (size_t)len : 0;
}
