#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Payload encryption (srt-wire 11.3, 11.7): AES in counter mode, and AES-GCM as libsrt does it from
// 1.5.4 on. In bursts on intel-ipsec-mb (decisions A16); on OpenSSL, packet by packet, where that
// does not run, and as the check in tests.
//
// One (key, salt) serves one mapping from sequence numbers to payloads, ever: that is the caller's
// to keep.

#include "proto/srt_km.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What all keys of one burst have in common.
enum srt_suite {
	SRT_CLEAR,
	SRT_CTR_128,
	SRT_CTR_192,
	SRT_CTR_256,
	SRT_GCM_128,
	SRT_GCM_192,
	SRT_GCM_256,
	SRT_SUITES
};

enum {
	SRT_CRYPT_BURST = 32,
	SRT_GCM_TAG = 16,
	SRT_GCM_AAD = 16, // the packet's header as on the wire, with R = 0
};

// A key with its salt, expanded: four cache lines are what a copy reads of its subscriber's.
struct srt_ctr_key {
	alignas(64) uint8_t salt[SRT_KM_SALT]; // the last two bytes are zero
	uint8_t rounds[240];
};

struct srt_gcm_key {
	alignas(64) uint8_t salt[SRT_KM_SALT];
	uint8_t data[1008]; // of the library's
};

struct srt_crypt_job {
	const void *key; // struct srt_ctr_key or srt_gcm_key, as the suite says
	const uint8_t *src;
	uint8_t *dst;	    // may be src. GCM: sealing puts the tag behind the payload
	const uint8_t *aad; // GCM
	uint32_t seq;	    // of the packet, on this connection
	uint32_t len;	    // of the payload, without a tag
	uint32_t sum;	    // see srt_crypt_ctr()
};

static inline bool srt_suite_is_gcm(enum srt_suite s)
{
	return s >= SRT_GCM_128;
}

// Bytes: 16, 24 or 32; 0: clear.
static inline uint8_t srt_suite_key_len(enum srt_suite s)
{
	return s == SRT_CLEAR ? 0 : (uint8_t)(16 + 8 * ((s - SRT_CTR_128) % 3));
}

// Of a message's fields; SRT_CLEAR when they make no sense.
enum srt_suite srt_suite_of(uint8_t cipher, uint8_t key_len);

enum srt_crypt_engine {
	SRT_CRYPT_BEST,
	SRT_CRYPT_LIBRARY, // intel-ipsec-mb alone
	SRT_CRYPT_OPENSSL
};

// A worker's own. NULL when memory is short.
struct srt_crypt;
struct srt_crypt *srt_crypt_new(enum srt_crypt_engine engine);
void srt_crypt_free(struct srt_crypt *c);
bool srt_crypt_is_multi_buffer(const struct srt_crypt *c); // else OpenSSL

// Expand a SEK into *key, of the suite's kind.
void srt_crypt_key(struct srt_crypt *c, enum srt_suite s, const uint8_t salt[SRT_KM_SALT],
	const uint8_t *sek, void *key);

// Encrypt, or decrypt, which is the same, n payloads: at most SRT_CRYPT_BURST. True: each job's sum
// is that of the bytes that came out, by 16-bit words as they lie in memory, an odd one with a zero
// behind it; false: the sums are not told.
bool srt_crypt_ctr(struct srt_crypt *c, enum srt_suite s, struct srt_crypt_job *jobs, unsigned n);
void srt_crypt_gcm_seal(
	struct srt_crypt *c, enum srt_suite s, const struct srt_crypt_job *jobs, unsigned n);
// The tag stands behind the len bytes at src. False: it is not theirs, and dst is worth nothing.
bool srt_crypt_gcm_open(struct srt_crypt *c, enum srt_suite s, const struct srt_crypt_job *job);
