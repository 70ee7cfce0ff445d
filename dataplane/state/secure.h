#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What an encrypted session has beyond a clear one, by the number of its slot, apart from its line
// and its protocol object (decisions A12). Regions whose pages are taken when they are first used:
// clear sessions cost nothing. What a copy reads, the expanded keys, lies by itself.

#include "base/ts.h"
#include "proto/srt_crypt.h"
#include "state/keys.h"

#include <stdbool.h>

// SUB: an announcement that waits for its answer. PUB: the one that control derives a KEK for.
struct secure_refresh {
	uint8_t msg[SRT_KM_MAX];
	uint16_t msg_len; // 0: none
	uint8_t tries;
	ts_us due; // the next try, or the end of patience
};

struct secure {
	struct key_material keys; // as last installed
	uint8_t known;		  // slots whose SEK stands there, all under the one salt
	uint8_t current;	  // slot that its packets go under: 0 even, 1 odd
	bool asking;		  // control derives a KEK for it
	// SUB: the stream's number from which a slot's key has been in use; SECURE_NEVER: it is not
	// to be used.
	uint64_t since[2];
	uint64_t rekey_at; // the stream's number at which its next key is due
	struct secure_refresh refresh;
};

#define SECURE_NEVER UINT64_MAX

// Keys that SRT targets of a stream share, in counter mode: first our own for AES-128, -192 and
// -256, then those of publishers whose passphrase the targets have (path/pass.c).
#define SRT_PUSHKEYS_OWN 3u
#define SRT_PUSHKEYS 6u

// Its targets have one numbering, so a packet is encrypted once for all of them (srt-wire 11.6).
struct secure_pushkey {
	struct srt_km_keys km; // key_len 0: none made yet
	uint8_t current;       // slot that packets go under
	uint8_t borrowed;      // enum srt_km_slot: slots whose key is the publisher's
	bool switching;	       // the other slot's key has been announced
	uint32_t dseq;	       // their numbers minus the stream's, mod 2^31
	uint64_t rekey_at;     // the stream's number at which the next key is due
};

static inline uint8_t secure_slot(unsigned odd)
{
	return odd ? SRT_KM_ODD : SRT_KM_EVEN;
}

struct secure_pool {
	struct srt_crypt *crypt;
	struct secure *all;	      // cold, by slot
	struct srt_ctr_key (*ctr)[2]; // by slot: even, odd
	struct srt_gcm_key (*gcm)[2];
};

static inline void *secure_key_at(
	const struct secure_pool *p, enum srt_suite suite, uint32_t slot, unsigned odd)
{
	return srt_suite_is_gcm(suite) ? (void *)&p->gcm[slot][odd] : (void *)&p->ctr[slot][odd];
}
