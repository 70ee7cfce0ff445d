// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_crypt_priv.h"

#include <openssl/evp.h>

#include <assert.h>
#include <stdlib.h>

// A context per suite, made at the start: setting a key and an IV takes no memory then.
struct srt_crypt_evp {
	EVP_CIPHER_CTX *ctx[SRT_SUITES];
};

static const EVP_CIPHER *cipher_of(enum srt_suite s)
{
	switch (s) {
	case SRT_CTR_128:
		return EVP_aes_128_ctr();
	case SRT_CTR_192:
		return EVP_aes_192_ctr();
	case SRT_CTR_256:
		return EVP_aes_256_ctr();
	case SRT_GCM_128:
		return EVP_aes_128_gcm();
	case SRT_GCM_192:
		return EVP_aes_192_gcm();
	case SRT_GCM_256:
		return EVP_aes_256_gcm();
	case SRT_CLEAR:
	case SRT_SUITES:
		break;
	}
	return NULL;
}

struct srt_crypt_evp *srt_crypt_evp_new(void)
{
	struct srt_crypt_evp *e = calloc(1, sizeof(*e));

	for (enum srt_suite s = SRT_CTR_128; e && s < SRT_SUITES; s++) {
		e->ctx[s] = EVP_CIPHER_CTX_new();
		if (e->ctx[s] && EVP_CipherInit_ex(e->ctx[s], cipher_of(s), NULL, NULL, NULL, 1))
			continue;
		srt_crypt_evp_free(e);
		return NULL;
	}
	return e;
}

void srt_crypt_evp_free(struct srt_crypt_evp *e)
{
	for (enum srt_suite s = SRT_CTR_128; e && s < SRT_SUITES; s++)
		EVP_CIPHER_CTX_free(e->ctx[s]);
	free(e);
}

void srt_crypt_evp_ctr(struct srt_crypt_evp *e, enum srt_suite s, const struct srt_crypt_job *j)
{
	const struct srt_ctr_key *k = j->key;
	uint8_t iv[SRT_KM_SALT];
	int len;

	srt_crypt_iv(iv, k->salt, SRT_CTR_IV_SEQ, j->seq);
	if (!EVP_CipherInit_ex(e->ctx[s], NULL, NULL, k->rounds, iv, 1) ||
		!EVP_CipherUpdate(e->ctx[s], j->dst, &len, j->src, (int)j->len))
		assert(!"AES-CTR of libcrypto failed");
}

static bool gcm(struct srt_crypt_evp *e, enum srt_suite s, const struct srt_crypt_job *j, int seal)
{
	const struct srt_gcm_key *k = j->key;
	EVP_CIPHER_CTX *ctx = e->ctx[s];
	uint8_t iv[SRT_KM_SALT];
	int len;

	srt_crypt_iv(iv, k->salt, SRT_GCM_IV_SEQ, j->seq);
	return EVP_CipherInit_ex(ctx, NULL, NULL, k->data, iv, seal) &&
	       EVP_CipherUpdate(ctx, NULL, &len, j->aad, SRT_GCM_AAD) &&
	       EVP_CipherUpdate(ctx, j->dst, &len, j->src, (int)j->len);
}

void srt_crypt_evp_seal(struct srt_crypt_evp *e, enum srt_suite s, const struct srt_crypt_job *j)
{
	uint8_t none[SRT_GCM_TAG];
	int len;

	if (!gcm(e, s, j, 1) || !EVP_CipherFinal_ex(e->ctx[s], none, &len) ||
		!EVP_CIPHER_CTX_ctrl(e->ctx[s], EVP_CTRL_GCM_GET_TAG, SRT_GCM_TAG, j->dst + j->len))
		assert(!"AES-GCM of libcrypto failed");
}

bool srt_crypt_evp_open(struct srt_crypt_evp *e, enum srt_suite s, const struct srt_crypt_job *j)
{
	uint8_t tag[SRT_GCM_TAG], none[SRT_GCM_TAG];
	int len;

	memcpy(tag, j->src + j->len, SRT_GCM_TAG);
	return gcm(e, s, j, 0) &&
	       EVP_CIPHER_CTX_ctrl(e->ctx[s], EVP_CTRL_GCM_SET_TAG, SRT_GCM_TAG, tag) &&
	       EVP_CipherFinal_ex(e->ctx[s], none, &len);
}
