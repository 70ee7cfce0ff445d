// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/dp/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VERSION "v1."
#define MAC_BYTES 16u

static const char base36[] = "0123456789abcdefghijklmnopqrstuvwxyz";
static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool token_word_ok(const char *text, size_t max)
{
	size_t len = strlen(text);

	return len >= 1 && len <= max && strspn(text, base64url) == len;
}

// The next field of a head, up to its dot; false when it is longer than max bytes or has no dot.
static bool take(const char **at, char *out, size_t max)
{
	const char *dot = strchr(*at, '.');
	size_t len = dot ? (size_t)(dot - *at) : 0;

	if (!dot || len > max)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at = dot + 1;
	return true;
}

static bool time_parse(const char *text, uint64_t *out)
{
	uint64_t v = 0;

	if (!*text || *text == '0' || strspn(text, base36) != strlen(text))
		return false;
	for (; *text; text++)
		v = v * 36 + (uint64_t)(strchr(base36, *text) - base36);
	*out = v;
	return true;
}

static bool head_parse(struct token *t)
{
	const char *at = t->head + strlen(VERSION);
	char exp[TOKEN_EXP_MAX + 1];

	if (strncmp(t->head, VERSION, strlen(VERSION)) != 0 ||
		!take(&at, t->kid, sizeof(t->kid) - 1) || !take(&at, t->id, sizeof(t->id) - 1) ||
		!take(&at, exp, sizeof(exp) - 1))
		return false;
	t->bound = strcmp(at, "-") != 0;
	return token_word_ok(t->kid, sizeof(t->kid) - 1) &&
	       token_word_ok(t->id, sizeof(t->id) - 1) && time_parse(exp, &t->until_s) &&
	       (!t->bound || !cidr_parse(at, &t->from));
}

int token_parse(const char *text, struct token *out)
{
	const char *dot = strrchr(text, '.');
	struct token t = {0};

	if (!dot || strlen(dot + 1) != TOKEN_MAC_LEN || dot - text > TOKEN_HEAD_MAX)
		return -EBADMSG;
	memcpy(t.head, text, (size_t)(dot - text));
	memcpy(t.mac, dot + 1, TOKEN_MAC_LEN);
	if (strspn(t.mac, base64url) != TOKEN_MAC_LEN || !head_parse(&t))
		return -EBADMSG;
	*out = t;
	return 0;
}

static void encode(const uint8_t mac[MAC_BYTES], char out[TOKEN_MAC_LEN + 1])
{
	unsigned bits = 0, have = 0;

	for (unsigned i = 0, at = 0; i < TOKEN_MAC_LEN; i++) {
		if (have < 6) { // behind the last byte: zeros
			bits = bits << 8 | (at < MAC_BYTES ? mac[at++] : 0);
			have += 8;
		}
		have -= 6;
		out[i] = base64url[bits >> have & 63];
	}
	out[TOKEN_MAC_LEN] = '\0';
}

static int sign(const char *head, const void *key, size_t key_len, enum dp_mode mode,
	const char *stream, char out[TOKEN_MAC_LEN + 1])
{
	const char *word = mode == DP_MODE_PUBLISH ? "publish" : "request";
	char text[TOKEN_HEAD_MAX + DP_STREAM_NAME + 16];
	uint8_t mac[EVP_MAX_MD_SIZE];
	int n = snprintf(text, sizeof(text), "%s\n%s\n%s", head, word, stream);

	if (n < 0 || (size_t)n >= sizeof(text) || !key_len || key_len > DP_SECRET_MAX)
		return -EINVAL;
	if (!HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)text, (size_t)n, mac, NULL))
		return -EINVAL;
	encode(mac, out);
	return 0;
}

enum token_verdict token_check(const struct token *t, const void *key, size_t key_len,
	enum dp_mode mode, const char *stream, const uint8_t ip[16], uint64_t now_s)
{
	char mac[TOKEN_MAC_LEN + 1];

	if (now_s >= t->until_s)
		return TOKEN_EXPIRED;
	if (sign(t->head, key, key_len, mode, stream, mac) ||
		CRYPTO_memcmp(mac, t->mac, TOKEN_MAC_LEN) != 0)
		return TOKEN_FORGED;
	return t->bound && !cidr_holds(&t->from, ip) ? TOKEN_OTHER_ADDRESS : TOKEN_GOOD;
}

const char *token_verdict_str(enum token_verdict v)
{
	static const char *const all[] = {
		"the token is good",
		"the token has expired",
		"the token is not signed by its key for this stream and mode",
		"the token is for callers from another address",
	};

	return all[v];
}

static bool time_write(uint64_t v, char out[TOKEN_EXP_MAX + 1])
{
	char reversed[16];
	size_t n = 0;

	for (; v; v /= 36) {
		if (n == TOKEN_EXP_MAX)
			return false;
		reversed[n++] = base36[v % 36];
	}
	for (size_t i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	out[n] = '\0';
	return n;
}

int token_sign(const char *kid, const char *id, uint64_t until_s, const struct cidr *from,
	const void *key, size_t key_len, enum dp_mode mode, const char *stream,
	char out[TOKEN_MAX + 1])
{
	char exp[TOKEN_EXP_MAX + 1], range[CIDR_STRLEN], head[TOKEN_HEAD_MAX + 1];
	char mac[TOKEN_MAC_LEN + 1];

	if (!token_word_ok(kid, DP_KID_MAX - 1) || !token_word_ok(id, TOKEN_ID_MAX) ||
		!time_write(until_s, exp))
		return -EINVAL;
	snprintf(head, sizeof(head), VERSION "%s.%s.%s.%s", kid, id, exp,
		from ? cidr_str(from, range, sizeof(range)) : "-");
	if (sign(head, key, key_len, mode, stream, mac))
		return -EINVAL;
	snprintf(out, TOKEN_MAX + 1, "%s.%s", head, mac);
	return 0;
}
