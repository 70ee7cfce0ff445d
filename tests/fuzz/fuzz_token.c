// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

#include "ctl/dp/token.h"
#include "fuzz/fuzz.h"

#include <string.h>

#define KEY "3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 7};
	char *text = malloc(len + 1), out[TOKEN_MAX + 1], range[CIDR_STRLEN];
	struct token t, again;
	struct cidr from;

	FUZZ_CHECK(text);
	memcpy(text, data, len);
	text[len] = '\0';
	if (!cidr_parse(text, &from)) {
		struct cidr same;

		FUZZ_CHECK(from.bits <= 128);
		FUZZ_CHECK(cidr_holds(&from, from.ip));
		FUZZ_CHECK(!cidr_parse(cidr_str(&from, range, sizeof(range)), &same));
		FUZZ_CHECK(same.bits == from.bits && !memcmp(same.ip, from.ip, 16));
	}
	if (!token_parse(text, &t)) {
		FUZZ_CHECK(strlen(text) <= TOKEN_MAX && t.until_s);
		token_check(&t, KEY, strlen(KEY), DP_MODE_PLAY, "live/cam1", ip, 0);
		// What has these fields and our key's mark is one of ours.
		FUZZ_CHECK(!token_sign(t.kid, t.id, t.until_s, t.bound ? &t.from : NULL, KEY,
			strlen(KEY), DP_MODE_PLAY, "live/cam1", out));
		FUZZ_CHECK(!token_parse(out, &again));
		FUZZ_CHECK(
			token_check(&again, KEY, strlen(KEY), DP_MODE_PLAY, "live/cam1",
				again.bound ? again.from.ip : ip, again.until_s - 1) == TOKEN_GOOD);
	}
	free(text);
	return 0;
}
