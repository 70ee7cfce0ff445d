// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "proto/srt_crypt.h"

#include "proto/srt_crypt_priv.h"

#include <openssl/crypto.h>
#include <intel-ipsec-mb.h>

#include <assert.h>
#include <stdlib.h>

static_assert(sizeof(struct gcm_key_data) <= sizeof(((struct srt_gcm_key *)0)->data), "its room");
static_assert(sizeof(struct srt_ctr_key) == 256, "four cache lines");

struct srt_crypt {
	IMB_MGR *mgr; // NULL: OpenSSL does it all
	bool vectors; // counter mode by srt_crypt_vaes
	struct srt_crypt_evp *evp;
	// What never changes is filled in once. A burst sets key, addresses, length and IV.
	IMB_JOB jobs[SRT_CRYPT_BURST];
	alignas(16) uint8_t iv[SRT_CRYPT_BURST][SRT_KM_SALT];
};

enum srt_suite srt_suite_of(uint8_t cipher, uint8_t key_len)
{
	enum srt_suite first = cipher == SRT_KM_CTR   ? SRT_CTR_128
			       : cipher == SRT_KM_GCM ? SRT_GCM_128
						      : SRT_CLEAR;

	if (!first || (key_len != 16 && key_len != 24 && key_len != 32))
		return SRT_CLEAR;
	return first + (key_len - 16) / 8;
}

static void jobs_init(struct srt_crypt *c)
{
	for (unsigned i = 0; i < SRT_CRYPT_BURST; i++)
		c->jobs[i] = (IMB_JOB){
			.iv = c->iv[i],
			.iv_len_in_bytes = SRT_KM_SALT,
			.cipher_mode = IMB_CIPHER_CNTR,
			.cipher_direction = IMB_DIR_ENCRYPT,
			.hash_alg = IMB_AUTH_NULL,
			.chain_order = IMB_ORDER_CIPHER_HASH,
		};
}

static IMB_MGR *mgr_new(void)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	if (m)
		init_mb_mgr_auto(m, NULL);
	if (!m || !imb_get_errno(m))
		return m;
	free_mb_mgr(m);
	return NULL;
}

struct srt_crypt *srt_crypt_new(enum srt_crypt_engine engine)
{
	struct srt_crypt *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	if (engine != SRT_CRYPT_OPENSSL)
		c->mgr = mgr_new();
	c->vectors = engine == SRT_CRYPT_BEST && c->mgr && c->mgr->features & IMB_FEATURE_VAES &&
		     srt_crypt_vaes_runs();
	if (c->mgr)
		jobs_init(c);
	else
		c->evp = srt_crypt_evp_new();
	if (c->mgr || c->evp)
		return c;
	free(c);
	return NULL;
}

void srt_crypt_free(struct srt_crypt *c)
{
	if (!c)
		return;
	if (c->mgr)
		free_mb_mgr(c->mgr);
	srt_crypt_evp_free(c->evp);
	free(c);
}

bool srt_crypt_is_multi_buffer(const struct srt_crypt *c)
{
	return c->mgr;
}

// --- keys -----------------------------------------------------------------------------------

static void expand_ctr(IMB_MGR *m, unsigned len, const uint8_t *sek, uint8_t *rounds)
{
	alignas(16) uint8_t unused[240]; // for decryption by blocks, which counter mode has not

	if (len == 16)
		IMB_AES_KEYEXP_128(m, sek, rounds, unused);
	else if (len == 24)
		IMB_AES_KEYEXP_192(m, sek, rounds, unused);
	else
		IMB_AES_KEYEXP_256(m, sek, rounds, unused);
	OPENSSL_cleanse(unused, sizeof(unused));
}

static void expand_gcm(IMB_MGR *m, unsigned len, const uint8_t *sek, void *data)
{
	if (len == 16)
		IMB_AES128_GCM_PRE(m, sek, data);
	else if (len == 24)
		IMB_AES192_GCM_PRE(m, sek, data);
	else
		IMB_AES256_GCM_PRE(m, sek, data);
}

void srt_crypt_key(struct srt_crypt *c, enum srt_suite s, const uint8_t salt[SRT_KM_SALT],
	const uint8_t *sek, void *key)
{
	unsigned len = srt_suite_key_len(s);

	if (srt_suite_is_gcm(s)) {
		struct srt_gcm_key *k = key;

		memcpy(k->salt, salt, SRT_KM_SALT);
		if (c->mgr)
			expand_gcm(c->mgr, len, sek, k->data);
		else
			memcpy(k->data, sek, len);
	} else {
		struct srt_ctr_key *k = key;

		memcpy(k->salt, salt, SRT_KM_SALT);
		k->salt[14] = k->salt[15] = 0; // of the block counter
		if (c->mgr)
			expand_ctr(c->mgr, len, sek, k->rounds);
		else
			memcpy(k->rounds, sek, len);
	}
}

// --- bursts ---------------------------------------------------------------------------------

bool srt_crypt_ctr(struct srt_crypt *c, enum srt_suite s, struct srt_crypt_job *jobs, unsigned n)
{
	unsigned len = srt_suite_key_len(s);

	if (c->vectors && srt_crypt_vaes_ctr(jobs, n, len))
		return true;
	for (unsigned i = 0; i < n && c->mgr; i++) {
		const struct srt_ctr_key *k = jobs[i].key;
		IMB_JOB *j = &c->jobs[i];

		j->enc_keys = k->rounds;
		j->src = jobs[i].src;
		j->dst = jobs[i].dst;
		j->msg_len_to_cipher_in_bytes = jobs[i].len;
		srt_crypt_iv(c->iv[i], k->salt, SRT_CTR_IV_SEQ, jobs[i].seq);
	}
	if (c->mgr)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(
			c->mgr, c->jobs, n, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, len);
	for (unsigned i = 0; i < n && !c->mgr; i++)
		srt_crypt_evp_ctr(c->evp, s, &jobs[i]);
	return false;
}

static aes_gcm_enc_dec_t gcm_function(const IMB_MGR *m, enum srt_suite s, bool seal)
{
	switch (srt_suite_key_len(s)) {
	case 16:
		return seal ? m->gcm128_enc : m->gcm128_dec;
	case 24:
		return seal ? m->gcm192_enc : m->gcm192_dec;
	default:
		return seal ? m->gcm256_enc : m->gcm256_dec;
	}
}

static void gcm(aes_gcm_enc_dec_t f, const struct srt_crypt_job *j, uint8_t *tag)
{
	const struct srt_gcm_key *k = j->key;
	struct gcm_context_data ctx;
	alignas(16) uint8_t iv[SRT_KM_SALT];

	srt_crypt_iv(iv, k->salt, SRT_GCM_IV_SEQ, j->seq);
	f((const struct gcm_key_data *)(const void *)k->data, &ctx, j->dst, j->src, j->len, iv,
		j->aad, SRT_GCM_AAD, tag, SRT_GCM_TAG);
}

void srt_crypt_gcm_seal(
	struct srt_crypt *c, enum srt_suite s, const struct srt_crypt_job *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (c->mgr)
			gcm(gcm_function(c->mgr, s, true), &jobs[i], jobs[i].dst + jobs[i].len);
		else
			srt_crypt_evp_seal(c->evp, s, &jobs[i]);
}

bool srt_crypt_gcm_open(struct srt_crypt *c, enum srt_suite s, const struct srt_crypt_job *j)
{
	uint8_t theirs[SRT_GCM_TAG], tag[SRT_GCM_TAG];

	if (!c->mgr)
		return srt_crypt_evp_open(c->evp, s, j);
	memcpy(theirs, j->src + j->len, SRT_GCM_TAG);
	gcm(gcm_function(c->mgr, s, false), j, tag);
	return !CRYPTO_memcmp(theirs, tag, SRT_GCM_TAG);
}
