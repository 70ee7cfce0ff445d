#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// How secrets lie in the store (decisions B8): AES-256-GCM under a master key that is not in the
// store. The key's id and the object's name are authenticated along, so that one object's sealed
// text is worth nothing in another's place.

#include <stddef.h>
#include <stdint.h>

enum {
	SEAL_KEY_BYTES = 32,
	SEAL_ID_LEN = 8, // hex digits
};

struct seal_key {
	uint8_t bytes[SEAL_KEY_BYTES];
	char id[SEAL_ID_LEN + 1];
};

// Read a master key: a file of 64 hex digits. Returns 0, or with one sentence in err: -ENOENT when
// there is none, -errno of the file, -EPERM when anybody may read it or others may write it,
// -EINVAL when it holds something else.
int seal_key_read(struct seal_key *k, const char *path, char *err, size_t cap);

// Make one: random, mode 0600, durable when this returns. -EEXIST when there is one (untouched).
int seal_key_make(struct seal_key *k, const char *path, char *err, size_t cap);

void seal_key_wipe(struct seal_key *k);

// "v1.KEYID.BASE64" of nonce, ciphertext and tag; the caller frees it. NULL when out of memory.
char *seal(const struct seal_key *k, const char *object, const void *plain, size_t len);

// And back, at most cap bytes. Returns the length; -EKEYREJECTED: sealed under another master key;
// -EBADMSG: changed, or another object's.
int seal_open(
	const struct seal_key *k, const char *object, const char *text, void *plain, size_t cap);

// 64 bits that change with the content and say nothing about it to whoever lacks the key. Not 0.
uint64_t seal_version(const struct seal_key *k, const void *plain, size_t len);
