#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Encrypted SRT peers. All bring the same key, derived once: what is loaded is the relay, and a
// key derivation per call would load this program as much.

#include "load/call.h"

struct secret {
	struct srt_crypt *crypt;
	enum srt_suite suite;
	struct srt_km_keys keys;
	uint8_t kek[SRT_KM_SEK_MAX], km[SRT_KM_MAX];
	uint16_t km_len;
};

// Read the passphrase that the options name. 0, or -errno and a sentence.
int secret_start(struct load *l, struct calls *cs, char *err, size_t cap);
void secret_fini(struct calls *cs);

void secret_begin(struct calls *cs, struct call *c); // a call begins: bring the key
// A publisher's packet, in place.
void secret_seal(const struct calls *cs, const struct call *c, uint8_t *pkt, size_t len);
// A packet from the relay into out, clear. False: it was about keys, or cannot be read.
bool secret_open(
	struct load *l, ts_us now, struct call *c, const uint8_t *data, size_t len, uint8_t *out);
