#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What the engines share.

#include "proto/srt_crypt.h"

#include "base/bytes.h"

#include <string.h>

#define SRT_CTR_IV_SEQ 10u // where the sequence number goes: behind ten bytes of salt
#define SRT_GCM_IV_SEQ 8u
#define SRT_GCM_IV 12u

// srt-wire 11.3 and 11.7: the salt, with the number over its last bytes.
static inline void srt_crypt_iv(
	uint8_t iv[SRT_KM_SALT], const uint8_t *salt, unsigned at, uint32_t seq)
{
	uint32_t word;

	memcpy(iv, salt, SRT_KM_SALT);
	memcpy(&word, iv + at, sizeof(word));
	word ^= __builtin_bswap32(seq);
	memcpy(iv + at, &word, sizeof(word));
}

// srt_crypt_vaes.c: by vectors, where the CPU has VAES, too. n jobs; false: some are too long for
// it, and nothing has been done.
bool srt_crypt_vaes_runs(void);
bool srt_crypt_vaes_ctr(struct srt_crypt_job *jobs, unsigned n, unsigned key_len);

// srt_crypt_evp.c: packet by packet. The expanded keys begin with the key itself.
struct srt_crypt_evp;
struct srt_crypt_evp *srt_crypt_evp_new(void);
void srt_crypt_evp_free(struct srt_crypt_evp *e);
void srt_crypt_evp_ctr(struct srt_crypt_evp *e, enum srt_suite s, const struct srt_crypt_job *j);
void srt_crypt_evp_seal(struct srt_crypt_evp *e, enum srt_suite s, const struct srt_crypt_job *j);
bool srt_crypt_evp_open(struct srt_crypt_evp *e, enum srt_suite s, const struct srt_crypt_job *j);
