#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Key material messages: how a stream's keys (SEK) travel, wrapped by a key out of the passphrase
// (KEK) (draft-sharabayko-srt-01, 3.2.2 and 6.1; srt-wire 11.1, 11.2). A calculator like the rest
// of this folder; but deriving a KEK takes half a millisecond: not on a worker.

#include <stddef.h>
#include <stdint.h>

enum {
	SRT_KM_SALT = 16,
	SRT_KM_SEK_MAX = 32,
	SRT_KM_HDR = 32, // what stands before the wrapped keys, salt included
	SRT_KM_WRAPPED_MAX = 2 * SRT_KM_SEK_MAX + 8,
	SRT_KM_MAX = SRT_KM_HDR + SRT_KM_WRAPPED_MAX,
};

enum srt_km_cipher { SRT_KM_CTR = 2, SRT_KM_GCM = 4 };
enum srt_km_slot { SRT_KM_EVEN = 1, SRT_KM_ODD = 2 }; // bits: KF of a message, KK of a packet

// What a state of one word in place of an answer says (srt-wire 11.4).
enum srt_km_state {
	SRT_KM_UNSECURED,
	SRT_KM_SECURING,
	SRT_KM_SECURED,
	SRT_KM_NO_SECRET,
	SRT_KM_BAD_SECRET,
	SRT_KM_BAD_CRYPTO,
};

struct srt_km {
	uint8_t has;	 // enum srt_km_slot
	uint8_t cipher;	 // enum srt_km_cipher
	uint8_t key_len; // 16, 24, 32
	uint8_t wrapped_len;
	uint8_t salt[SRT_KM_SALT];
	uint8_t wrapped[SRT_KM_WRAPPED_MAX];
};

struct srt_km_keys {
	uint8_t has, cipher, key_len, rsv;
	uint8_t salt[SRT_KM_SALT];
	uint8_t sek[2][SRT_KM_SEK_MAX]; // even, odd
};

// 0; -EBADMSG when the length or a field is other than the message says; -ENOTSUP for a cipher or
// key length that we do not know. out is untouched in both cases.
int srt_km_parse(const uint8_t *data, size_t len, struct srt_km *out);

// The KEK for a salt and a key length: PBKDF2-HMAC-SHA1, 2048 rounds over the salt's last 8 bytes.
// Allocates. 0 or -EIO.
int srt_km_kek(const uint8_t salt[SRT_KM_SALT], uint8_t key_len, const uint8_t *passphrase,
	size_t passphrase_len, uint8_t kek[SRT_KM_SEK_MAX]);

// RFC 3394. 0, or -EACCES: that KEK did not wrap it (another passphrase); out is zeroed then.
int srt_km_unwrap(
	const struct srt_km *km, const uint8_t kek[SRT_KM_SEK_MAX], struct srt_km_keys *out);

// A message with the keys that `has` names. Returns its length, 0 when a field makes no sense.
size_t srt_km_write(
	const struct srt_km_keys *keys, const uint8_t kek[SRT_KM_SEK_MAX], uint8_t out[SRT_KM_MAX]);
