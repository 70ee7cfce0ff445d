// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/daemon/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NONCE = 12, // GCM's own length; random, far below 2^32 of them per key
	TAG = 16,
	SECRET_MAX = 256, // bytes that can be sealed
	BLOB_MAX = NONCE + SECRET_MAX + TAG,
};

#define VERSION "v1."

static size_t aad_of(const struct seal_key *k, const char *object, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "sluice 1\n%s\n%s", k->id, object);

	return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

static bool encrypt(EVP_CIPHER_CTX *c, const struct seal_key *k, const char *object,
	const void *plain, size_t len, uint8_t *blob)
{
	char aad[512];
	size_t n = aad_of(k, object, aad, sizeof(aad));
	int out;

	return n && RAND_bytes(blob, NONCE) == 1 &&
	       EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->bytes, blob) &&
	       EVP_EncryptUpdate(c, NULL, &out, (const uint8_t *)aad, (int)n) &&
	       EVP_EncryptUpdate(c, blob + NONCE, &out, plain, (int)len) &&
	       EVP_EncryptFinal_ex(c, blob + NONCE + len, &out) &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, blob + NONCE + len);
}

char *seal(const struct seal_key *k, const char *object, const void *plain, size_t len)
{
	uint8_t blob[BLOB_MAX];
	size_t n = NONCE + len + TAG, head = strlen(VERSION) + SEAL_ID_LEN + 1;
	EVP_CIPHER_CTX *c = len <= SECRET_MAX ? EVP_CIPHER_CTX_new() : NULL;
	char *out =
		c && encrypt(c, k, object, plain, len, blob) ? malloc(head + 4 * n / 3 + 8) : NULL;

	EVP_CIPHER_CTX_free(c);
	if (!out)
		return NULL;
	snprintf(out, head + 1, VERSION "%s.", k->id);
	EVP_EncodeBlock((uint8_t *)out + head, blob, (int)n);
	return out;
}

static bool decrypt(EVP_CIPHER_CTX *c, const struct seal_key *k, const char *object, uint8_t *blob,
	size_t len, uint8_t *plain)
{
	char aad[512];
	size_t n = aad_of(k, object, aad, sizeof(aad));
	int out;

	return n && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->bytes, blob) &&
	       EVP_DecryptUpdate(c, NULL, &out, (const uint8_t *)aad, (int)n) &&
	       EVP_DecryptUpdate(c, plain, &out, blob + NONCE, (int)len) &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, blob + NONCE + len) &&
	       EVP_DecryptFinal_ex(c, plain + len, &out) == 1;
}

// The bytes behind the head; -EBADMSG when it is no base64 of a sealed text. One spelling only:
// the bits behind the last byte are 0.
static int decode(const char *text, uint8_t blob[BLOB_MAX + 3])
{
	uint8_t again[(BLOB_MAX + 2) / 3 * 4 + 1];
	size_t len = strlen(text);
	int n, pad = 0;

	if (!len || len % 4 || len / 4 * 3 > BLOB_MAX + 2)
		return -EBADMSG;
	while (pad < 2 && text[len - 1 - (size_t)pad] == '=')
		pad++;
	n = EVP_DecodeBlock(blob, (const uint8_t *)text, (int)len) - pad;
	if (n < NONCE + TAG || n > BLOB_MAX)
		return -EBADMSG;
	EVP_EncodeBlock(again, blob, n);
	return strcmp((const char *)again, text) ? -EBADMSG : n;
}

int seal_open(
	const struct seal_key *k, const char *object, const char *text, void *plain, size_t cap)
{
	const char *id = text + strlen(VERSION);
	uint8_t blob[BLOB_MAX + 3], clear[SECRET_MAX];
	EVP_CIPHER_CTX *c;
	int n;
	bool good;

	if (strncmp(text, VERSION, strlen(VERSION)) != 0 || strlen(id) < SEAL_ID_LEN + 1 ||
		id[SEAL_ID_LEN] != '.')
		return -EBADMSG;
	if (strncmp(id, k->id, SEAL_ID_LEN) != 0)
		return -EKEYREJECTED;
	n = decode(id + SEAL_ID_LEN + 1, blob);
	if (n < 0 || (size_t)n - NONCE - TAG > cap)
		return -EBADMSG;
	n -= NONCE + TAG;
	c = EVP_CIPHER_CTX_new();
	good = c && decrypt(c, k, object, blob, (size_t)n, clear);
	EVP_CIPHER_CTX_free(c);
	if (good)
		memcpy(plain, clear, (size_t)n);
	OPENSSL_cleanse(clear, sizeof(clear));
	return good ? n : -EBADMSG;
}

uint64_t seal_version(const struct seal_key *k, const void *plain, size_t len)
{
	static const char use[] = "sluice secret version";
	uint8_t sub[EVP_MAX_MD_SIZE], d[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	uint64_t v = 0;

	HMAC(EVP_sha256(), k->bytes, SEAL_KEY_BYTES, (const uint8_t *)use, strlen(use), sub, &n);
	HMAC(EVP_sha256(), sub, (int)n, plain, len, d, &n);
	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | d[i];
	OPENSSL_cleanse(sub, sizeof(sub));
	return v ? v : 1;
}
