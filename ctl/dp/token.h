#pragma once
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Tokens in stream ids (decisions B9): who holds one may publish or play one stream until a time.
// Both programs, and any platform that has a signing key, make and check them by this rule:
//
//   token = HEAD "." MAC
//   HEAD  = "v1." KID "." ID "." EXP "." FROM
//     KID   name of the signing key, 1 to 15 of A-Z a-z 0-9 _ -
//     ID    of the token, what a revocation names, 1 to 32 of the same
//     EXP   Unix time in seconds when it ends, base 36, lower case, no leading zero
//     FROM  addresses it is good for, such as 192.0.2.0/24 or 2001:db8::1, else "-"
//   MAC   = the first 16 bytes of HMAC-SHA-256(KEY, HEAD "\n" MODE "\n" STREAM), base64url
//           without padding: 22 characters
//     KEY     the characters of the signing key, as `key show` prints it
//     MODE    "publish" or "request"
//     STREAM  the stream's name; no field may hold a line feed, so no two inputs are one text
//
// Checking takes a microsecond and allocates inside libcrypto: for control threads.

#include "base/cidr.h"
#include "ctl/dp/dp_proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TOKEN_ID_MAX = DP_TOKEN_MAX - 1,
	TOKEN_MAC_LEN = 22,
	TOKEN_EXP_MAX = 10, // digits of base 36
	TOKEN_HEAD_MAX = 3 + (DP_KID_MAX - 1) + 1 + TOKEN_ID_MAX + 1 + TOKEN_EXP_MAX + 1 + 49,
	TOKEN_MAX = TOKEN_HEAD_MAX + 1 + TOKEN_MAC_LEN, // bytes of a token
};

struct token {
	char kid[DP_KID_MAX];
	char id[TOKEN_ID_MAX + 1];
	uint64_t until_s; // Unix time
	bool bound;	  // to the addresses in `from`
	struct cidr from;
	char head[TOKEN_HEAD_MAX + 1]; // what is signed, besides mode and stream
	char mac[TOKEN_MAC_LEN + 1];
};

// Take a token apart. Returns 0 or -EBADMSG (out untouched): not of the form above.
int token_parse(const char *text, struct token *out);

enum token_verdict {
	TOKEN_GOOD,
	TOKEN_EXPIRED,
	TOKEN_FORGED,	     // not signed by that key, or for another stream or mode
	TOKEN_OTHER_ADDRESS, // signed, but for callers from elsewhere
};

// May who holds it do this? The caller has found the key by t->kid and looked for t->id among the
// revoked. ip: of the caller, v4-mapped. now_s: Unix time. Compares in constant time.
enum token_verdict token_check(const struct token *t, const void *key, size_t key_len,
	enum dp_mode mode, const char *stream, const uint8_t ip[16], uint64_t now_s);

// One sentence for a log; never holds any of the token.
const char *token_verdict_str(enum token_verdict v);

// Sign. from: NULL for any address. Returns 0, or -EINVAL: a field is not of the form above.
int token_sign(const char *kid, const char *id, uint64_t until_s, const struct cidr *from,
	const void *key, size_t key_len, enum dp_mode mode, const char *stream,
	char out[TOKEN_MAX + 1]);

// 1 to max of A-Z a-z 0-9 _ -
bool token_word_ok(const char *text, size_t max);
